#include "torrent/metainfo/piece_layout.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace rqfs::torrent {

PieceLayout::PieceLayout(std::uint64_t total_bytes, std::uint32_t piece_bytes)
    : total_bytes_(total_bytes), piece_bytes_(piece_bytes) {
    assert(total_bytes >= 1 && piece_bytes >= 1);
    auto const pieces = (total_bytes - 1) / piece_bytes + 1;
    assert(pieces <= std::numeric_limits<std::uint32_t>::max());
    pieces_ = static_cast<std::uint32_t>(pieces);
}

std::optional<PieceIndex> PieceLayout::piece(std::uint64_t number) const {
    if (number >= pieces_) return {};
    return PieceIndex(static_cast<std::uint32_t>(number));
}

std::optional<BlockAddress> PieceLayout::block(std::uint64_t piece, std::uint64_t begin, std::uint64_t length) const {
    auto const index = this->piece(piece);
    if (!index || begin % kBlockBytes != 0 || begin >= bytes(*index)) return {};
    BlockAddress const address{*index, BlockIndex(static_cast<std::uint32_t>(begin / kBlockBytes))};
    if (length != bytes(address)) return {};
    return address;
}

std::uint32_t PieceLayout::bytes(PieceIndex piece) const {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(piece_bytes_, total_bytes_ - begin(piece)));
}

std::uint64_t PieceLayout::begin(PieceIndex piece) const {
    assert(piece.value() < pieces_);
    return std::uint64_t{piece.value()} * piece_bytes_;
}

ByteRange PieceLayout::range(PieceIndex piece) const {
    auto const first = begin(piece);
    return {first, first + bytes(piece)};
}

std::uint32_t PieceLayout::blocks(PieceIndex piece) const { return (bytes(piece) - 1) / kBlockBytes + 1; }

std::uint32_t PieceLayout::bytes(BlockAddress block) const {
    return std::min(kBlockBytes, bytes(block.piece) - begin(block));
}

std::uint32_t PieceLayout::begin(BlockAddress block) const {
    assert(block.block.value() < blocks(block.piece));
    return block.block.value() * kBlockBytes;
}

PieceIndex PieceLayout::piece_at(std::uint64_t offset) const {
    assert(offset < total_bytes_);
    return PieceIndex(static_cast<std::uint32_t>(offset / piece_bytes_));
}

PieceLayout::Pieces PieceLayout::pieces(ByteRange range) const {
    assert(range.end <= total_bytes_ || range.empty());
    if (range.empty()) return {};
    return {piece_at(range.begin), piece_at(range.end - 1).next()};
}

}  // namespace rqfs::torrent
