#include "torrent/swarm/peer_supply.h"

#include "torrent/limits.h"

namespace rqfs::torrent {

bool PeerSupply::wants_more() const {
    if (somebody_waits) return true;
    if (complete) return connected < limit::kIdleTorrentConnections;
    return connected < connections || idle < limit::kNumWant;
}

}  // namespace rqfs::torrent
