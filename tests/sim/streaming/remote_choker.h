#pragma once

#include "tests/sim/streaming/random.h"
#include "torrent/swarm/choker.h"
#include "torrent/units.h"

#include <cstdint>
#include <vector>

namespace rqfs::tests {

// The real Choker at a simulated peer's side: we and others who are made up want its slots, and we give it nothing.
// Times are seconds since the run began.
class RemoteChoker {
public:
    RemoteChoker(Random& random, bool seeding, double joined);

    bool unchoked(double now);  // we are, from now on
    void sent(double bytes) { round_bytes_ += bytes; }

private:
    void decide(double now);

    std::vector<torrent::ChokerPeer> peers_;  // we come first
    torrent::Choker choker_;
    torrent::Choker::Rules rules_;
    double next_round_;
    double round_bytes_ = 0;
};

}  // namespace rqfs::tests
