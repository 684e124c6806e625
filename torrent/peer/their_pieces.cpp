#include "torrent/peer/their_pieces.h"

#include "torrent/settings.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rqfs::torrent {

namespace {

std::byte mask(std::uint32_t piece) { return std::byte{0x80} >> (piece % 8); }

}  // namespace

TheirPieces::TheirPieces(std::optional<std::uint32_t> pieces) : known_(pieces), pieces_(pieces.value_or(0)) {}

Result<void> TheirPieces::set_bitfield(std::span<std::byte const> bytes) {
    if (known_) {
        auto parsed = Bitfield::parse(bytes, *known_);
        if (!parsed) return parsed.error();
        pieces_ = std::move(*parsed);
        return {};
    }
    if (bytes.size() > limit::kPieces / 8) return error(Errc::too_large, "bitfield longer than that of any torrent");
    raw_.assign(bytes.begin(), bytes.end());
    bitfield_bytes_ = bytes.size();
    return {};
}

void TheirPieces::set_all() {
    if (known_)
        pieces_ = Bitfield(*known_, true);
    else
        raw_all_ = true;
}

Result<void> TheirPieces::check_index(std::uint32_t piece) const {
    if (piece >= known_.value_or(limit::kPieces))
        return error(Errc::malformed, "piece " + std::to_string(piece) + " does not exist");
    return {};
}

Result<bool> TheirPieces::add(std::uint32_t piece) {
    if (auto const valid = check_index(piece); !valid) return valid.error();
    if (known_) {
        bool const news = !pieces_.test(PieceIndex(piece));
        pieces_.set(PieceIndex(piece));
        return news;
    }
    if (raw_.size() <= piece / 8) raw_.resize(piece / 8 + 1);
    raw_[piece / 8] |= mask(piece);
    return false;
}

Result<bool> TheirPieces::remove(std::uint32_t piece) {
    if (auto const valid = check_index(piece); !valid) return valid.error();
    if (known_) {
        bool const news = pieces_.test(PieceIndex(piece));
        pieces_.clear(PieceIndex(piece));
        return news;
    }
    // Of a peer that said it has all, one lost piece is learnt from its reject instead.
    if (piece / 8 < raw_.size()) raw_[piece / 8] &= ~mask(piece);
    return false;
}

Result<void> TheirPieces::layout_known(std::uint32_t pieces) {
    std::size_t const bytes = (std::size_t{pieces} + 7) / 8;
    if (bitfield_bytes_ != 0 && bitfield_bytes_ != bytes)
        return error(Errc::malformed, "bitfield of " + std::to_string(bitfield_bytes_) + " bytes for " +
                                          std::to_string(pieces) + " pieces");
    if (raw_.size() > bytes) return error(Errc::malformed, "have of a piece that does not exist");
    known_ = pieces;
    if (raw_all_) {
        pieces_ = Bitfield(pieces, true);
    } else {
        raw_.resize(bytes);
        auto parsed = Bitfield::parse(raw_, pieces);
        if (!parsed) return parsed.error();
        pieces_ = std::move(*parsed);
    }
    raw_ = {};
    return {};
}

bool TheirPieces::all() const { return known_ ? pieces_.all() : raw_all_; }

}  // namespace rqfs::torrent
