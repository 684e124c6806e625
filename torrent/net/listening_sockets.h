#pragma once

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
    std::vector<boost::asio::ip::tcp::acceptor> tcp;  // listening
    std::vector<boost::asio::ip::udp::socket> udp;    // in the order of tcp

    std::uint16_t port() const;  // of the first; 0 when there is none
};

// Opens ADDR:PORT each (port 0: the kernel chooses); none given: port 6881 on IPv4 and IPv6, where the machine has
// them, or the next port that is free for all of them. Throws at once: Errc::busy names an explicit port that is in
// use, Errc::malformed text that is no ADDR:PORT, Errc::not_allowed and Errc::io what the system refuses.
ListeningSockets open_listening_sockets(boost::asio::any_io_executor const& executor,
                                        std::vector<std::string> const& listen);

// UDP alone, one a family that the machine has, at ports that the kernel chooses. Throws Errc::io.
ListeningSockets open_outgoing_sockets(boost::asio::any_io_executor const& executor);

}  // namespace rqfs::torrent
