#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace rqfs::torrent {

// Integers that cannot be mixed up: a piece's number is not a file's. Explicit construction, no arithmetic but stepping.
template <class Tag>
class Index {
public:
    using Value = std::uint32_t;

    constexpr Index() = default;
    constexpr explicit Index(Value value) : value_(value) {}

    constexpr Value value() const { return value_; }
    constexpr Index& operator++() {
        ++value_;
        return *this;
    }
    constexpr Index next() const { return Index(value_ + 1); }
    friend constexpr auto operator<=>(Index, Index) = default;

private:
    Value value_ = 0;
};

using PieceIndex = Index<struct PieceTag>;    // within a torrent
using BlockIndex = Index<struct BlockTag>;    // within a piece
using FileIndex = Index<struct FileTag>;      // within a torrent, pad files included
using PeerHandle = Index<struct PeerTag>;     // a connected peer of one torrent; never used twice in a torrent's life
using ReaderId = Index<struct ReaderTag>;     // an open stream of one torrent; never used twice in a torrent's life

// BEP 3: every client asks for blocks of 16 KiB; larger requests make others hang up.
inline constexpr std::uint32_t kBlockBytes = 16384;

// A half-open range of bytes; of what (torrent, file, piece) is said by whoever passes it.
struct ByteRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    constexpr std::uint64_t size() const { return end - begin; }
    constexpr bool empty() const { return begin >= end; }
    friend constexpr auto operator<=>(ByteRange const&, ByteRange const&) = default;
};

// One block of a torrent.
struct BlockAddress {
    PieceIndex piece;
    BlockIndex block;

    friend constexpr auto operator<=>(BlockAddress const&, BlockAddress const&) = default;
};

// Time as everything that waits sees it; pure code takes it as an argument and never asks for it.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

}  // namespace rqfs::torrent

template <class Tag>
struct std::hash<rqfs::torrent::Index<Tag>> {
    std::size_t operator()(rqfs::torrent::Index<Tag> i) const noexcept { return std::hash<std::uint32_t>{}(i.value()); }
};

template <>
struct std::hash<rqfs::torrent::BlockAddress> {
    std::size_t operator()(rqfs::torrent::BlockAddress const& a) const noexcept {
        return std::hash<std::uint64_t>{}((std::uint64_t{a.piece.value()} << 32) | a.block.value());
    }
};
