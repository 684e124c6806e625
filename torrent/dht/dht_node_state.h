#pragma once

#include "torrent/dht/lookup.h"
#include "torrent/dht/node_id.h"
#include "torrent/dht/query_budget.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

namespace rqfs::torrent {

// What a DhtNode keeps of each thing under way. Plain values of the DhtNode.

using DhtSearchId = std::uint64_t;

// A search for a torrent's peers; the callbacks may cancel it.
struct DhtSearch {
    InfoHash info_hash;
    std::optional<std::uint16_t> announce;  // our port: announced to the nearest nodes at the end
    bool seed = false;
    std::optional<TimePoint> waited_for;  // since when somebody waits for it, who comes first; nobody
    std::function<void(std::vector<Endpoint> const&)> on_peers;  // not heard of in this search before
    std::function<void(std::size_t replies, std::size_t announces)> on_end;
};

// A query of ours that is not answered yet.
struct DhtQueryInFlight {
    Endpoint to;
    TimePoint sent;
    DhtSearchId lookup = 0;        // 0: none
    std::optional<NodeId> target;  // of find_node and get_peers
    bool announce = false;
    QueryPurpose purpose = QueryPurpose::search;
    bool both_families = false;  // nodes of both are wanted
};

// A lookup, for peers or for nodes.
struct DhtLookupRun {
    Lookup lookup;
    bool for_peers = false;
    DhtSearch search;
    std::set<Endpoint> peers;
    bool announcing = false;                 // the lookup is over
    std::vector<Lookup::Found> to_announce;  // those still to be told, nearest first
    std::size_t announces = 0;               // that were sent

    QueryPurpose purpose() const {
        if (!for_peers) return QueryPurpose::upkeep;
        return search.waited_for ? QueryPurpose::urgent : QueryPurpose::search;
    }
};

}  // namespace rqfs::torrent
