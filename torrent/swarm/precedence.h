#pragma once

#include "torrent/info_hash.h"
#include "torrent/swarm/rate_meter.h"
#include "torrent/units.h"

#include <cstdint>
#include <map>

namespace rqfs::torrent {

// Players of one torrent before copies and downloads of another: one torrent's picker puts its own readers in order,
// but knows nothing of the others that share the way in.
//
// While players lack what they show next, torrents without such players leave them half as much again as they play, of
// what the session has lately received, and keep a seventh of it whatever happens. A player whose own swarm is slow
// therefore costs the others little. Pure; one a session, told by every torrent a few times a second.
class Precedence {
public:
    // What players of this torrent lack now, bytes a second that they play; 0: nothing.
    void need(InfoHash const& torrent, double bytes_per_second);
    // Of all torrents, since the session's start.
    void received(std::uint64_t total_bytes, TimePoint now);
    void left(InfoHash const& torrent) { needs_.erase(torrent); }

    // How fast this torrent may be fetched, bytes a second; 0: as fast as it can be.
    std::uint64_t allowance(InfoHash const& torrent) const;

private:
    std::map<InfoHash, double> needs_;  // those that are not 0
    RateMeter received_;
    TimePoint noted_{};
    double capacity_ = 0;  // the best rate of late: it halves in a minute
};

}  // namespace rqfs::torrent
