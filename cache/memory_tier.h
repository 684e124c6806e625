#pragma once

#include "cache/lru.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>

namespace rqfs::cache {

// A torrent within this run of the store; never used twice.
using TorrentKey = torrent::Index<struct TorrentKeyTag>;

// Verified bytes in memory, of all torrents under one budget. Pieces that are not on disk yet are protected; everything else goes
// when room is needed, least recently used first. One piece larger than the budget is taken all the same. Pure: engine thread only.
class MemoryTier {
public:
    explicit MemoryTier(std::uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

    // A whole piece that only memory holds.
    void put_unwritten(TorrentKey torrent, torrent::PieceIndex piece, torrent::SharedBytes bytes);
    // It is on disk now, and may be evicted.
    void written(TorrentKey torrent, torrent::PieceIndex piece);
    // A run of a piece as read from disk: the part that begins at run * kRunBytes.
    void put_run(TorrentKey torrent, torrent::PieceIndex piece, std::uint32_t run, torrent::SharedBytes bytes);

    // The bytes of the piece when memory holds them all. A range over several runs is copied together.
    std::optional<torrent::SharedBytes> find(TorrentKey torrent, torrent::PieceIndex piece, torrent::ByteRange range);
    // The whole piece, if it came whole and is still here.
    std::optional<torrent::SharedBytes> whole(TorrentKey torrent, torrent::PieceIndex piece);
    bool holds_run(TorrentKey torrent, torrent::PieceIndex piece, std::uint32_t run) const;

    void erase(TorrentKey torrent, torrent::PieceIndex piece);
    void erase(TorrentKey torrent);

    std::uint64_t budget_bytes() const { return budget_bytes_; }
    std::uint64_t bytes() const { return evictable_.bytes() + unwritten_bytes_; }
    std::uint64_t unwritten_bytes() const { return unwritten_bytes_; }

private:
    struct Key {
        TorrentKey torrent;
        torrent::PieceIndex piece;
        std::uint32_t run = 0;

        friend auto operator<=>(Key const&, Key const&) = default;
    };
    static constexpr std::uint32_t kWhole = 0xffffffff;

    torrent::SharedBytes const* use(Key const& key);
    std::optional<torrent::SharedBytes> join(TorrentKey torrent, torrent::PieceIndex piece, torrent::ByteRange range);
    void forget_unwritten(Key const& first, Key const& last);
    void evict();

    std::uint64_t budget_bytes_;
    std::uint64_t unwritten_bytes_ = 0;
    std::map<Key, torrent::SharedBytes> unwritten_;
    Lru<Key, torrent::SharedBytes> evictable_;
};

}  // namespace rqfs::cache
