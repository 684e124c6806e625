#include "torrent/swarm/eviction_order.h"

namespace rqfs::torrent {

std::optional<Endpoint> EvictionOrder::first() const {
    if (peers_.empty()) return std::nullopt;
    return std::get<Endpoint>(*peers_.begin());
}

EvictionOrder::Worth EvictionOrder::worth(KnownPeer const& peer) {
    return {~peer.failures, peer.last_useful.value_or(peer.added), peer.endpoint};
}

}  // namespace rqfs::torrent
