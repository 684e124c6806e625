#pragma once

#include <cstddef>

namespace rqfs::torrent {

// What a torrent has of peers, from which follows whether trackers are asked for more. Pure.
struct PeerSupply {
    bool somebody_waits = false;
    bool complete = false;  // we look for those who want what we have
    std::size_t connected = 0;
    std::size_t connections = 0;  // as many as the torrent may have
    std::size_t idle = 0;         // addresses that wait to be dialled

    // Nobody who waits goes without. Else enough is: every connection taken and an announce's worth of addresses in
    // hand, or, where everything is here, as many connections as an idle torrent keeps.
    bool wants_more() const;
};

}  // namespace rqfs::torrent
