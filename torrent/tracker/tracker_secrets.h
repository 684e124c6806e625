#pragma once

#include "torrent/net/url.h"

#include <cstddef>
#include <string>

namespace rqfs::torrent {

// From how many bytes on a part of an announce URL may be a passkey: those in use have 16 to 64, and one that a tracker
// cut short is one still.
inline constexpr std::size_t kSecretBytes = 8;

// A tracker's text without what the tracker echoes of its own announce URL: in the place of each run of kSecretBytes
// and more that is found in a part of path or query, or in the user and password, whatever its case and also decoded,
// stands "[hidden]". The words that nearly every announce URL has are left. Takes time with the product of both
// lengths, which have limits. Pure.
std::string without_secrets(std::string text, Url const& tracker);

}  // namespace rqfs::torrent
