#include "torrent/swarm/network_shares.h"

#include "torrent/address_network.h"

#include <cassert>

namespace rqfs::torrent {

NetworkShares::Share NetworkShares::share_of(Endpoint const& endpoint, PeerSource source) {
    return {network_of(endpoint.address), source};
}

void NetworkShares::add(Endpoint const& endpoint, PeerSource source) {
    if (source != PeerSource::user) ++shares_[share_of(endpoint, source)];
}

void NetworkShares::take_back(KnownPeer const& peer) {
    for (auto const source : kPeerSources) {
        if (source == PeerSource::user || !peer.sources.contains(source)) continue;
        auto const share = shares_.find(share_of(peer.endpoint, source));
        assert(share != shares_.end());
        if (--share->second == 0) shares_.erase(share);
    }
}

std::size_t NetworkShares::of(Endpoint const& endpoint, PeerSource source) const {
    auto const share = shares_.find(share_of(endpoint, source));
    return share == shares_.end() ? 0 : share->second;
}

}  // namespace rqfs::torrent
