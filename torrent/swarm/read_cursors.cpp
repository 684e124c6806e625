#include "torrent/swarm/read_cursors.h"

#include "torrent/settings.h"

#include <algorithm>

namespace rqfs::torrent {

namespace {

constexpr std::chrono::seconds kRandomWithin{1};

bool near(std::uint64_t offset, std::uint64_t start, std::uint64_t position) {
    auto const from = std::max(start, ReadCursors::kSameStreamBytes) - ReadCursors::kSameStreamBytes;
    auto const back = std::max(position, ReadCursors::kSameStreamBytes) - ReadCursors::kSameStreamBytes;
    return offset >= std::max(from, back) && offset <= position + ReadCursors::kSameStreamBytes;
}

std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a < b ? b - a : a - b; }

}  // namespace

ReadCursors::Move ReadCursors::read(ByteRange range, std::uint64_t window_bytes, TimePoint now) {
    forget_left(now);
    if (auto* const cursor = nearest(range)) return go_on(*cursor, range, now);
    auto const again = look_ && now - look_->when <= kLeft && near(range.begin, look_->range.begin, look_->range.end);
    auto const first_at_head = cursors_.empty() && range.begin < zone_bytes_;
    if (!again && !first_at_head && may_be_index(range)) {
        look_ = Look{range, now};
        return {Kind::probe, 0};
    }
    return again ? settle(range, now) : jump(range, window_bytes, now);
}

ReadCursor* ReadCursors::nearest(ByteRange range) {
    ReadCursor* best = nullptr;
    for (auto& cursor : cursors_) {
        if (!near(range.begin, cursor.start, cursor.position)) continue;
        if (best == nullptr || distance(range.begin, cursor.position) < distance(range.begin, best->position))
            best = &cursor;
    }
    return best;
}

bool ReadCursors::may_be_index(ByteRange range) const {
    if (range.size() > kProbeBytes) return false;
    auto const overlaps = [range](ByteRange part) { return range.begin < part.end && part.begin < range.end; };
    if (index_ && std::ranges::none_of(*index_, overlaps)) return false;
    return range.begin < zone_bytes_ || range.end + zone_bytes_ > file_bytes_;
}

ReadCursors::Move ReadCursors::go_on(ReadCursor& cursor, ByteRange range, TimePoint now) {
    auto const advance = range.end > cursor.position ? range.end - cursor.position : 0;
    cursor.position += advance;
    cursor.start = std::min(cursor.start, range.begin);
    cursor.sequential += advance;
    cursor.last_used = now;
    if (cursor.sequential >= kSequentialBytes) random_ = false;
    played_ = played_ || cursor.sequential >= kPlayedBytes;
    auto const place = cursors_.begin() + (&cursor - cursors_.data());
    if (place != cursors_.begin()) place->resumed = true;
    std::rotate(cursors_.begin(), place, place + 1);
    return {Kind::sequential, advance};
}

ReadCursors::Move ReadCursors::jump(ByteRange range, std::uint64_t window_bytes, TimePoint now) {
    note_jump(now);
    for (auto& cursor : cursors_) cursor.resumed = false;
    ReadCursor fresh{range.begin, range.end, 0, now, false};
    if (!cursors_.empty()) {
        auto& last = cursors_.front();
        if (range.begin > last.position && range.begin - last.position <= window_bytes && !random_) {
            fresh.sequential = last.sequential;
            last = fresh;
            return {Kind::jump, range.size()};
        }
    }
    insert(fresh);
    return {Kind::jump, range.size()};
}

// Before the film is played its index is being read, of which the first part was taken for a look: the film's own place
// is not left for that.
ReadCursors::Move ReadCursors::settle(ByteRange range, TimePoint now) {
    for (auto& cursor : cursors_) cursor.resumed = !played_ && &cursor == &cursors_.front();
    insert({std::min(look_->range.begin, range.begin), range.end, range.size(), now, false});
    look_.reset();
    return {played_ ? Kind::settle : Kind::probe, range.size()};
}

void ReadCursors::insert(ReadCursor const& cursor) {
    if (cursors_.size() >= limit::kCursorsPerReader) cursors_.pop_back();
    cursors_.insert(cursors_.begin(), cursor);
}

void ReadCursors::note_jump(TimePoint now) {
    std::rotate(jumps_.begin(), jumps_.begin() + 1, jumps_.end());
    jumps_.back() = now;
    if (!jumps_.front() || now - *jumps_.front() > kRandomWithin) return;
    random_ = true;
    for (auto& cursor : cursors_) cursor.sequential = 0;
}

void ReadCursors::forget_left(TimePoint now) {
    if (cursors_.empty()) return;
    cursors_.erase(std::remove_if(cursors_.begin() + 1, cursors_.end(),
                                  [now](auto const& cursor) { return now - cursor.last_used > kLeft; }),
                   cursors_.end());
}

std::vector<ReadCursor> ReadCursors::active(TimePoint now) const {
    std::vector<ReadCursor> active;
    for (auto const& cursor : cursors_)
        if (active.empty() || (cursor.resumed && now - cursor.last_used <= kLeft)) active.push_back(cursor);
    return active;
}

std::optional<TimePoint> ReadCursors::next_change(TimePoint now) const {
    std::optional<TimePoint> next;
    for (std::size_t i = 1; i < cursors_.size(); ++i) {
        auto const end = cursors_[i].last_used + kLeft + Duration(1);
        if (cursors_[i].resumed && end > now) next = std::min(next.value_or(end), end);
    }
    return next;
}

}  // namespace rqfs::torrent
