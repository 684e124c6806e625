#pragma once

#include "torrent/limits.h"
#include "torrent/token_bucket.h"
#include "torrent/units.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace rqfs::torrent {

// What a query of ours is for.
enum class QueryPurpose : std::uint8_t {
    search,
    urgent,  // a search that somebody waits for
    upkeep,  // of the routing table
};

// How many queries a node may send now: so many bytes a second, so many unanswered at a time. Searches that somebody
// waits for, and upkeep, each have in addition what the others cannot use up. Owned by a DhtNode; pure.
class QueryBudget {
public:
    // So many more, while `in_flight` are unanswered.
    std::size_t room(QueryPurpose purpose, std::size_t in_flight, TimePoint now) {
        auto const most = most_in_flight(purpose);
        auto* const own = share(purpose);
        auto const queries = whole_queries(bytes_, now) + (own ? whole_queries(*own, now) : 0);
        return in_flight >= most ? 0 : std::min(most - in_flight, queries);
    }
    void sent(QueryPurpose purpose, std::size_t bytes, TimePoint now) {
        auto* const own = share(purpose);
        auto& from = own && whole_queries(bytes_, now) == 0 ? *own : bytes_;
        from.take(static_cast<double>(bytes));
    }

    // Reckoned for a query before it is made: the longest, but for announcements, which may overdraw.
    static constexpr std::size_t kQueryBytes = 136;

private:
    static std::size_t most_in_flight(QueryPurpose purpose) {
        auto most = limit::kDhtQueriesInFlight;
        if (purpose != QueryPurpose::search) most += limit::kDhtUrgentInFlight;
        if (purpose == QueryPurpose::upkeep) most += limit::kDhtUpkeepInFlight;
        return most;
    }
    static std::size_t whole_queries(TokenBucket& bytes, TimePoint now) {
        return static_cast<std::size_t>(std::max(bytes.available(now), 0.0)) / kQueryBytes;
    }
    TokenBucket* share(QueryPurpose purpose) {
        if (purpose == QueryPurpose::search) return nullptr;
        return purpose == QueryPurpose::urgent ? &urgent_bytes_ : &upkeep_bytes_;
    }

    TokenBucket bytes_{limit::kDhtQueryBytesPerSecond, 2.0 * limit::kDhtQueryBytesPerSecond};
    TokenBucket urgent_bytes_{limit::kDhtUrgentBytesPerSecond, 2.0 * limit::kDhtUrgentBytesPerSecond};
    TokenBucket upkeep_bytes_{limit::kDhtUpkeepBytesPerSecond, 2.0 * limit::kDhtUpkeepBytesPerSecond};
};

}  // namespace rqfs::torrent
