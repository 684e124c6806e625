#pragma once

#include "torrent/error.h"
#include "torrent/metainfo/bencode.h"
#include "torrent/metainfo/metainfo.h"

#include <cstdint>
#include <vector>

namespace rqfs::torrent {

// The files of an info dictionary (BEP 3, 47), checked against the limits of limits.h.
struct InfoFiles {
    std::vector<TorrentFile> files;  // at least one
    std::uint64_t total_bytes = 0;   // 1 to limit::kTotalBytes
    bool single = false;             // written with `length` instead of `files`
};

Result<InfoFiles> parse_info_files(bencode::Value info);

}  // namespace rqfs::torrent
