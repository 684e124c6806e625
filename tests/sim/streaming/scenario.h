#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::tests {

// A swarm, our link and a player: what a simulated run is about. Bytes, seconds, bytes a second. The defaults are the
// default scenario; a share is of the peers, from 0 to 1.
struct Scenario {
    struct Seed {
        double bytes;  // a second
        double trip;   // seconds there and back
    };

    std::string name = "default";
    std::uint32_t peers = 30;
    double peer_bytes = 120e3;   // median of the peers' mean rates, which are distributed log-normally
    std::vector<Seed> seeds;     // instead of that: these peers, steady
    double down_bytes = 6.25e6;  // our link
    double film_bytes = 1e6;     // a second of film
    std::uint64_t file_bytes = 1u << 30;
    std::uint32_t piece_bytes = 2u << 20;
    double flaky = 0.3;            // stall for 1 to 8 s every now and then
    double have = 1;               // share of the pieces that a peer has
    double committed_seconds = 0;  // what a peer has in its buffers and a cancel does not reach

    double start_bytes = 2u << 20;  // what the player wants before it shows a picture
    double player_seconds = 10;     // of film that it keeps in hand
    bool index_at_end = false;      // it reads head and tail before it plays
    double seconds = 60;
    std::vector<double> seeks = {20, 40};  // when

    double stay_seconds = 0;  // mean stay of a peer, after which another one comes; 0: all stay
    double choking = 0;       // upload in turns, by the Choker, to us and others
    double silent = 0;        // say they have everything and send nothing
    double crawling = 0;      // send 100 bytes a second
    double flapping = 0;      // choke after a few blocks, again and again
    double rejecting = 0;     // reject every request
    double corrupting = 0;    // half of what they send is wrong
};

// The six scenarios that the picker was designed with, and those that came later.
Scenario default_scenario();
Scenario barely_enough();     // 12 peers
Scenario many_slow_peers();   // 70 of 20 KB/s
Scenario large_pieces();      // 8 MiB
Scenario incomplete_peers();  // 60 % of the pieces each
Scenario film_at_capacity();  // 2.5 MB/s
Scenario unequal_seeds();     // seven steady ones, 12.3 Mbit/s in all, with buffers as libtorrent's
Scenario leeching_swarm();    // most peers choke in turns, peers come and go
Scenario hostile_swarm();     // every second peer is no good

}  // namespace rqfs::tests
