#pragma once

#include "torrent/endpoint.h"
#include "torrent/swarm/known_peer.h"
#include "torrent/swarm/peer_source.h"

#include <cstddef>
#include <map>
#include <utility>

namespace rqfs::torrent {

// How many addresses of one network, a /24 or (IPv6) a /64, which is what one household or one rented server has, each
// source has told a PeerList. The user's are not counted. Pure; owned by PeerList.
class NetworkShares {
public:
    void add(Endpoint const& endpoint, PeerSource source);
    void take_back(KnownPeer const& peer);  // what all its sources were counted for

    std::size_t of(Endpoint const& endpoint, PeerSource source) const;
    std::size_t size() const { return shares_.size(); }  // networks and sources that have any

private:
    using Share = std::pair<Address, PeerSource>;

    static Share share_of(Endpoint const& endpoint, PeerSource source);

    std::map<Share, std::size_t> shares_;  // never 0
};

}  // namespace rqfs::torrent
