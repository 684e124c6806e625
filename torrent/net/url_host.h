#pragma once

#include "torrent/error.h"

#include <string>
#include <string_view>

namespace rqfs::torrent {

// The host of a URL as everybody will understand it: lower case, an IPv6 literal without brackets, every way of writing
// an IPv4 address (inet_aton's 1 to 4 numbers, decimal, octal or hexadecimal) turned into its dotted form. Refuses
// non-ASCII names, escapes, zone ids and numbers that are no address. Pure.
Result<std::string> normalize_host(std::string_view host);

}  // namespace rqfs::torrent
