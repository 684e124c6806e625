#include "torrent/swarm/peer_supply.h"

#include "torrent/limits.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

PeerSupply plenty() {
    PeerSupply supply;
    supply.connected = supply.connections = 80;
    supply.idle = limit::kNumWant;
    return supply;
}

TEST(PeerSupply, IsEnoughWhenEveryConnectionIsTakenAndAddressesAreInHand) { EXPECT_FALSE(plenty().wants_more()); }

TEST(PeerSupply, IsNotEnoughWithAConnectionFree) {
    auto supply = plenty();
    --supply.connected;

    EXPECT_TRUE(supply.wants_more());
}

TEST(PeerSupply, IsNotEnoughWithFewAddresses) {
    auto supply = plenty();
    --supply.idle;

    EXPECT_TRUE(supply.wants_more());
}

TEST(PeerSupply, IsNeverEnoughForWhoWaits) {
    auto supply = plenty();
    supply.somebody_waits = supply.complete = true;

    EXPECT_TRUE(supply.wants_more());
}

TEST(PeerSupply, OfASeedIsEnoughWithAnIdleTorrentsConnections) {
    PeerSupply supply;
    supply.complete = true;
    supply.connections = 80;

    supply.connected = limit::kIdleTorrentConnections - 1;
    EXPECT_TRUE(supply.wants_more());
    supply.connected = limit::kIdleTorrentConnections;
    EXPECT_FALSE(supply.wants_more());
}

}  // namespace
}  // namespace rqfs::torrent
