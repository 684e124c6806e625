// The network is gone for a while, and comes back.
#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/dht_state.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/units.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::nth_endpoint;
using tests::random_id;

struct Outage : tests::DhtOnFakeUdp {
    // Ten seconds between attempts to reach anybody, a lookup on its way at worst, and the search.
    static constexpr Duration kBound = 15s;

    std::size_t peers = 0;
    std::unique_ptr<Dht::Search> search;

    ~Outage() override { search.reset(); }

    static std::vector<std::byte> some_nodes(std::uint32_t count) {
        DhtState state;
        for (std::uint32_t i = 0; i < count; ++i)
            state.nodes.push_back({secure_node_id(nth_endpoint(i).address, NodeId()), nth_endpoint(i)});
        return state.encode();
    }
    void look_for_peers() {
        search = dht->find_peers(random_id(random).info_hash(), [this](auto const& found) { peers += found.size(); });
    }
    void somebody_waits(Duration time) {
        for (auto const end = clock.now() + time; clock.now() < end; run(std::min<Duration>(time, 1s))) search->hurry();
    }
    // How long after the line is back peers are found; somebody waits.
    std::optional<Duration> time_to_peers() {
        line_is_up = true;
        auto const back = clock.now();
        while (clock.now() - back < 20min) {
            if (peers > 0) return clock.now() - back;
            somebody_waits(100ms);
        }
        return std::nullopt;
    }
};

TEST_F(Outage, WhoWaitsIsServedSoonAfterItHoweverLongItWas) {
    for (Duration const outage : std::vector<Duration>{1min, 7min, 20min, 1h, 3h}) {
        line_is_up = true;
        everybody_answers();
        start(some_nodes(100));
        run(1h);
        line_is_up = false;
        peers = 0;
        look_for_peers();
        somebody_waits(outage);

        auto const time = time_to_peers();
        search.reset();
        stop();

        ASSERT_TRUE(time) << "after " << outage / 1s << " s";
        EXPECT_LE(*time, kBound) << "after " << outage / 1s << " s";
    }
}

TEST_F(Outage, WhoBeginsToWaitAfterwardsIsServedAtOnce) {
    everybody_answers();
    start(some_nodes(100));
    look_for_peers();
    run(1h);
    line_is_up = false;
    run(3h);
    peers = 0;

    auto const time = time_to_peers();

    ASSERT_TRUE(time);
    EXPECT_LE(*time, kBound);
}

TEST_F(Outage, AtTheStartIsNoDifferentWithTheNodesOfTheLastRun) {
    everybody_answers();
    line_is_up = false;
    start(some_nodes(100));
    look_for_peers();
    somebody_waits(1h);

    auto const time = time_to_peers();

    ASSERT_TRUE(time);
    EXPECT_LE(*time, kBound);
}

TEST_F(Outage, RoutersAreFoundWhenNobodyElseIsLeft) {
    options.routers = {"router.example:6881"};
    everybody_answers();
    start();
    look_for_peers();
    somebody_waits(1h);
    names.known["router.example"] = {nth_endpoint(9).address};

    auto const time = time_to_peers();

    ASSERT_TRUE(time);
    EXPECT_LE(*time, kBound);
}

TEST_F(Outage, WhenItIsOverTheNodesAreKnownAgain) {
    everybody_answers();
    start(some_nodes(100));
    run(1h);
    auto const before = dht->status().front().good;
    line_is_up = false;
    run(6h);
    line_is_up = true;

    run(30min);

    EXPECT_GE(dht->status().front().good, before * 9 / 10);
}

TEST_F(Outage, DoesNotMakeUsShout) {
    everybody_answers();
    start(some_nodes(100));
    run(1h);
    line_is_up = false;
    std::vector<std::unique_ptr<Dht::Search>> searches;
    for (int i = 0; i < 100; ++i)
        searches.push_back(dht->find_peers(random_id(random).info_hash(), [](auto const&) {}));
    run(1h);
    auto const before = dht->status().front().sent_bytes;

    run(1h);

    EXPECT_LE((dht->status().front().sent_bytes - before) / 3600, 1'000u) << "bytes a second";
}

}  // namespace
}  // namespace rqfs::torrent
