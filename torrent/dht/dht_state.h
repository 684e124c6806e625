#pragma once

#include "torrent/dht/compact_nodes.h"
#include "torrent/dht/node_id.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// What of the DHT outlives a run, as bytes for the store: bencode, one version. Pure.
struct DhtState {
    std::optional<NodeId> id4;
    std::optional<NodeId> id6;
    std::vector<NodeContact> nodes;  // of both families, at most limit::kDhtSavedNodes each

    std::vector<std::byte> encode() const;
    // What an earlier state has and this one lacks comes behind it, as far as there is room.
    void add_missing(DhtState const& earlier);
    // Bytes that are damaged or of another version make an empty state; nodes are only ever asked, never believed.
    static DhtState parse(std::span<std::byte const> bytes);
};

}  // namespace rqfs::torrent
