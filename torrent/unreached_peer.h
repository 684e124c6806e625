#pragma once

#include "torrent/endpoint.h"

#include <string>

namespace rqfs::torrent {

// A peer that the user named and that is not connected.
struct UnreachedPeer {
    Endpoint endpoint;
    std::string message;  // why, as a sentence
};

}  // namespace rqfs::torrent
