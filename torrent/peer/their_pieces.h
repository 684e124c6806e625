#pragma once

#include "torrent/bitfield.h"
#include "torrent/error.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// The pieces a peer says it has. Before the metadata is known nobody can tell how many there are: what it says is kept
// raw, at most limit::kPieces bits, and checked when layout_known() comes. Errors say what the peer did wrong.
class TheirPieces {
public:
    explicit TheirPieces(std::optional<std::uint32_t> pieces);

    // The first message about pieces; the caller sees to it that there is one.
    Result<void> set_bitfield(std::span<std::byte const> bytes);
    void set_all();

    // True when that is news.
    Result<bool> add(std::uint32_t piece);
    Result<bool> remove(std::uint32_t piece);  // lt_donthave

    Result<void> layout_known(std::uint32_t pieces);

    Bitfield const& pieces() const { return pieces_; }  // empty until the layout is known
    bool all() const;

private:
    Result<void> check_index(std::uint32_t piece) const;

    std::optional<std::uint32_t> known_;
    Bitfield pieces_;
    std::vector<std::byte> raw_;      // before the layout is known
    std::size_t bitfield_bytes_ = 0;  // of the bitfield message that came then; 0: none
    bool raw_all_ = false;
};

}  // namespace rqfs::torrent
