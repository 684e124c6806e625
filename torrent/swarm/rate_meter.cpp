#include "torrent/swarm/rate_meter.h"

#include <algorithm>
#include <chrono>

namespace rqfs::torrent {

namespace {

constexpr std::chrono::milliseconds kBucket{250};

std::int64_t number(TimePoint time) { return time.time_since_epoch() / kBucket; }
TimePoint begin(std::int64_t bucket) { return TimePoint(bucket * kBucket); }

}  // namespace

void RateMeter::add(std::uint64_t bytes, TimePoint now) {
    auto const current = std::max(number(now), newest_);
    if (newest_ < 0 || current - newest_ >= kBuckets) {
        buckets_.fill(0);
        busy_since_ = now;
    } else {
        for (auto skipped = newest_ + 1; skipped <= current; ++skipped)
            buckets_[static_cast<std::size_t>(skipped % kBuckets)] = 0;
    }
    newest_ = current;
    buckets_[static_cast<std::size_t>(current % kBuckets)] += bytes;
    total_ += bytes;
}

double RateMeter::rate(TimePoint now) const {
    if (newest_ < 0) return 0;
    auto const current = std::max(number(now), newest_);
    auto const oldest = current - kBuckets + 1;
    std::uint64_t bytes = 0;
    for (auto bucket = std::max<std::int64_t>({oldest, newest_ - kBuckets + 1, 0}); bucket <= newest_; ++bucket)
        bytes += buckets_[static_cast<std::size_t>(bucket % kBuckets)];
    auto const measured = std::chrono::duration<double>(now - std::max(busy_since_, begin(oldest))).count();
    return static_cast<double>(bytes) / std::max(measured, 1.0);
}

}  // namespace rqfs::torrent
