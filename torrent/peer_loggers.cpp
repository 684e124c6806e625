#include "torrent/peer_loggers.h"

#include <utility>

namespace rqfs::torrent {

bool PeerLoggers::set(Endpoint const& peer, Logger logger) {
    if (!logger) {
        loggers_.erase(peer);
        return true;
    }
    if (!contains(peer) && loggers_.size() >= limit::kPeerLogLevels) return false;
    loggers_[peer] = std::move(logger);
    return true;
}

PeerLoggers::Logger const& PeerLoggers::of(Endpoint const& listed, Endpoint const& remote, Logger const& otherwise) const {
    auto found = loggers_.find(listed);
    if (found == loggers_.end()) found = loggers_.find(remote);
    return found == loggers_.end() ? otherwise : found->second;
}

}  // namespace rqfs::torrent
