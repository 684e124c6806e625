#pragma once

#include "torrent/error.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rqfs::torrent {

// A set of pieces in wire format (BEP 3): the high bit of byte 0 is piece 0, spare bits at the end are 0.
class Bitfield {
public:
    Bitfield() = default;
    explicit Bitfield(std::uint32_t pieces, bool all = false);

    // What a peer sent: exactly ceil(pieces / 8) bytes with no spare bit set.
    static Result<Bitfield> parse(std::span<std::byte const> bytes, std::uint32_t pieces);

    std::uint32_t size() const { return size_; }    // pieces in the torrent
    std::uint32_t count() const { return count_; }  // pieces in the set
    bool all() const { return count_ == size_; }
    bool none() const { return count_ == 0; }

    bool test(PieceIndex piece) const;
    void set(PieceIndex piece);
    void clear(PieceIndex piece);

    std::span<std::byte const> bytes() const { return bytes_; }
    friend bool operator==(Bitfield const&, Bitfield const&) = default;

private:
    std::vector<std::byte> bytes_;
    std::uint32_t size_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace rqfs::torrent
