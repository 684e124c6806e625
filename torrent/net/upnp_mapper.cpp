#include "torrent/net/upnp_mapper.h"

#include "torrent/error.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/timeout.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::system_error;

namespace {

constexpr std::chrono::milliseconds kSearchTime{1'500};  // MX is 1 s
constexpr int kSearches = 2;                             // datagrams are lost
constexpr int kHops = 2;                                 // UPnP Device Architecture 1.1, 1.2.2
constexpr std::chrono::seconds kCallTime{5};             // the slow ones write to flash first
constexpr std::size_t kStrangersAnswers = 64;            // to one search, before it is given up

std::string_view text_of(std::vector<std::byte> const& body) {
    return {reinterpret_cast<char const*>(body.data()), body.size()};
}

udp::socket open_socket(asio::any_io_executor const& executor, Address const& own, InterfaceBinding const& binding) {
    udp::socket socket(executor, udp::v4());
    if (auto const code = binding.tie(socket.native_handle(), false)) throw system_error(code);
    auto const local = to_udp({own, 0});
    socket.bind(local);
    socket.set_option(asio::ip::multicast::outbound_interface(local.address().to_v4()));
    socket.set_option(asio::ip::multicast::hops(kHops));
    return socket;
}

}  // namespace

UpnpMapper::UpnpMapper(asio::any_io_executor executor, Clock& clock, HttpClient& http, InterfaceBinding binding)
    : executor_(std::move(executor)), clock_(clock), http_(http), binding_(std::move(binding)) {}

// The router is asked by its address, too: that passes firewalls and bridges which multicast does not.
asio::awaitable<Url> UpnpMapper::search() {
    auto socket = open_socket(executor_, router_.own, binding_);
    Endpoint const router{router_.address, upnp_group().port};
    for (int i = 0; i < kSearches; ++i) {
        for (auto const& to : {router, upnp_group()}) {
            for (auto const& text : upnp_searches(to)) {
                boost::system::error_code unreachable;
                socket.send_to(asio::buffer(text), to_udp(to), 0, unreachable);
            }
        }
        try {
            auto answer = first_answer(socket);
            co_return co_await with_timeout(clock_, std::move(answer), kSearchTime, "");
        } catch (system_error const& e) {
            if (e.code() != make_error_code(Errc::timed_out)) throw;
        }
    }
    throw_error(Errc::timed_out, "the router does not answer UPnP");
}

asio::awaitable<Url> UpnpMapper::first_answer(udp::socket& socket) {
    std::array<std::byte, kUpnpDatagramBytes + 1> datagram{};
    for (std::size_t i = 0; i < kStrangersAnswers; ++i) {
        udp::endpoint from;
        auto const buffer = asio::buffer(datagram);
        auto const size = co_await socket.async_receive_from(buffer, from, asio::use_awaitable);
        auto const bytes = std::span<std::byte const>(datagram).first(size);
        auto url = parse_upnp_search_reply(bytes, from_asio(from).address, router_.address);
        if (url) co_return *url;
    }
    throw_error(Errc::malformed, "too many answer in the router's place by UPnP");
}

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
    auto url = co_await search();
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

asio::awaitable<void> UpnpMapper::unmap(PortRequest request) {
    auto call = upnp_unmap_call(service_, request);
    auto const reply = co_await ask(service_, std::move(call));
    if (reply.fault)
        throw_error(Errc::refused, "the router keeps the port by UPnP with code " + std::to_string(*reply.fault));
}

}  // namespace rqfs::torrent
