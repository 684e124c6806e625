#pragma once

#include "torrent/units.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// One place at which a reader goes on.
struct ReadCursor {
    std::uint64_t start = 0;       // where the run of reads began
    std::uint64_t position = 0;    // one past the furthest byte asked for
    std::uint64_t sequential = 0;  // bytes it moved on, one read after another
    TimePoint last_used{};
    bool resumed = false;  // left for another place, and come back to: the reader alternates
};

// Makes of a reader's reads the places it goes on from: the same stream, a look at the head or tail, a jump. Pure; part
// of Demand.
//
// The kernel reads 128 KiB at a time and reorders its read-ahead, so up to 1 MiB to either side of a cursor is the same
// stream. Offsets are in the file.
class ReadCursors {
public:
    // `zone_bytes` at each end of the file are where containers keep their indexes.
    ReadCursors(std::uint64_t file_bytes, std::uint64_t zone_bytes)
        : file_bytes_(file_bytes), zone_bytes_(zone_bytes) {}

    enum class Kind {
        sequential,  // at a cursor
        probe,       // a look at the head or tail, where the index may be; the film's own cursor stays
        jump,        // a new cursor
        settle,      // what seemed a look was a jump: the reader goes on there, and the film was played already
    };
    struct Move {
        Kind kind = Kind::jump;
        std::uint64_t advance = 0;  // bytes the cursor moved on
    };
    // `window_bytes`: how far ahead the last used cursor's window reaches; a jump inside it keeps what the cursor has
    // grown to.
    Move read(ByteRange range, std::uint64_t window_bytes, TimePoint now);
    // Where the index is: from now on only reads of it are looks.
    void index_at(std::vector<ByteRange> ranges) { index_ = std::move(ranges); }

    // Those that have a window now, last used first: the last one, and others the reader has come back to within kLeft.
    std::vector<ReadCursor> active(TimePoint now) const;
    // Reads jump about: three new places within a second, and nothing sequential since.
    bool random() const { return random_; }
    // When active() may change by itself; nothing: not before a read.
    std::optional<TimePoint> next_change(TimePoint now) const;

    static constexpr std::uint64_t kSameStreamBytes = 1u << 20;
    static constexpr std::uint64_t kProbeBytes = 256u << 10;
    static constexpr std::uint64_t kSequentialBytes = 256u << 10;  // so much in order is reading, not jumping
    // Who has read so much in order has looked at the end, if it does: ffmpeg does so after 5 MB at most (its probesize).
    static constexpr std::uint64_t kPlayedBytes = 8u << 20;
    static constexpr std::chrono::seconds kLeft{10};

private:
    struct Look {
        ByteRange range;
        TimePoint when;
    };

    ReadCursor* nearest(ByteRange range);
    bool may_be_index(ByteRange range) const;
    Move go_on(ReadCursor& cursor, ByteRange range, TimePoint now);
    Move jump(ByteRange range, std::uint64_t window_bytes, TimePoint now);
    Move settle(ByteRange range, TimePoint now);
    void insert(ReadCursor const& cursor);
    void note_jump(TimePoint now);
    void forget_left(TimePoint now);

    std::uint64_t file_bytes_;
    std::uint64_t zone_bytes_;
    std::vector<ReadCursor> cursors_;                  // last used first; at most limit::kCursorsPerReader
    std::optional<Look> look_;                         // the last probe
    std::optional<std::vector<ByteRange>> index_;      // its place, once it is known
    std::array<std::optional<TimePoint>, 3> jumps_{};  // the last three, oldest first
    bool random_ = false;
    bool played_ = false;  // so much that what it reads at an end is no longer the index of a film not begun
};

}  // namespace rqfs::torrent
