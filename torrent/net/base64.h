#pragma once

#include <string>
#include <string_view>

namespace rqfs::torrent {

// The bytes in base64 with padding (RFC 4648, 4). Pure.
std::string base64(std::string_view bytes);

}  // namespace rqfs::torrent
