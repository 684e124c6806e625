#include "fs/media_scan.h"

#include "fs/settings.h"

#include <algorithm>
#include <chrono>

namespace rqfs::fs {

using torrent::ByteRange;

namespace {

// Nearer than this to what was read last is the same place: most often the same piece.
constexpr std::uint64_t kSamePlaceBytes = 64u << 10;
constexpr auto kMostSeconds = static_cast<std::uint64_t>(std::chrono::seconds(limit::kMediaMostDuration).count());

bool covers(std::vector<ByteRange> const& ranges, ByteRange range) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [range](auto const& known) { return known.begin <= range.begin && range.end <= known.end; });
}

// Takes the ranges that touch `range` out of the list, and returns all as one.
ByteRange take_together(std::vector<ByteRange>& ranges, ByteRange range) {
    std::erase_if(ranges, [&range](auto const& known) {
        if (known.end < range.begin || range.end < known.begin) return false;
        range = {std::min(known.begin, range.begin), std::max(known.end, range.end)};
        return true;
    });
    return range;
}

}  // namespace

MediaScan::Bytes MediaScan::bytes(std::uint64_t begin, std::uint64_t count) {
    begin = std::min(begin, file_bytes_);
    count = std::min({count, file_bytes_ - begin, limit::kMediaStepBytes});
    wanted_.reset();
    if (++steps_ > limit::kMediaSteps) return {*this, false};
    if (count == 0) return {*this, true};
    ByteRange const range{begin, begin + count};
    auto const apart = begin > last_end_ ? begin - last_end_ : last_end_ - begin;
    if (apart > kSamePlaceBytes && !known(range) && ++jumps_ > limit::kMediaJumps) return {*this, false};
    last_end_ = range.end;
    wanted_ = range;
    return {*this, false};
}

void MediaScan::give(std::span<std::byte const> bytes) {
    bytes_ = bytes;
    wanted_.reset();
}

void MediaScan::lasts(std::uint64_t units, std::uint64_t per_second) {
    if (per_second == 0 || units / per_second > kMostSeconds) return;
    auto const rest = static_cast<double>(units % per_second) * 1000 / static_cast<double>(per_second);
    hints_.duration = std::chrono::milliseconds(units / per_second * 1000 + static_cast<std::uint64_t>(rest));
}

bool MediaScan::known(ByteRange range) const { return covers(hints_.first, range) || covers(hints_.later, range); }

void MediaScan::need(std::vector<ByteRange>& ranges, ByteRange range) {
    range.end = std::min(range.end, file_bytes_);
    if (range.empty() || covers(ranges, range)) return;
    auto kept = ranges;
    auto const joined = take_together(kept, range);
    auto const size = [](auto const& list) {
        std::uint64_t sum = 0;
        for (auto const& known : list) sum += known.size();
        return sum;
    };
    auto const others = index_bytes_ - (size(ranges) - size(kept));
    if (kept.size() >= limit::kMediaRanges || others + joined.size() > limit::kMediaIndexBytes) return;
    index_bytes_ = others + joined.size();
    kept.push_back(joined);
    ranges = std::move(kept);
}

torrent::MediaHints MediaScan::hints() const {
    if (!recognized_) return {};
    auto hints = hints_;
    if (wanted_ && !known(*wanted_)) hints.first.push_back(take_together(hints.first, *wanted_));
    return hints;
}

}  // namespace rqfs::fs
