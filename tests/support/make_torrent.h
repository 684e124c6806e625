#pragma once

#include "torrent/metainfo/metainfo.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {

// A torrent with reproducible bytes for tests.
struct MadeTorrent {
    std::shared_ptr<torrent::Metainfo const> metainfo;
    std::vector<std::byte> file;  // the .torrent
    std::vector<std::byte> data;  // all files one after the other
};

struct TorrentOptions {
    std::string name = "film.mkv";
    std::vector<std::pair<std::string, std::uint64_t>> files;  // below the name; empty: one file of `bytes`
    std::uint64_t bytes = 1 << 20;
    std::uint32_t piece_bytes = 64 << 10;
    std::vector<std::string> trackers;
    bool is_private = false;
    std::uint32_t seed = 1;
};

MadeTorrent make_torrent(TorrentOptions const& options);

}  // namespace rqfs::tests
