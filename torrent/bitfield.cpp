#include "torrent/bitfield.h"

#include <bit>
#include <cassert>
#include <string>

namespace rqfs::torrent {

namespace {

constexpr std::byte mask(PieceIndex piece) { return std::byte{0x80} >> (piece.value() % 8); }

}  // namespace

Bitfield::Bitfield(std::uint32_t pieces, bool all)
    : bytes_((std::size_t{pieces} + 7) / 8, all ? std::byte{0xff} : std::byte{0}),
      size_(pieces),
      count_(all ? pieces : 0) {
    if (all && pieces % 8 != 0) bytes_.back() = static_cast<std::byte>(0xff00u >> (pieces % 8));
}

Result<Bitfield> Bitfield::parse(std::span<std::byte const> bytes, std::uint32_t pieces) {
    Bitfield field(pieces);
    if (bytes.size() != field.bytes_.size())
        return error(Errc::malformed, "bitfield of " + std::to_string(bytes.size()) + " bytes for " +
                                          std::to_string(pieces) + " pieces");
    field.bytes_.assign(bytes.begin(), bytes.end());
    if (pieces % 8 != 0 && (field.bytes_.back() & static_cast<std::byte>(0xff >> (pieces % 8))) != std::byte{0})
        return error(Errc::malformed, "bitfield with a spare bit set");
    for (std::byte const b : field.bytes_)
        field.count_ += static_cast<std::uint32_t>(std::popcount(std::to_integer<unsigned>(b)));
    return field;
}

bool Bitfield::test(PieceIndex piece) const {
    assert(piece.value() < size_);
    return (bytes_[piece.value() / 8] & mask(piece)) != std::byte{0};
}

void Bitfield::set(PieceIndex piece) {
    if (test(piece)) return;
    bytes_[piece.value() / 8] |= mask(piece);
    ++count_;
}

void Bitfield::clear(PieceIndex piece) {
    if (!test(piece)) return;
    bytes_[piece.value() / 8] &= ~mask(piece);
    --count_;
}

}  // namespace rqfs::torrent
