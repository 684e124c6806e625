#pragma once

#include "torrent/units.h"

#include <cstdint>
#include <optional>

namespace rqfs::torrent {

// Arithmetic between bytes, pieces and blocks of one torrent, the short last piece included. Nobody else divides by the
// piece length. A value; any thread.
class PieceLayout {
public:
    PieceLayout() = default;
    // piece_bytes >= 1, total_bytes >= 1.
    PieceLayout(std::uint64_t total_bytes, std::uint32_t piece_bytes);

    std::uint64_t total_bytes() const { return total_bytes_; }
    std::uint32_t piece_bytes() const { return piece_bytes_; }
    std::uint32_t pieces() const { return pieces_; }

    // A checked piece or block: nothing when there is no such one.
    std::optional<PieceIndex> piece(std::uint64_t number) const;
    // The block that (piece, begin, length) of a message names: nothing unless it is exactly one of ours.
    std::optional<BlockAddress> block(std::uint64_t piece, std::uint64_t begin, std::uint64_t length) const;

    std::uint32_t bytes(PieceIndex piece) const;
    std::uint64_t begin(PieceIndex piece) const;  // within the torrent
    ByteRange range(PieceIndex piece) const;      // within the torrent
    std::uint32_t blocks(PieceIndex piece) const;
    std::uint32_t bytes(BlockAddress block) const;  // 16 KiB but for the last block of a piece
    std::uint32_t begin(BlockAddress block) const;  // within the piece

    PieceIndex piece_at(std::uint64_t offset) const;  // offset < total_bytes()
    // First and one past the last piece that a range of the torrent touches; equal when the range is empty.
    struct Pieces {
        PieceIndex first;
        PieceIndex end;
    };
    Pieces pieces(ByteRange range) const;

private:
    std::uint64_t total_bytes_ = 0;
    std::uint32_t piece_bytes_ = 1;
    std::uint32_t pieces_ = 0;
};

}  // namespace rqfs::torrent
