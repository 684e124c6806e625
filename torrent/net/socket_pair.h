#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/interface_binding.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/error_code.hpp>

namespace rqfs::torrent {

// A listening TCP socket and a UDP socket at one address and port, because trackers and the DHT tell peers one port for
// both. Tied to the interface before they are bound.
struct SocketPair {
    boost::asio::ip::tcp::acceptor tcp;
    boost::asio::ip::udp::socket udp;
};

// Port 0: one that the kernel finds free for both. With an error in `code` neither is open.
SocketPair open_socket_pair(boost::asio::any_io_executor const& executor, Endpoint at, InterfaceBinding const& binding,
                            boost::system::error_code& code);

// A UDP socket alone; of a session that nobody connects to.
boost::asio::ip::udp::socket open_udp_socket(boost::asio::any_io_executor const& executor, Endpoint const& at,
                                             InterfaceBinding const& binding, boost::system::error_code& code);

}  // namespace rqfs::torrent
