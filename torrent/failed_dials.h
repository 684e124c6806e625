#pragma once

#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/unreached_peer.h"

#include <map>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Why peers that the user named were not to be had when they were dialled last. Part of the SessionContext; engine
// thread only.
class FailedDials {
public:
    void failed(InfoHash const& torrent, Endpoint const& peer, std::string why);
    void forget(InfoHash const& torrent, Endpoint const& peer);
    void forget(InfoHash const& torrent);
    std::vector<UnreachedPeer> of(InfoHash const& torrent) const;

private:
    std::map<InfoHash, std::map<Endpoint, std::string>> torrents_;
};

}  // namespace rqfs::torrent
