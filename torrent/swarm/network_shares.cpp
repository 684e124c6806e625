#include "torrent/swarm/network_shares.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

namespace rqfs::torrent {

NetworkShares::Share NetworkShares::share_of(Endpoint const& endpoint, PeerSource source) {
    auto const bytes = endpoint.address.bytes();
    if (!endpoint.address.is_v6()) return {Address::v4({bytes[0], bytes[1], bytes[2], 0}), source};
    std::array<std::uint8_t, 16> network{};
    std::copy_n(bytes.begin(), 8, network.begin());
    return {Address::v6(network), source};
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
