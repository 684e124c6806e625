#pragma once

#include "torrent/info_hash.h"
#include "torrent/status.h"
#include "torrent/units.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::fs {

// What extended attributes are made of.
struct XattrFacts {
    torrent::InfoHash info_hash;
    torrent::TorrentState state = torrent::TorrentState::metadata;
    double progress = 0;                       // of the whole torrent, 0 to 1
    std::string raw_name;                      // untrusted bytes, as the torrent has them
    std::optional<torrent::FileIndex> file{};  // only of a file
};

// What the file's readers wait for, in words: different whenever it is asked for, so that Filesystem makes it.
inline constexpr std::string_view kWhyXattr = "user.rqfs.why";

// user.rqfs.infohash, .state, .progress and .rawname; of a file also .file and .why.
std::vector<std::string_view> xattr_names(bool of_file);

// The value of one; nothing for a name that is not ours, and for .why. Progress is "0.0000" to "1.0000", and "1.0000"
// only when complete; .file is the file's number in the torrent.
std::optional<std::string> xattr_value(std::string_view name, XattrFacts const& facts);

// As many whole lines of a text as a value may have.
std::string whole_lines(std::string text, std::size_t most_bytes);

}  // namespace rqfs::fs
