#pragma once

#include "torrent/endpoint.h"
#include "torrent/peer/pex_message.h"

#include <set>
#include <span>

namespace rqfs::torrent {

// What one peer has been told of the others, from which follows what the next message to it says. Pure.
class PexNews {
public:
    // `connected`: whom it may be told of now, the most useful first. At most limit::kPexPeersPerMessage are added and
    // as many dropped, more are left for the next time; only the first message that says anything may add
    // limit::kPexPeersInFirstMessage (BEP 11). Empty when there is nothing to say.
    PexMessage next(std::span<PexPeer const> connected);

private:
    std::set<Endpoint> told_;
    bool first_ = true;
};

}  // namespace rqfs::torrent
