// What the DHT's schedule costs where there are many torrents; in wakes, which each look at every search.
#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::nth_endpoint;
using tests::random_id;

constexpr std::size_t kTorrents = 1'000;

struct ScheduleCost : tests::DhtOnFakeUdp {
    std::vector<std::unique_ptr<Dht::Search>> searches;

    ~ScheduleCost() override { searches.clear(); }

    // Nobody is known, so that nothing happens but what the torrents' ticks make happen.
    void many_torrents() {
        start();
        for (std::size_t i = 0; i < kTorrents; ++i) {
            searches.push_back(dht->find_peers(random_id(random).info_hash(), [](auto const&) {}));
            searches.back()->announce({6881, 6881}, false);
        }
        run(1s);
    }
    // Each says again what it said, one after the other, ten times; how many waits that makes the Dht begin.
    std::size_t waits_of_ticks(bool hurried) {
        auto const before = clock.waits();
        for (int tick = 0; tick < 10; ++tick)
            for (auto const& search : searches) {
                search->announce({6881, 6881}, false);
                if (hurried) search->hurry();
                run(100us);
            }
        return clock.waits() - before;
    }
};

TEST_F(ScheduleCost, TicksOfTorrentsThatChangeNothingWakeNobody) {
    many_torrents();

    auto const waits = waits_of_ticks(false);

    EXPECT_LE(waits, 10u) << "in a second, of 10,000 ticks";
}

TEST_F(ScheduleCost, TorrentsThatAreWaitedForWakeItOnceEach) {
    many_torrents();

    auto const waits = waits_of_ticks(true);

    EXPECT_LE(waits, kTorrents + 10u) << "in a second, of 10,000 ticks";
}

TEST_F(ScheduleCost, WhatIsAnnouncedAnewWakesIt) {
    everybody_answers();
    start();
    dht->add_node(nth_endpoint(0));
    run(1min);
    searches.push_back(dht->find_peers(random_id(random).info_hash(), [](auto const&) {}));
    run(1min);
    ASSERT_EQ(sent_of(KrpcMethod::announce_peer), 0u);

    searches.back()->announce({6881, 6881}, true);
    run(10s);

    EXPECT_GE(sent_of(KrpcMethod::announce_peer), 8u);
}

}  // namespace
}  // namespace rqfs::torrent
