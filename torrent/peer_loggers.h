#pragma once

#include "torrent/endpoint.h"
#include "torrent/settings.h"

#include <spdlog/logger.h>

#include <map>
#include <memory>

namespace rqfs::torrent {

// The loggers that the user wants for single peers of a torrent, by address, whether they are connected or not: a peer that comes back
// is logged as before. At most limit::kPeerLogLevels. Owned by Connections.
class PeerLoggers {
public:
    using Logger = std::shared_ptr<spdlog::logger>;

    bool contains(Endpoint const& peer) const { return loggers_.contains(peer); }
    // A null logger takes it back. False when there are too many.
    bool set(Endpoint const& peer, Logger logger);
    // Of a peer by the address that it listens at or speaks from; `otherwise` for all whom the user has not named.
    Logger const& of(Endpoint const& listed, Endpoint const& remote, Logger const& otherwise) const;

private:
    std::map<Endpoint, Logger> loggers_;
};

}  // namespace rqfs::torrent
