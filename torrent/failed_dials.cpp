#include "torrent/failed_dials.h"

#include "torrent/limits.h"

#include <utility>

namespace rqfs::torrent {

void FailedDials::failed(InfoHash const& torrent, Endpoint const& peer, std::string why) {
    auto& peers = torrents_[torrent];
    if (peers.size() >= limit::kMagnetPeers && !peers.contains(peer)) peers.erase(peers.begin());
    peers[peer] = std::move(why);
}

void FailedDials::forget(InfoHash const& torrent, Endpoint const& peer) {
    auto const found = torrents_.find(torrent);
    if (found != torrents_.end()) found->second.erase(peer);
}

void FailedDials::forget(InfoHash const& torrent) { torrents_.erase(torrent); }

std::vector<UnreachedPeer> FailedDials::of(InfoHash const& torrent) const {
    std::vector<UnreachedPeer> all;
    auto const found = torrents_.find(torrent);
    if (found == torrents_.end()) return all;
    for (auto const& [endpoint, why] : found->second) all.push_back({endpoint, why});
    return all;
}

}  // namespace rqfs::torrent
