#pragma once

#include "torrent/metainfo/piece_layout.h"
#include "torrent/shared_bytes.h"
#include "torrent/units.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// The index of a media file in memory of its own while the file is open: players go back to it at every seek, and the
// film that passes through the store's memory must not push it out to the disk. Pure; one an open file, owned by
// Readers.
//
// Kept in parts of what the kernel reads at once, none across two pieces. Offsets are in the torrent.
class KeptIndex {
public:
    // `all_bytes` counts what every KeptIndex of the session holds; it outlives this.
    explicit KeptIndex(std::uint64_t& all_bytes) : all_bytes_(all_bytes) {}
    KeptIndex(KeptIndex const&) = delete;
    KeptIndex& operator=(KeptIndex const&) = delete;
    ~KeptIndex() { want({}, {}, PieceLayout()); }

    // What to keep from now on, the most important first: ranges of the file, which lies at `where`. What is more than
    // limit::kKeptIndexBytesPerFile is left out; what is held of it already stays.
    void want(std::vector<ByteRange> const& ranges, ByteRange where, PieceLayout const& layout);
    // The parts inside `range` that are wanted and not here.
    std::vector<ByteRange> missing(ByteRange range) const;
    // A copy is kept if it is one of these parts and limit::kKeptIndexBytes allows.
    void put(ByteRange part, std::span<std::byte const> bytes);
    // The bytes, if all of them are here.
    std::optional<SharedBytes> find(ByteRange range) const;

    std::uint64_t bytes() const { return bytes_; }

private:
    struct Part {
        std::uint64_t end;
        std::optional<SharedBytes> bytes;
    };

    std::uint64_t& all_bytes_;
    std::uint64_t bytes_ = 0;
    std::map<std::uint64_t, Part> parts_;  // by where they begin; they do not overlap
};

}  // namespace rqfs::torrent
