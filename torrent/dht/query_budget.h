#pragma once

#include "torrent/token_bucket.h"
#include "torrent/limits.h"
#include "torrent/units.h"

#include <algorithm>
#include <cstddef>

namespace rqfs::torrent {

// How many queries a node may send now: so many bytes a second, so many unanswered at a time. Searches that somebody
// waits for have in addition what the others cannot use up. Owned by a DhtNode; pure.
class QueryBudget {
public:
    // So many more, while `in_flight` are unanswered.
    std::size_t room(bool urgent, std::size_t in_flight, TimePoint now) {
        auto const most = limit::kDhtQueriesInFlight + (urgent ? limit::kDhtUrgentInFlight : 0);
        auto const queries = whole_queries(bytes_, now) + (urgent ? whole_queries(urgent_bytes_, now) : 0);
        return in_flight >= most ? 0 : std::min(most - in_flight, queries);
    }
    void sent(bool urgent, std::size_t bytes, TimePoint now) {
        auto& from = urgent && whole_queries(bytes_, now) == 0 ? urgent_bytes_ : bytes_;
        from.take(static_cast<double>(bytes));
    }
    // At least half of the most: for what can wait.
    bool ample(TimePoint now) { return bytes_.available(now) >= bytes_.burst() / 2; }

    // Reckoned for a query before it is made: the longest, but for announcements, which may overdraw.
    static constexpr std::size_t kQueryBytes = 136;

private:
    static std::size_t whole_queries(TokenBucket& bytes, TimePoint now) {
        return static_cast<std::size_t>(std::max(bytes.available(now), 0.0)) / kQueryBytes;
    }

    TokenBucket bytes_{limit::kDhtQueryBytesPerSecond, 2.0 * limit::kDhtQueryBytesPerSecond};
    TokenBucket urgent_bytes_{limit::kDhtUrgentBytesPerSecond, 2.0 * limit::kDhtUrgentBytesPerSecond};
};

}  // namespace rqfs::torrent
