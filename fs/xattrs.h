#pragma once

#include "torrent/info_hash.h"
#include "torrent/status.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::fs {

// What extended attributes are made of.
struct XattrFacts {
    torrent::InfoHash info_hash;
    torrent::TorrentState state = torrent::TorrentState::metadata;
    double progress = 0;   // of the whole torrent, 0 to 1
    std::string raw_name;  // untrusted bytes, as the torrent has them
};

// user.rqfs.infohash, .state, .progress and .rawname.
std::vector<std::string_view> xattr_names();

// The value of one; nothing for a name that is not ours. Progress is "0.0000" to "1.0000", and "1.0000" only when
// complete.
std::optional<std::string> xattr_value(std::string_view name, XattrFacts const& facts);

}  // namespace rqfs::fs
