#pragma once

#include "tests/sim/streaming/simulated_swarm.h"

#include <string>
#include <vector>

namespace rqfs::tests {

// The policies of other programs that rqfs is compared with.
struct NamedStreamer {
    std::string name;
    SimulatedSwarm::MakeStreamer make;
};

// Sequential, rarest-first, libtorrent's time-critical pass, and whole pieces of one peer each.
std::vector<NamedStreamer> competitors();

}  // namespace rqfs::tests
