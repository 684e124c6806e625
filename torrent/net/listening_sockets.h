#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/interface_binding.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The TCP acceptors and UDP sockets of a session, bound in pairs: every UDP socket has the address and port of its
// acceptor, because trackers and the DHT tell peers one port for both.
struct ListeningSockets {
    std::vector<boost::asio::ip::tcp::acceptor> tcp;  // listening; closed while the interface is not there
    std::vector<boost::asio::ip::udp::socket> udp;    // in the order of tcp
    std::vector<Endpoint> at;                         // the same: where they are, or will be
    InterfaceBinding::Attachment attachment;          // of the interface when they were opened

    std::uint16_t port() const;  // of the first; 0 when there is none
};

// Opens ADDR:PORT each (port 0: the kernel chooses); none given: port 6881 on IPv4 and IPv6, where the machine has
// them, or the next port that is free for all of them. Throws at once: Errc::busy names an explicit port that is in
// use, Errc::malformed text that is no ADDR:PORT or an address that the interface bound to does not have,
// Errc::not_allowed and Errc::io what the system refuses. An interface that is not there is waited for by others.
ListeningSockets open_listening_sockets(boost::asio::any_io_executor const& executor,
                                        std::vector<std::string> const& listen, InterfaceBinding const& binding = {});

// UDP alone, one a family that the machine has, at ports that the kernel chooses. Throws Errc::io.
ListeningSockets open_outgoing_sockets(boost::asio::any_io_executor const& executor,
                                       InterfaceBinding const& binding = {});

}  // namespace rqfs::torrent
