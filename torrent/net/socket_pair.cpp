#include "torrent/net/socket_pair.h"

#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/packet_info.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <fcntl.h>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr int kBacklog = 128;
constexpr int kUdpReceiveBytes = 1 << 20;  // bursts of replies while the engine is busy; the kernel may grant less
constexpr int kTriesForBoth = 16;          // at a port that the kernel chose for TCP and that UDP must find free too

template <class Socket, class Protocol>
void open(Socket& socket, Protocol protocol, InterfaceBinding const& binding, error_code& code) {
    socket.open(protocol, code);
    if (code) return;
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    bool const v6 = protocol == Protocol::v6();
    if (v6) socket.set_option(asio::ip::v6_only(true), code);
    if (!code) code = binding.tie(socket.native_handle(), v6);
}

// SO_REUSEADDR lets TCP bind over its own old connections; on UDP it would let two programs share the port.
asio::ip::tcp::acceptor open_tcp(asio::any_io_executor const& executor, Endpoint const& at,
                                 InterfaceBinding const& binding, error_code& code) {
    asio::ip::tcp::acceptor acceptor(executor);
    auto const where = to_tcp(at);
    open(acceptor, where.protocol(), binding, code);
    if (!code) acceptor.set_option(asio::socket_base::reuse_address(true), code);
    if (!code) acceptor.bind(where, code);
    if (!code) acceptor.listen(kBacklog, code);
    if (!code) acceptor.non_blocking(true, code);
    return acceptor;
}

}  // namespace

asio::ip::udp::socket open_udp_socket(asio::any_io_executor const& executor, Endpoint const& at,
                                      InterfaceBinding const& binding, error_code& code) {
    asio::ip::udp::socket socket(executor);
    auto const where = to_udp(at);
    open(socket, where.protocol(), binding, code);
    if (!code) request_packet_info(socket.native_handle(), at.address.is_v6());
    if (!code) socket.bind(where, code);
    if (!code) socket.non_blocking(true, code);
    error_code ignored;
    if (!code) socket.set_option(asio::socket_base::receive_buffer_size(kUdpReceiveBytes), ignored);
    return socket;
}

namespace {

SocketPair open_at(asio::any_io_executor const& executor, Endpoint at, InterfaceBinding const& binding,
                   error_code& code) {
    SocketPair none{asio::ip::tcp::acceptor(executor), asio::ip::udp::socket(executor)};
    auto acceptor = open_tcp(executor, at, binding, code);
    if (code) return none;
    auto const bound = acceptor.local_endpoint(code);
    if (code) return none;
    at.port = bound.port();
    auto udp = open_udp_socket(executor, at, binding, code);
    if (code) return none;
    return {std::move(acceptor), std::move(udp)};
}

}  // namespace

SocketPair open_socket_pair(asio::any_io_executor const& executor, Endpoint at, InterfaceBinding const& binding,
                            error_code& code) {
    for (int tries = 1;; ++tries) {
        code.clear();
        auto pair = open_at(executor, at, binding, code);
        if (code != asio::error::address_in_use || at.port != 0 || tries >= kTriesForBoth) return pair;
    }
}

}  // namespace rqfs::torrent
