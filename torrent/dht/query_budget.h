#pragma once

#include "torrent/dht/token_bucket.h"
#include "torrent/limits.h"
#include "torrent/units.h"

#include <algorithm>
#include <cstddef>

namespace rqfs::torrent {

// How many queries a node may send now: so many bytes a second, so many unanswered at a time. Owned by a DhtNode; pure.
class QueryBudget {
public:
    // So many more, while `in_flight` are unanswered.
    std::size_t room(std::size_t in_flight, TimePoint now) {
        if (in_flight >= limit::kDhtQueriesInFlight) return 0;
        return std::min(limit::kDhtQueriesInFlight - in_flight, whole_queries(bytes_, now));
    }
    void sent(std::size_t bytes) { bytes_.take(static_cast<double>(bytes)); }
    // At least half of the most: for what can wait.
    bool ample(TimePoint now) { return bytes_.available(now) >= bytes_.burst() / 2; }

    // Reckoned for a query before it is made: the longest, but for announcements, which may overdraw.
    static constexpr std::size_t kQueryBytes = 136;

private:
    static std::size_t whole_queries(TokenBucket& bytes, TimePoint now) {
        return static_cast<std::size_t>(std::max(bytes.available(now), 0.0)) / kQueryBytes;
    }

    TokenBucket bytes_{limit::kDhtQueryBytesPerSecond, 2.0 * limit::kDhtQueryBytesPerSecond};
};

}  // namespace rqfs::torrent
