#pragma once

#include "torrent/endpoint.h"
#include "torrent/limits.h"
#include "torrent/swarm/peer_source.h"
#include "torrent/units.h"

#include <cstdint>
#include <optional>

namespace rqfs::torrent {

// An address of a torrent's swarm, connected or not.
struct KnownPeer {
    enum class State { idle, dialling, connected };

    Endpoint endpoint;
    PeerSources sources;
    State state = State::idle;
    std::uint32_t failures = 0;  // in a row; a useful connection ends the row
    std::uint32_t hang_ups = 0;  // the same, of connections that ended at once and brought nothing
    bool seed = false;           // had everything when we last saw it
    bool giver = false;          // sent us data in its last connection
    TimePoint added{};
    std::optional<TimePoint> last_useful;  // when a connection that brought or took data ended
    std::optional<TimePoint> last_try;     // when it was last dialled or connected
    TimePoint next_dial{};                 // not before
    std::uint32_t priority = 0;            // BEP 40, with our own address
    std::optional<Endpoint> twin;          // the same peer's address in the other family, known too

    bool user() const { return sources.contains(PeerSource::user); }
    // Dialled in vain limit::kMaxDialFailures times (a giver twice as often, for it is sooner dialled again): kept only
    // as a mark, so that a tracker or PEX cannot make us dial it for ever.
    bool given_up() const { return !user() && failures >= limit::kMaxDialFailures * (giver ? 2 : 1); }
};

}  // namespace rqfs::torrent
