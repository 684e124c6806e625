#pragma once

#include "torrent/units.h"

#include <array>
#include <cstdint>

namespace rqfs::torrent {

// How fast payload goes by: bytes a second over the last 5 seconds, in steps of a quarter second, and the total. A
// value; pure.
class RateMeter {
public:
    void add(std::uint64_t bytes, TimePoint now);

    // Bytes a second. In the first 5 seconds after a start or a long silence it is over the time since then, at least
    // one second.
    double rate(TimePoint now) const;
    std::uint64_t total() const { return total_; }

private:
    static constexpr std::int64_t kBuckets = 20;

    std::array<std::uint64_t, kBuckets> buckets_{};  // of number % kBuckets
    std::int64_t newest_ = -1;                       // the number of the bucket last written; -1: none
    TimePoint busy_since_{};                         // the first add() after a silence as long as the window
    std::uint64_t total_ = 0;
};

}  // namespace rqfs::torrent
