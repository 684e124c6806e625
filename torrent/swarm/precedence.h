#pragma once

#include "torrent/info_hash.h"
#include "torrent/swarm/rate_meter.h"
#include "torrent/units.h"

#include <cstdint>
#include <map>
#include <optional>

namespace rqfs::torrent {

// Players of one torrent before copies and downloads of another: one torrent's picker puts its own readers in order,
// but knows nothing of the others that share the way in.
//
// While players lack what they show next, torrents without such players leave them half as much again as they play, of
// what the session has lately received, and keep a seventh of it whatever happens.
//
// What comes while others are held back does not show what could come, so they are held back further step by step and
// it is watched: where less comes in all because of that, the way in is not what the players lack, and the others have
// their share back for a minute. A player whose own swarm is slow thus costs the others at most a fifth more, for a
// quarter of the time. Pure; one a session, told by every torrent a few times a second.
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
    // Whether holding the others back leaves the players more.
    struct Trial {
        double capacity;  // at its begin
        double rate;      // the same
    };
    void try_less(double decayed, double rate, TimePoint now);

    std::map<InfoHash, double> needs_;  // those that are not 0
    RateMeter received_;
    TimePoint noted_{};
    double capacity_ = 0;  // the best rate of late: it halves in a minute
    std::optional<Trial> trial_;
    TimePoint limited_{};     // when somebody was held back last
    TimePoint rest_until_{};  // no trial before
};

}  // namespace rqfs::torrent
