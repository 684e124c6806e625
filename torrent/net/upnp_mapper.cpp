#include "torrent/net/upnp_mapper.h"

#include "torrent/error.h"
#include "torrent/net/upnp_search.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kCallTime{5};  // the slow ones write to flash first

std::string_view text_of(std::vector<std::byte> const& body) {
    return {reinterpret_cast<char const*>(body.data()), body.size()};
}

}  // namespace

UpnpMapper::UpnpMapper(asio::any_io_executor executor, Clock& clock, HttpClient& http, InterfaceBinding binding)
    : executor_(std::move(executor)), clock_(clock), http_(http), binding_(std::move(binding)) {}

asio::awaitable<HttpClient::Response> UpnpMapper::fetch(Url url, std::optional<UpnpCall> call) {
    HttpClient::Request request;
    request.url = std::move(url);
    request.max_body_bytes = kUpnpDocumentBytes;
    request.time = kCallTime;
    request.trusted = true;  // it is the router: by its address, that of the routing table
    request.redirects = false;
    if (call) {
        request.headers = std::move(call->headers);
        request.post = std::move(call->body);
    }
    return http_.get(std::move(request));
}

asio::awaitable<UpnpReply> UpnpMapper::ask(UpnpService service, UpnpCall call) {
    auto const response = co_await fetch(std::move(service.control), std::move(call));
    co_return parse_upnp_reply(response.status, text_of(response.body));
}

asio::awaitable<std::optional<Address>> UpnpMapper::open(Router router) {
    router_ = router;
    auto searching = find_upnp_description(executor_, clock_, binding_, router);
    auto url = co_await std::move(searching);
    auto const response = co_await fetch(url, std::nullopt);
    if (response.status != 200)
        throw_error(Errc::refused,
                    "the router describes itself by UPnP with status " + std::to_string(response.status));
    auto const services = parse_upnp_description(text_of(response.body), url);
    if (services.empty()) throw_error(Errc::unsupported, "the router maps no ports by UPnP");
    // Of a line by PPP and one by IP the one in use has an address.
    service_ = services.front();
    for (auto const& service : services) {
        auto const reply = co_await ask(service, upnp_address_call(service));
        if (!reply.address) continue;
        service_ = service;
        co_return reply.address;
    }
    co_return std::nullopt;
}

asio::awaitable<PortAnswer> UpnpMapper::map(PortRequest request) {
    auto call = upnp_map_call(service_, request, router_.own);
    auto const reply = co_await ask(service_, std::move(call));
    PortAnswer answer;
    if (reply.fault == kUpnpConflict) {
        answer.kind = PortAnswer::Kind::conflict;
    } else if (reply.fault == kUpnpPermanentOnly) {
        answer.kind = PortAnswer::Kind::permanent_only;
    } else if (reply.fault) {
        throw_error(Errc::refused, "the router refuses the port by UPnP with code " + std::to_string(*reply.fault));
    } else {
        answer.external_port = request.external_port;
        answer.lifetime = request.lifetime;
    }
    co_return answer;
}

// A router that does not understand the question, or answers half of it, may have the mapping for all we know.
asio::awaitable<PortState> UpnpMapper::ask_after(PortRequest request) {
    auto call = upnp_entry_call(service_, request);
    auto const reply = co_await ask(service_, std::move(call));
    Endpoint const ours{router_.own, request.internal_port};
    PortState state;
    state.kept = reply.fault != kUpnpNoMapping && reply.leads_to.value_or(ours) == ours;
    co_return state;
}

asio::awaitable<void> UpnpMapper::unmap(PortRequest request) {
    auto call = upnp_unmap_call(service_, request);
    auto const reply = co_await ask(service_, std::move(call));
    if (reply.fault)
        throw_error(Errc::refused, "the router keeps the port by UPnP with code " + std::to_string(*reply.fault));
}

}  // namespace rqfs::torrent
