#include "torrent/net/pinhole_mapper.h"

#include "torrent/error.h"
#include "torrent/net/upnp_search.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kCallTime{5};  // as of UpnpMapper

std::string_view text_of(std::vector<std::byte> const& body) {
    return {reinterpret_cast<char const*>(body.data()), body.size()};
}

[[noreturn]] void refuse(std::string const& what, int fault) {
    throw_error(Errc::refused, "the router " + what + " in its IPv6 firewall with code " + std::to_string(fault));
}

}  // namespace

PinholeMapper::PinholeMapper(asio::any_io_executor executor, Clock& clock, Resolver& resolver, InterfaceBinding binding)
    : executor_(std::move(executor)),
      clock_(clock),
      binding_(std::move(binding)),
      connector_(clock, binding_),
      http_(clock, connector_, resolver, false) {}

std::optional<int>& PinholeMapper::pinhole(PortRequest const& request) {
    return pinholes_[request.protocol == TransportProtocol::tcp ? 0 : 1];
}

asio::awaitable<HttpClient::Response> PinholeMapper::fetch(Url url, std::optional<UpnpCall> call) {
    HttpClient::Request request;
    request.url = std::move(url);
    request.max_body_bytes = kUpnpDocumentBytes;
    request.time = kCallTime;
    request.trusted = true;  // it is the router: nobody else is dialled
    request.redirects = false;
    if (call) {
        request.headers = std::move(call->headers);
        request.post = std::move(call->body);
    }
    return http_.get(std::move(request));
}

asio::awaitable<UpnpReply> PinholeMapper::ask(UpnpCall call) {
    auto const response = co_await fetch(firewall_.control, std::move(call));
    co_return parse_upnp_reply(response.status, text_of(response.body));
}

asio::awaitable<std::optional<Address>> PinholeMapper::open(Router router) {
    if (router_ != router) pinholes_ = {};
    router_ = router;
    connector_.use(router);
    auto searching = find_upnp_description(executor_, clock_, binding_, router);
    auto const url = co_await std::move(searching);
    auto const response = co_await fetch(url, std::nullopt);
    if (response.status != 200)
        throw_error(Errc::refused,
                    "the router describes itself by UPnP with status " + std::to_string(response.status));
    auto firewall = parse_upnp_firewall(text_of(response.body), url);
    if (!firewall) throw_error(Errc::unsupported, "the router opens no ports in its IPv6 firewall by UPnP");
    firewall_ = std::move(*firewall);
    auto question = upnp_firewall_call(firewall_);
    auto const state = co_await ask(std::move(question));
    if (state.firewall == false)
        throw_error(Errc::unsupported, "no port needs to be opened: the router's IPv6 firewall is off");
    if (state.pinholes == false) throw_error(Errc::refused, "the router lets nobody open its IPv6 firewall");
    co_return router.own;
}

// Asked for again and not by its number: after the router was restarted that may be another's.
asio::awaitable<PortAnswer> PinholeMapper::map(PortRequest request) {
    if (request.lifetime == std::chrono::seconds(0)) throw_error(Errc::unsupported, "no pinhole is for ever");
    auto call = upnp_pinhole_call(firewall_, request, router_.own);
    auto const reply = co_await ask(std::move(call));
    if (reply.fault) refuse("refuses the port", *reply.fault);
    if (!reply.pinhole) throw_error(Errc::malformed, "the router does not say which port it opened in its firewall");
    pinhole(request) = reply.pinhole;
    PortAnswer answer;
    answer.external_port = request.internal_port;
    answer.lifetime = request.lifetime;
    co_return answer;
}

// Whatever the fault: where there is none, miniupnpd 2.3.1 says 402 and not 704. A number that is another's after the
// router was restarted is taken for ours, until the renewal.
asio::awaitable<PortState> PinholeMapper::ask_after(PortRequest request) {
    PortState state;
    auto const number = pinhole(request);
    if (!number) co_return state;
    auto call = upnp_pinhole_packets_call(firewall_, *number);
    auto const reply = co_await ask(std::move(call));
    state.kept = !reply.fault;
    co_return state;
}

asio::awaitable<void> PinholeMapper::unmap(PortRequest request) {
    auto const number = std::exchange(pinhole(request), std::nullopt);
    if (!number) co_return;
    auto call = upnp_close_pinhole_call(firewall_, *number);
    auto const reply = co_await ask(std::move(call));
    if (reply.fault) refuse("keeps the port open", *reply.fault);
}

}  // namespace rqfs::torrent
