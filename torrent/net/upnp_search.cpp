#include "torrent/net/upnp_search.h"

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/upnp_message.h"
#include "torrent/timeout.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::system_error;

namespace {

constexpr std::chrono::milliseconds kSearchTime{1'500};  // MX is 1 s
constexpr int kSearches = 2;                             // datagrams are lost
constexpr int kHops = 2;                                 // UPnP Device Architecture 1.1, 1.2.2
constexpr std::size_t kStrangersAnswers = 64;            // to one search, before it is given up

udp::socket open_socket(asio::any_io_executor const& executor, Router const& router, InterfaceBinding const& binding) {
    bool const v6 = router.address.is_v6();
    udp::socket socket(executor, v6 ? udp::v6() : udp::v4());
    if (auto const code = binding.tie(socket.native_handle(), v6)) throw system_error(code);
    if (v6) {
        // From whichever of our addresses suits: a link-local router is answered, and answers, from such a one.
        socket.set_option(asio::ip::v6_only(true));
        socket.bind(udp::endpoint(udp::v6(), 0));
        socket.set_option(asio::ip::multicast::outbound_interface(router.interface));
    } else {
        auto const local = to_udp({router.own, 0});
        socket.bind(local);
        socket.set_option(asio::ip::multicast::outbound_interface(local.address().to_v4()));
    }
    socket.set_option(asio::ip::multicast::hops(kHops));
    return socket;
}

udp::endpoint on_its_interface(Endpoint const& to, Router const& router) {
    auto const plain = to_udp(to);
    if (!to.address.is_v6() || plain.address().to_v6().scope_id() != 0) return plain;
    asio::ip::address_v6 const scoped(plain.address().to_v6().to_bytes(), router.interface);
    return {scoped, to.port};
}

asio::awaitable<Url> first_answer(udp::socket& socket, Router router) {
    std::array<std::byte, kUpnpDatagramBytes + 1> datagram{};
    for (std::size_t i = 0; i < kStrangersAnswers; ++i) {
        udp::endpoint from;
        auto const buffer = asio::buffer(datagram);
        auto const size = co_await socket.async_receive_from(buffer, from, asio::use_awaitable);
        auto const bytes = std::span<std::byte const>(datagram).first(size);
        auto url = parse_upnp_search_reply(bytes, from_asio(from).address, router.address);
        if (url) co_return *url;
    }
    throw_error(Errc::malformed, "too many answer in the router's place by UPnP");
}

}  // namespace

// The router is asked by its address, too: that passes firewalls and bridges which multicast does not.
asio::awaitable<Url> find_upnp_description(asio::any_io_executor executor, Clock& clock, InterfaceBinding binding,
                                           Router router) {
    auto socket = open_socket(executor, router, binding);
    auto const group = upnp_group(router.address.is_v6());
    Endpoint const itself{router.address, group.port};
    for (int i = 0; i < kSearches; ++i) {
        for (auto const& to : {itself, group}) {
            for (auto const& text : upnp_searches(to)) {
                boost::system::error_code unreachable;
                socket.send_to(asio::buffer(text), on_its_interface(to, router), 0, unreachable);
            }
        }
        try {
            auto answer = first_answer(socket, router);
            co_return co_await with_timeout(clock, std::move(answer), kSearchTime, "");
        } catch (system_error const& e) {
            if (e.code() != make_error_code(Errc::timed_out)) throw;
        }
    }
    throw_error(Errc::timed_out, "the router does not answer UPnP");
}

}  // namespace rqfs::torrent
