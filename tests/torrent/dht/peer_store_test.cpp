#include "torrent/dht/peer_store.h"

#include "tests/torrent/dht/bytes.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::endpoint;
using tests::nth_endpoint;
using tests::random_id;

struct Store : testing::Test {
    std::mt19937 random{1};
    NodeId own = random_id(random);
    InfoHash torrent = random_id(random).info_hash();
    TimePoint now{1000h};
    PeerStore store;

    bool announce(InfoHash const& info_hash, Endpoint const& peer, bool seed = false) {
        return store.announce(own, info_hash, peer, seed, now);
    }
};

TEST_F(Store, GivesWhatWasAnnounced) {
    announce(torrent, endpoint("20.0.0.1:6881"));
    announce(torrent, endpoint("[2600::1]:6882"));

    auto const peers = store.peers(torrent, 50, false, 0, now);

    EXPECT_EQ(peers, (std::vector{endpoint("20.0.0.1:6881"), endpoint("[2600::1]:6882")}));
    EXPECT_TRUE(store.peers(InfoHash(), 50, false, 0, now).empty());
}

TEST_F(Store, ForgetsAfterHalfAnHourUnlessAnnouncedAgain) {
    announce(torrent, nth_endpoint(1));
    announce(torrent, nth_endpoint(2));
    now += 20min;
    announce(torrent, nth_endpoint(2));
    now += 11min;

    EXPECT_EQ(store.peers(torrent, 50, false, 0, now), std::vector{nth_endpoint(2)});
    store.expire(now);
    EXPECT_EQ(store.peers(), 1u);
    now += 30min;
    store.expire(now);
    EXPECT_EQ(store.torrents(), 0u);
    EXPECT_EQ(store.peers(), 0u);
}

TEST_F(Store, LeavesOutSeedsWhereNobodyWantsThem) {
    announce(torrent, nth_endpoint(1), true);
    announce(torrent, nth_endpoint(2), false);

    EXPECT_EQ(store.peers(torrent, 50, true, 0, now), std::vector{nth_endpoint(2)});
    auto const filters = store.scrape(torrent, now);
    ASSERT_TRUE(filters);
    EXPECT_NEAR(filters->seeds.estimate(), 1, 0.1);
    EXPECT_NEAR(filters->downloaders.estimate(), 1, 0.1);
}

TEST_F(Store, KeepsFourPortsOfAnAddress) {
    for (std::uint16_t port = 1; port <= 100; ++port) announce(torrent, {nth_endpoint(1).address, port});

    EXPECT_EQ(store.peers(), limit::kDhtStoredPeersPerAddress);
}

TEST_F(Store, KeepsFourPeersOfAHouseholdOfIPv6) {
    for (std::uint8_t host = 1; host <= 100; ++host)
        announce(torrent, {Address::v6({0x26, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, host}), 6881});
    announce(torrent, endpoint("[2600:1:0:2::1]:6881"));

    EXPECT_EQ(store.peers(), limit::kDhtStoredPeersPerAddress + 1);
}

TEST_F(Store, KeepsTwoOfAHouseholdThatHaveTheSamePort) {
    announce(torrent, endpoint("[2600::1]:6881"));
    announce(torrent, endpoint("[2600::2]:6881"));
    announce(torrent, endpoint("[2600::1]:6881"));

    auto const peers = store.peers(torrent, 50, false, 0, now);
    EXPECT_EQ(peers, (std::vector{endpoint("[2600::1]:6881"), endpoint("[2600::2]:6881")}));
}

TEST_F(Store, KeepsTheLatestOfTooManyPeers) {
    for (std::uint32_t i = 0; i < 600; ++i) {
        announce(torrent, nth_endpoint(i));
        now += 1s;
    }

    EXPECT_EQ(store.peers(), limit::kDhtStoredPeers);
    auto const peers = store.peers(torrent, 1000, false, 0, now);
    std::set<Endpoint> const all(peers.begin(), peers.end());
    EXPECT_FALSE(all.contains(nth_endpoint(99)));
    EXPECT_TRUE(all.contains(nth_endpoint(100)) && all.contains(nth_endpoint(599)));
}

TEST_F(Store, KeepsTheTorrentsNearestToUsOfTooMany) {
    auto const near = id_at_distance(own, 100, random_id(random)).info_hash();
    announce(near, nth_endpoint(1));
    for (std::uint32_t i = 0; i < 5'000; ++i) announce(random_id(random).info_hash(), nth_endpoint(i));

    EXPECT_EQ(store.torrents(), limit::kDhtStoredHashes);
    EXPECT_EQ(store.peers(), limit::kDhtStoredHashes);
    EXPECT_FALSE(store.peers(near, 1, false, 0, now).empty());
    EXPECT_FALSE(announce(id_at_distance(own, 0, random_id(random)).info_hash(), nth_endpoint(1)));
}

TEST_F(Store, GivesOthersEachTime) {
    for (std::uint32_t i = 0; i < 500; ++i) announce(torrent, nth_endpoint(i));
    std::set<Endpoint> seen;
    for (std::uint64_t i = 0; i < 200; ++i)
        for (auto const& peer : store.peers(torrent, 50, false, i * 7919, now)) seen.insert(peer);

    EXPECT_EQ(seen.size(), 500u);
}

TEST_F(Store, SamplesWhatItHas) {
    EXPECT_TRUE(store.sample(20, 5).empty());
    for (std::uint32_t i = 0; i < 5; ++i) announce(random_id(random).info_hash(), nth_endpoint(i));

    auto const few = store.sample(3, 4);
    auto const all = store.sample(20, 4);

    EXPECT_EQ(few.size(), 3u);
    EXPECT_EQ(std::set(all.begin(), all.end()).size(), 5u);
}

}  // namespace
}  // namespace rqfs::torrent
