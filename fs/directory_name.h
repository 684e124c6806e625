#pragma once

#include "torrent/info_hash.h"
#include "torrent/library.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::fs {

// What a torrent's directory may be called, best first: the name remembered for it, else the torrent's own or the
// magnet's dn, made safe, then that with " [8 hex digits]" of the info-hash, then with all 40. Pure.
std::vector<std::string> directory_name_candidates(torrent::Library::Entry const& entry);

// The info-hash that a name of 40 hexadecimal digits means. Such names are kept for the torrents they identify.
std::optional<torrent::InfoHash> hash_alias(std::string_view name);

}  // namespace rqfs::fs
