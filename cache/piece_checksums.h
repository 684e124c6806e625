#pragma once

#include "cache/torrent_place.h"
#include "torrent/bitfield.h"
#include "torrent/units.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rqfs::cache {

// The checksums of the blocks of one torrent, as far as they are known: 4 bytes for 16 KiB. Pure.
class PieceChecksums {
public:
    explicit PieceChecksums(TorrentPlace const& place)
        : place_(place), piece_blocks_((std::uint64_t{place.piece_bytes} + torrent::kBlockBytes - 1) / torrent::kBlockBytes), known_(place.pieces) {}

    bool knows(torrent::PieceIndex piece) const { return known_.test(piece); }
    // False, and nothing remembered, when they are not as many as the piece has blocks.
    bool set(torrent::PieceIndex piece, std::span<std::uint32_t const> checksums) {
        if (checksums.size() != place_.blocks(piece)) return false;
        if (sums_.empty()) sums_.resize(piece_blocks_ * place_.pieces);
        std::copy(checksums.begin(), checksums.end(), sums_.begin() + static_cast<std::ptrdiff_t>(first(piece)));
        known_.set(piece);
        return true;
    }
    void clear(torrent::PieceIndex piece) { known_.clear(piece); }
    // Of `count` blocks from `block` on, of a piece that is known.
    std::vector<std::uint32_t> get(torrent::PieceIndex piece, std::uint64_t block, std::uint64_t count) const {
        auto const begin = sums_.begin() + static_cast<std::ptrdiff_t>(first(piece) + block);
        return {begin, begin + static_cast<std::ptrdiff_t>(count)};
    }
    std::vector<std::uint32_t> get(torrent::PieceIndex piece) const { return get(piece, 0, place_.blocks(piece)); }

private:
    std::uint64_t first(torrent::PieceIndex piece) const { return piece_blocks_ * piece.value(); }

    TorrentPlace place_;
    std::uint64_t piece_blocks_;
    std::vector<std::uint32_t> sums_;
    torrent::Bitfield known_;
};

}  // namespace rqfs::cache
