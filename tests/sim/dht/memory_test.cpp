#include "tests/torrent/dht/bytes.h"
#include "torrent/dht/node_id.h"
#include "torrent/dht/peer_store.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <random>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

// Counted by malloc: its own heads included, what it keeps from the system beside them not.
std::size_t allocated() {
    auto const info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

std::size_t of_the_system() {
    auto const info = mallinfo2();
    return info.arena + info.hblkhd;
}

struct DhtMemory : testing::Test {
    std::mt19937 random{1};
    NodeId own = tests::random_id(random);
    TimePoint now{1000h};
    PeerStore store;
};

// A node beside it may take 1 MB: dht_test.cpp.
TEST_F(DhtMemory, AFullPeerStoreTakesLessThan31Megabytes) {
    std::vector<InfoHash> torrents(limit::kDhtStoredHashes);
    for (auto& each : torrents) each = tests::random_id(random).info_hash();
    auto const before = allocated();
    auto const system_before = of_the_system();

    // As they come: now to this torrent, now to that.
    std::uint32_t n = 0;
    for (std::size_t k = 0; k < limit::kDhtStoredPeers; ++k)
        for (auto const& each : torrents) store.announce(own, each, tests::nth_endpoint(n++), false, now);

    auto const taken = allocated() - before;
    auto const of_system = of_the_system() - system_before;
    std::cout << store.peers() << " peers: " << taken << " bytes, " << of_system << " of the system\n";
    EXPECT_EQ(store.torrents(), limit::kDhtStoredHashes);
    EXPECT_EQ(store.peers(), limit::kDhtStoredHashes * limit::kDhtStoredPeers);
    EXPECT_LT(taken, 31u << 20);
    EXPECT_LT(of_system, 32u << 20);
}

TEST_F(DhtMemory, AFullPeerStoreTakesNoMoreForWhatStillComes) {
    std::uint32_t n = 0;
    auto const one = tests::random_id(random).info_hash();
    auto const announce_much = [&] {
        for (int i = 0; i < 1'000; ++i) store.announce(own, one, tests::nth_endpoint(n++), false, now);
        for (int i = 0; i < 50'000; ++i)
            store.announce(own, tests::random_id(random).info_hash(), tests::nth_endpoint(n++), false, now);
    };
    announce_much();
    auto const before = allocated();

    for (int i = 0; i < 20; ++i) announce_much();

    EXPECT_LE(store.torrents(), limit::kDhtStoredHashes);
    EXPECT_LT(allocated(), before + (1u << 20)) << "after a million announcements";
}

}  // namespace
}  // namespace rqfs::torrent
