#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/node_id.h"
#include "torrent/dht/peer_store.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <random>
#include <span>
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

// A node beside it may take 1 MB.
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

struct IdleNode : tests::DhtOnFakeUdp {
    IdleNode() {
        options.random = DhtRandom([this](std::span<std::byte> bytes) {
            for (auto& each : bytes) each = static_cast<std::byte>(random() & 0xff);
        });
    }
    void forget_datagrams() {
        udp.sent.clear();
        udp.sent.shrink_to_fit();
    }
};

// All but its peer store: the table, and what is remembered of strangers and of nodes that answered.
TEST_F(IdleNode, WhoseTablesAreFullTakesLessThanAMegabyte) {
    living_nodes = 50'000;
    everybody_answers();
    std::size_t most = 0;
    auto const before = allocated();
    auto const measure = [&] {
        forget_datagrams();
        most = std::max(most, allocated() - before);
    };
    start();
    dht->add_node(tests::nth_endpoint(5));

    for (int minute = 0; minute < 120; ++minute, measure()) run(1min);
    for (std::uint32_t i = 0; i < 4'000; ++i) {
        udp.inject(tests::nth_endpoint(100'000 + i), ask(KrpcMethod::find_node));
        if (i % 50 == 0) run(1s);
        if (i % 500 == 0) measure();
    }
    run(1min);
    measure();

    auto const status = dht->status().front();
    std::cout << status.good << " nodes, " << status.replacements << " in waiting: " << most << " bytes\n";
    EXPECT_GE(status.good, 250u);
    EXPECT_LT(most, 1u << 20);
}

}  // namespace
}  // namespace rqfs::torrent
