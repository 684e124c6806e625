#pragma once

#include "torrent/error.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tools {

// The target of an HTTP request: "/v1/torrents/a%20b?paused=true" is {"v1", "torrents", "a b"} and {paused: true}.
struct RequestTarget {
    std::vector<std::string> path;
    std::map<std::string, std::string> query;

    static torrent::Result<RequestTarget> parse(std::string_view text);
};

// A text as one element of a target's path or query: everything but unreserved characters (RFC 3986) as %XX.
std::string percent_encode(std::string_view text);

}  // namespace rqfs::tools
