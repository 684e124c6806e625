#pragma once

#include "torrent/net/proxy_address.h"
#include "torrent/net/proxy_target.h"

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rqfs::torrent {

// CONNECT to an HTTP proxy (RFC 9110, 9.3.6), as a client writes and reads it. Pure.
std::string encode_http_connect(ProxyAddress const& proxy, ProxyTarget const& target);

// A proxy's whole head has no more; squid's has some 300 bytes.
inline constexpr std::size_t kHttpConnectReplyBytes = 8u << 10;

// Where the head of a reply ends and the tunnel begins; nothing while it is not all there.
std::optional<std::size_t> http_connect_head_bytes(std::string_view bytes);

// Success, or the ProxyErrc that the status line of this head amounts to.
boost::system::error_code parse_http_connect_reply(std::string_view head, bool with_login);

}  // namespace rqfs::torrent
