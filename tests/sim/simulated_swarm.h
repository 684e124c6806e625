#pragma once

#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/units.h"

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace rqfs::tests {

// A film played over a swarm in made-up time: peers that serve what they are asked in order at rates that vary and
// stall, one shared down link, a player that starts, drains at its bit rate and seeks twice. It drives the real
// PiecePicker; nothing of it sleeps.
//
// A step is 10 ms; everything follows from the seed.
class SimulatedSwarm {
public:
    struct Scenario {
        std::uint32_t peers = 30;
        double peer_bytes = 120e3;   // mean of the median rates, bytes a second
        double down_bytes = 6.25e6;  // our link
        double film_bytes = 1e6;     // a second
        std::uint32_t piece_bytes = 2u << 20;
        double flaky = 0.3;             // share of the peers that stall for 1 to 8 s
        double have = 1;                // share of the pieces that a peer has
        double start_bytes = 2u << 20;  // what the player wants before it shows a picture
        double seconds = 60;
        std::vector<double> seeks = {20, 40};  // when
        bool want_all = false;                 // `download` runs as well
    };
    struct Result {
        double start = 0;  // seconds
        double seek = 0;   // mean of the two
        double stall = 0;  // seconds without a picture after the start
        double waste = 0;  // share of the received bytes that came twice or too late
        double rate = 0;   // bytes a second received
    };

    SimulatedSwarm(Scenario const& scenario, std::uint64_t seed);
    Result run();

private:
    struct Peer {
        torrent::PeerHandle handle;
        double base = 0;
        double trip = 0;  // seconds there and back
        double noise = 0;
        bool flaky = false;
        double stalled_until = 0;
        torrent::Bitfield pieces;
        struct Message {
            double at;
            torrent::PiecePicker::Order order;
        };
        std::deque<Message> coming;  // our messages on their way to it
        std::deque<torrent::BlockAddress> queue;
        double left = 0;  // bytes of the block it sends now
        bool sending = false;
        torrent::BlockAddress current;
        std::deque<std::pair<double, torrent::BlockAddress>> going;  // blocks on their way to us
        std::mt19937_64 random;
    };

    double uniform(std::mt19937_64& random);
    double normal(std::mt19937_64& random);
    torrent::TimePoint now() const;
    void make_peer(std::uint32_t number, std::uint64_t seed);
    double peer_rate(Peer& peer);
    void move_network();
    void arrive(Peer& peer);
    void play();
    void seek();
    void wish();
    void plan();

    Scenario scenario_;
    std::mt19937_64 random_;
    torrent::PieceLayout layout_;
    torrent::PiecePicker picker_;
    std::vector<Peer> peers_;
    double time_ = 0;
    double next_plan_ = 0;
    bool events_ = true;
    std::uint64_t received_ = 0;
    std::uint64_t position_ = 0;
    double buffered_ = 0;
    bool playing_ = false;
    bool blocked_ = false;
    double wished_at_ = -1;
    double seek_at_ = 0;
    std::vector<double> waits_;
    Result result_;
};

}  // namespace rqfs::tests
