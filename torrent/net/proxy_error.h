#pragma once

#include <boost/system/error_code.hpp>

#include <type_traits>

namespace rqfs::torrent {

// What a proxy did instead of what it was asked for. Outside torrent_category(): whom it should have reached has said
// nothing. The values up to 8 are a SOCKS5 server's replies (RFC 1928, 6).
enum class ProxyErrc {
    failure = 1,
    not_allowed = 2,
    network_unreachable = 3,
    host_unreachable = 4,
    connection_refused = 5,
    expired = 6,
    no_command = 7,
    no_address_type = 8,
    login_needed = 100,
    login_refused,
    no_method,  // no way to log in that we know
    malformed,
    closed,
    silent,
    unreachable,  // the proxy itself
    answer,       // another one than a proxy's
};

boost::system::error_category const& proxy_category();
boost::system::error_code make_error_code(ProxyErrc code);

// The proxy's own trouble or ours with it, whoever was asked for: nothing is learnt of him.
bool is_trouble_with_proxy(boost::system::error_code const& code);

}  // namespace rqfs::torrent

template <>
struct boost::system::is_error_code_enum<rqfs::torrent::ProxyErrc> : std::true_type {};
