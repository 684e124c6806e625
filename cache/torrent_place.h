#pragma once

#include "cache/memory_tier.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace rqfs::cache {

// Where the pieces of one torrent lie, and how large they are: facts that jobs and records of a torrent need. A value.
struct TorrentPlace {
    TorrentKey key;
    torrent::InfoHash info_hash;
    std::string path;               // of its sparse file
    std::uint64_t total_bytes = 0;
    std::uint32_t piece_bytes = 1;  // of every piece but the last; never 0
    std::uint32_t pieces = 0;

    std::uint64_t offset(torrent::PieceIndex piece) const { return std::uint64_t{piece.value()} * piece_bytes; }
    std::uint64_t size(torrent::PieceIndex piece) const {
        return std::min<std::uint64_t>(piece_bytes, total_bytes - offset(piece));
    }
    std::uint64_t blocks(torrent::PieceIndex piece) const { return (size(piece) + torrent::kBlockBytes - 1) / torrent::kBlockBytes; }
};

}  // namespace rqfs::cache
