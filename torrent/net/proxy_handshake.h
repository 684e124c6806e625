#pragma once

#include "torrent/net/proxy_address.h"
#include "torrent/net/proxy_target.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace rqfs::torrent {

// What is said to a proxy on a connection to it. What it answers is not trusted: everything is bounded, and nothing
// read that belongs to whoever comes after. Without a limit of time of their own. Throw system_error with a ProxyErrc
// and the proxy and the target in its sentence.

inline constexpr char const* kToRelayDatagrams = "to relay datagrams";  // what a connection for UDP is about

// What is said first: SOCKS5's greeting, and the login where it wants one. HTTP has no such thing. `about` is what the
// connection is for.
boost::asio::awaitable<void> proxy_log_in(StreamSocket& stream, ProxyAddress const& proxy, std::string about);

// After the login. Afterwards the stream is one to the target; the bytes are the first that came from there.
boost::asio::awaitable<std::vector<std::byte>> proxy_connect(StreamSocket& stream, ProxyAddress const& proxy,
                                                             ProxyTarget const& target);

// SOCKS5 only, after the login: where it says that it relays datagrams as long as the stream is open. Its port is not 0;
// its address may be unspecified, where that is the proxy's own, or a name.
boost::asio::awaitable<ProxyTarget> proxy_associate(StreamSocket& stream, ProxyAddress const& proxy);

}  // namespace rqfs::torrent
