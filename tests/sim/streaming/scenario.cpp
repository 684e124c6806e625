#include "tests/sim/streaming/scenario.h"

namespace rqfs::tests {

Scenario default_scenario() { return {}; }

Scenario barely_enough() {
    Scenario scenario;
    scenario.name = "barely-enough";
    scenario.peers = 12;
    scenario.peer_bytes = 100e3;
    return scenario;
}

Scenario many_slow_peers() {
    Scenario scenario;
    scenario.name = "many-slow-peers";
    scenario.peers = 70;
    scenario.peer_bytes = 20e3;
    return scenario;
}

Scenario large_pieces() {
    Scenario scenario;
    scenario.name = "large-pieces";
    scenario.piece_bytes = 8u << 20;
    return scenario;
}

Scenario incomplete_peers() {
    Scenario scenario;
    scenario.name = "incomplete-peers";
    scenario.have = 0.6;
    return scenario;
}

Scenario film_at_capacity() {
    Scenario scenario;
    scenario.name = "film-at-capacity";
    scenario.film_bytes = 2.5e6;
    return scenario;
}

Scenario unequal_seeds() {
    Scenario scenario;
    scenario.name = "unequal-seeds";
    scenario.seeds = {{500e3, 0.036}, {375e3, 0.056},  {250e3, 0.076}, {187.5e3, 0.106},
                      {125e3, 0.136}, {62.5e3, 0.176}, {37.5e3, 0.046}};
    scenario.film_bytes = 1u << 20;
    scenario.file_bytes = 150'000'000;
    scenario.piece_bytes = 1u << 20;
    scenario.flaky = 0;
    scenario.committed_seconds = 0.9;  // half a second in libtorrent's buffer, twice a queue of 0.2 s in the kernel's
    scenario.start_bytes = 1u << 20;
    scenario.player_seconds = 8;
    scenario.index_at_end = true;
    scenario.seconds = 40;
    scenario.seeks = {17, 24, 31};
    return scenario;
}

Scenario leeching_swarm() {
    Scenario scenario;
    scenario.name = "leeching-swarm";
    scenario.peers = 40;
    scenario.have = 0.8;
    scenario.choking = 0.7;
    scenario.stay_seconds = 40;
    scenario.committed_seconds = 0.5;
    return scenario;
}

Scenario hostile_swarm() {
    Scenario scenario;
    scenario.name = "hostile-swarm";
    scenario.peers = 40;
    scenario.silent = 0.1;
    scenario.crawling = 0.1;
    scenario.flapping = 0.1;
    scenario.rejecting = 0.1;
    scenario.corrupting = 0.1;
    return scenario;
}

}  // namespace rqfs::tests
