#pragma once

#include "tools/control/protocol.h"
#include "torrent/status.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rqfs::tools {

// Which torrent or files a person means. Pure.

// `text` is a whole info-hash, the name of one torrent, or the first digits of one info-hash, tried in this order.
std::variant<torrent::InfoHash, ErrorReply> select_torrent(std::string_view text,
                                                           std::vector<torrent::TorrentStatus> const& torrents);

// `text` is the path of a file, a directory (all files in it), the last element of one path, or a number as `files`
// shows it, tried in this order. Pad files are nobody's wish.
std::variant<std::vector<torrent::FileIndex>, ErrorReply> select_files(std::string_view text,
                                                                       std::vector<torrent::FileStatus> const& files);

}  // namespace rqfs::tools
