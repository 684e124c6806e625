#pragma once

#include "tests/sim/streaming/random.h"
#include "tests/sim/streaming/scenario.h"
#include "tests/sim/streaming/simulated_peer.h"
#include "tests/sim/streaming/simulated_player.h"
#include "tests/sim/streaming/streamer.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/units.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace rqfs::tests {

// A film played over a swarm in made-up time: peers, one shared down link, a player, and between them a Streamer.
//
// A step is 10 ms; everything follows from the seed, and nothing sleeps.
class SimulatedSwarm {
public:
    using MakeStreamer =
        std::function<std::unique_ptr<Streamer>(torrent::PieceLayout const&, Scenario const&, std::uint64_t seed)>;
    struct Result {
        double start = 0;  // seconds
        double seek = 0;   // mean of the seeks
        double worst_seek = 0;
        double stall = 0;      // seconds without a picture after the start
        double waited = 0;     // start, seeks and stalls together
        double waste = 0;      // share of the received bytes that came twice or too late
        double abandoned = 0;  // that were thrown away with an unfinished piece
        double failed = 0;     // and with one whose hash was wrong
        double unread = 0;     // that the player never read
        double rate = 0;       // bytes a second received
        std::uint32_t honest_banned = 0;
        std::uint32_t liars_banned = 0;
    };

    SimulatedSwarm(Scenario const& scenario, MakeStreamer const& make, std::uint64_t seed);
    Result run();

private:
    void join(double now);
    void move_network();
    bool hand_over(SimulatedPeer& peer);
    void remove(torrent::PeerHandle peer);
    void plan();

    Scenario scenario_;
    std::uint64_t seed_;
    Random random_;
    torrent::PieceLayout layout_;
    std::unique_ptr<Streamer> streamer_;
    SimulatedPlayer player_;
    std::vector<std::unique_ptr<SimulatedPeer>> peers_;
    std::deque<double> joins_;  // when others come for those who left
    std::uint32_t peers_seen_ = 0;
    double time_ = 0;
    double next_plan_ = 0;
    bool events_ = true;
    std::uint64_t received_ = 0;
    std::uint64_t useless_ = 0;
    Result result_;
};

}  // namespace rqfs::tests
