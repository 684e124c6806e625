#pragma once

#include "torrent/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace rqfs::torrent {

// A tracker's or web seed's URL: http, https or udp; ASCII hosts only (xn-- is welcome, others are refused with a
// sentence). Hosts that are IPv4 addresses in disguise (0x7f.1, 2130706433, 127.1) become the dotted address they mean,
// so that vetting sees it. Pure.
struct Url {
    std::string scheme;      // lower case
    std::string host;        // lower case; IPv6 without its brackets
    std::uint16_t port = 0;  // the scheme's own when not given (udp has none: an error)
    std::string target;      // path and query, begins with '/'; no fragment
    std::string user_info;   // "user:password" before the host, still escaped; never logged

    static Result<Url> parse(std::string_view text);
    // A Location header's value, relative to this URL.
    Result<Url> resolve(std::string_view location) const;
    std::string text() const;       // without user_info
    std::string authority() const;  // host[:port] for the Host header

    friend bool operator==(Url const&, Url const&) = default;
};

std::string percent_encode(std::string_view bytes);  // all but unreserved characters (RFC 3986, 2.3)
Result<std::string> percent_decode(std::string_view text);

}  // namespace rqfs::torrent
