#include "torrent/net/listening_sockets.h"

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/net/interface_addresses.h"
#include "torrent/net/socket_pair.h"

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <cerrno>
#include <optional>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

Address any_of(bool v6) { return v6 ? Address::v6({}) : Address(); }

InterfaceBinding loopback() { return InterfaceBinding("lo"); }

constexpr std::uint16_t kFirstPort = 6881;  // BEP 3
constexpr std::uint16_t kPortsToTry = 100;  // before the kernel chooses
constexpr std::uint16_t kTriesOfKernel = 16;

// Both at one port; true when they were added. Where the interface is not there they are closed again as soon as the
// port is known: on loopback, where nobody else hears of it.
bool open_pair(asio::any_io_executor const& executor, Endpoint at, InterfaceBinding const& binding,
               ListeningSockets& sockets, error_code& code) {
    bool const there = binding.none() || sockets.attachment.serves(at.address);
    auto pair = there ? open_socket_pair(executor, at, binding, code)
                      : open_socket_pair(executor, {any_of(at.address.is_v6()), at.port}, loopback(), code);
    if (code) return false;
    auto const bound = pair.tcp.local_endpoint(code);
    if (code) return false;
    at.port = bound.port();
    sockets.at.push_back(at);
    sockets.tcp.push_back(there ? std::move(pair.tcp) : asio::ip::tcp::acceptor(executor));
    sockets.udp.push_back(there ? std::move(pair.udp) : asio::ip::udp::socket(executor));
    return true;
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
    if (code.value() == EPERM)
        throw_error(Errc::not_allowed, "cannot bind to an interface: that needs Linux 5.7 or the capability NET_RAW");
    throw_error(Errc::io, "cannot listen on " + where + ": " + code.message());
}

// A family that the machine lacks or has switched off.
bool no_such_family(error_code const& code) {
    return code == asio::error::address_family_not_supported || code == asio::error::network_unreachable ||
           code.value() == EADDRNOTAVAIL || code.value() == EPROTONOSUPPORT;
}

// Every family the machine has and the binding allows, at this port; nothing when the port is taken in one of them.
ListeningSockets open_everywhere(asio::any_io_executor const& executor, std::uint16_t port,
                                 InterfaceBinding const& binding, error_code& code) {
    ListeningSockets sockets;
    sockets.attachment = binding.now();
    for (bool const v6 : {false, true}) {
        if (!binding.allows(v6)) continue;
        error_code failure;
        Endpoint const at{binding.address().value_or(any_of(v6)), sockets.tcp.empty() ? port : sockets.port()};
        if (open_pair(executor, at, binding, sockets, failure) || no_such_family(failure)) continue;
        code = failure;
        return {};
    }
    if (sockets.tcp.empty()) code = asio::error::address_family_not_supported;
    return sockets;
}

ListeningSockets open_default(asio::any_io_executor const& executor, InterfaceBinding const& binding) {
    for (std::uint16_t i = 0; i <= kPortsToTry + kTriesOfKernel; ++i) {
        error_code code;
        auto const port = static_cast<std::uint16_t>(i < kPortsToTry ? kFirstPort + i : 0);
        auto sockets = open_everywhere(executor, port, binding, code);
        if (!code) return sockets;
        if (code != asio::error::address_in_use) throw_cannot_listen({Address(), port}, code);
    }
    throw_error(Errc::busy, "cannot listen: every port from 6881 on is in use");
}

// Where the user wants to listen, as far as the binding has it; nothing: not in a family that it does not allow.
std::optional<Endpoint> narrowed(std::string const& text, InterfaceBinding const& binding,
                                 InterfaceBinding::Attachment const& attachment) {
    auto const at = Endpoint::parse(text);
    if (!at) throw_error(Errc::malformed, "cannot listen: " + at.error().what);
    if (binding.none()) return *at;
    if (is_unspecified(at->address)) {
        if (!binding.allows(at->address.is_v6())) return std::nullopt;
        return Endpoint{binding.address().value_or(at->address), at->port};
    }
    bool const other =
        binding.address() ? at->address != *binding.address() : attachment.index != 0 && !attachment.has(at->address);
    if (other)
        throw_error(Errc::malformed, "cannot listen on " + at->text() + ": network.interface is " + binding.text() +
                                         ", which does not have this address");
    return *at;
}

}  // namespace

ListeningSockets open_outgoing_sockets(asio::any_io_executor const& executor, InterfaceBinding const& binding) {
    ListeningSockets sockets;
    sockets.attachment = binding.now();
    for (bool const v6 : {false, true}) {
        if (!binding.allows(v6)) continue;
        Endpoint const at{binding.address().value_or(any_of(v6)), 0};
        error_code code;
        auto socket = binding.none() || sockets.attachment.serves(at.address)
                          ? open_udp_socket(executor, at, binding, code)
                          : asio::ip::udp::socket(executor);
        if (no_such_family(code)) continue;
        if (code) throw_error(Errc::io, "cannot open a socket for datagrams: " + code.message());
        sockets.udp.push_back(std::move(socket));
        sockets.at.push_back(at);
    }
    return sockets;
}

std::uint16_t ListeningSockets::port() const { return tcp.empty() ? std::uint16_t{0} : at.front().port; }

ListeningSockets open_listening_sockets(asio::any_io_executor const& executor, std::vector<std::string> const& listen,
                                        InterfaceBinding const& binding) {
    if (listen.empty()) return open_default(executor, binding);
    ListeningSockets sockets;
    sockets.attachment = binding.now();
    for (auto const& text : listen) {
        auto const at = narrowed(text, binding, sockets.attachment);
        if (!at) continue;
        error_code code;
        if (!open_pair(executor, *at, binding, sockets, code)) throw_cannot_listen(*at, code);
    }
    if (sockets.at.empty())
        throw_error(Errc::malformed, "cannot listen: network.interface is " + binding.text() +
                                         ", and network.listen names no address of its family");
    return sockets;
}

}  // namespace rqfs::torrent
