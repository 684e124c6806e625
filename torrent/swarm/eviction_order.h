#pragma once

#include "torrent/endpoint.h"
#include "torrent/swarm/known_peer.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>

namespace rqfs::torrent {

// Which address a full PeerList does without first: the one that failed most often, then the one that was of use, or
// learnt, longest ago. Strangers name addresses by the thousand, so each costs a look into an ordered set and not into
// the whole list. Pure; owned by PeerList, which puts every evictable peer in and takes it out before it changes.
class EvictionOrder {
public:
    void put(KnownPeer const& peer) { peers_.insert(worth(peer)); }
    void take_out(KnownPeer const& peer) { peers_.erase(worth(peer)); }  // nothing where it is not in
    std::optional<Endpoint> first() const;
    std::size_t size() const { return peers_.size(); }

private:
    using Worth = std::tuple<std::uint32_t, TimePoint, Endpoint>;  // smaller is evicted first

    static Worth worth(KnownPeer const& peer);

    std::set<Worth> peers_;
};

}  // namespace rqfs::torrent
