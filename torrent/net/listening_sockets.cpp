#include "torrent/net/listening_sockets.h"

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/system/error_code.hpp>

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::uint16_t kFirstPort = 6881;  // BEP 3
constexpr std::uint16_t kPortsToTry = 100;  // before the kernel chooses
constexpr int kBacklog = 128;
constexpr int kUdpReceiveBytes = 1 << 20;  // bursts of replies while the engine is busy; the kernel may grant less
constexpr int kTriesForBoth = 16;          // at a port that the kernel chose for TCP and that UDP must find free too

template <class Socket, class Protocol>
void open(Socket& socket, Protocol protocol, error_code& code) {
    socket.open(protocol, code);
    if (code) return;
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    if (protocol == Protocol::v6()) socket.set_option(asio::ip::v6_only(true), code);
}

// SO_REUSEADDR lets TCP bind over its own old connections; on UDP it would let two programs share the port.
asio::ip::tcp::acceptor open_tcp(asio::any_io_executor const& executor, Endpoint const& at, error_code& code) {
    asio::ip::tcp::acceptor acceptor(executor);
    auto const where = to_tcp(at);
    open(acceptor, where.protocol(), code);
    if (!code) acceptor.set_option(asio::socket_base::reuse_address(true), code);
    if (!code) acceptor.bind(where, code);
    if (!code) acceptor.listen(kBacklog, code);
    if (!code) acceptor.non_blocking(true, code);
    return acceptor;
}

asio::ip::udp::socket open_udp(asio::any_io_executor const& executor, Endpoint const& at, error_code& code) {
    asio::ip::udp::socket socket(executor);
    auto const where = to_udp(at);
    open(socket, where.protocol(), code);
    if (!code) socket.bind(where, code);
    if (!code) socket.non_blocking(true, code);
    error_code ignored;
    if (!code) socket.set_option(asio::socket_base::receive_buffer_size(kUdpReceiveBytes), ignored);
    return socket;
}

// Both at one port; true when they were added.
bool open_pair(asio::any_io_executor const& executor, Endpoint at, ListeningSockets& sockets, error_code& code) {
    bool const any_port = at.port == 0;
    for (int tries = 0; tries < (any_port ? kTriesForBoth : 1); ++tries) {
        code.clear();
        if (any_port) at.port = 0;
        auto acceptor = open_tcp(executor, at, code);
        if (code) return false;
        auto const bound = acceptor.local_endpoint(code);
        if (code) return false;
        at.port = bound.port();
        auto udp = open_udp(executor, at, code);
        if (code == asio::error::address_in_use) continue;
        if (code) return false;
        sockets.tcp.push_back(std::move(acceptor));
        sockets.udp.push_back(std::move(udp));
        return true;
    }
    return false;
}

[[noreturn]] void throw_cannot_listen(Endpoint const& at, error_code const& code) {
    auto const where = at.text();
    if (code == asio::error::address_in_use)
        throw_error(Errc::busy, "cannot listen on " + where + ": port " + std::to_string(at.port) +
                                    " is in use by another program");
    if (code == asio::error::access_denied)
        throw_error(Errc::not_allowed, "cannot listen on " + where + ": ports below 1024 are for privileged programs");
    if (code.value() == EADDRNOTAVAIL)
        throw_error(Errc::io, "cannot listen on " + where + ": this machine has no such address");
    throw_error(Errc::io, "cannot listen on " + where + ": " + code.message());
}

// A family that the machine lacks or has switched off.
bool no_such_family(error_code const& code) {
    return code == asio::error::address_family_not_supported || code.value() == EADDRNOTAVAIL ||
           code.value() == EPROTONOSUPPORT;
}

// Every family the machine has, at this port; nothing when the port is taken in one of them.
ListeningSockets open_everywhere(asio::any_io_executor const& executor, std::uint16_t port, error_code& code) {
    ListeningSockets sockets;
    std::array const families{Address(), Address::v6({})};
    for (auto const& address : families) {
        error_code failure;
        Endpoint const at{address, sockets.tcp.empty() ? port : sockets.port()};
        if (open_pair(executor, at, sockets, failure) || no_such_family(failure)) continue;
        code = failure;
        return {};
    }
    if (sockets.tcp.empty()) code = asio::error::address_family_not_supported;
    return sockets;
}

ListeningSockets open_default(asio::any_io_executor const& executor) {
    for (std::uint16_t i = 0; i <= kPortsToTry + kTriesForBoth; ++i) {
        error_code code;
        auto const port = static_cast<std::uint16_t>(i < kPortsToTry ? kFirstPort + i : 0);
        auto sockets = open_everywhere(executor, port, code);
        if (!code) return sockets;
        if (code != asio::error::address_in_use) throw_cannot_listen({Address(), port}, code);
    }
    throw_error(Errc::busy, "cannot listen: every port from 6881 on is in use");
}

}  // namespace

ListeningSockets open_outgoing_sockets(asio::any_io_executor const& executor) {
    ListeningSockets sockets;
    std::array const families{Address(), Address::v6({})};
    for (auto const& address : families) {
        error_code code;
        auto socket = open_udp(executor, {address, 0}, code);
        if (!code)
            sockets.udp.push_back(std::move(socket));
        else if (!no_such_family(code))
            throw_error(Errc::io, "cannot open a socket for datagrams: " + code.message());
    }
    return sockets;
}

std::uint16_t ListeningSockets::port() const {
    if (tcp.empty()) return 0;
    error_code ignored;
    return tcp.front().local_endpoint(ignored).port();
}

ListeningSockets open_listening_sockets(asio::any_io_executor const& executor, std::vector<std::string> const& listen) {
    if (listen.empty()) return open_default(executor);
    ListeningSockets sockets;
    for (auto const& text : listen) {
        auto const at = Endpoint::parse(text);
        if (!at) throw_error(Errc::malformed, "cannot listen: " + at.error().what);
        error_code code;
        if (!open_pair(executor, *at, sockets, code)) throw_cannot_listen(*at, code);
    }
    return sockets;
}

}  // namespace rqfs::torrent
