#pragma once

#include "torrent/endpoint.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

namespace rqfs::torrent {

// Between our plain addresses and Asio's. Scope ids of link-local addresses are lost: nobody may tell us such an
// address.
boost::asio::ip::address to_asio(Address const& address);
Address from_asio(boost::asio::ip::address const& address);

boost::asio::ip::tcp::endpoint to_tcp(Endpoint const& endpoint);
boost::asio::ip::udp::endpoint to_udp(Endpoint const& endpoint);
Endpoint from_asio(boost::asio::ip::tcp::endpoint const& endpoint);
Endpoint from_asio(boost::asio::ip::udp::endpoint const& endpoint);

}  // namespace rqfs::torrent
