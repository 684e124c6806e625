#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/connector.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace rqfs::torrent {

// One host has several addresses and some of them lead nowhere: they are dialled one shortly after another, so that a
// dead family costs a quarter of a second and not a timeout (RFC 8305).

inline constexpr std::chrono::milliseconds kNextAddressAfter{250};  // RFC 8305, 5: Connection Attempt Delay
inline constexpr std::size_t kAddressesTried = 8;  // of one host: a quarter of a second each is 2 s; CDNs name up to 8

// The families take turns, beginning with that of the first; within one the order stays (RFC 8305, 4).
std::vector<Endpoint> in_dialling_order(std::vector<Endpoint> const& endpoints);

// Dials the endpoints in this order, each a quarter of a second after the one before or as soon as that has failed.
// The first connection is taken, the other attempts are called off and have ended when this returns. Each may take
// `limit`. Throws what the last of them to fail threw. `endpoints` is not empty; clock and connector outlive it.
boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect_to_any(Clock& clock, Connector& connector,
                                                                     std::vector<Endpoint> endpoints, Duration limit);

}  // namespace rqfs::torrent
