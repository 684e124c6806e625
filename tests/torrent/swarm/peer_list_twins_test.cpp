#include "torrent/swarm/peer_list.h"

#include "tests/torrent/swarm/peer_list_fixture.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TEST(PeerListTwins, OfAPeerWithTwoAddressesBothAreDialledTogether) {
    auto peers = list();
    auto const v6 = at("[2600::1]:80");
    auto const v4 = at("1.2.3.4:80");
    peers.add(v6, PeerSource::tracker, kStart);
    peers.add(v4, PeerSource::pex, kStart);
    peers.same_peer(v6, v4);

    auto const first = peers.next(false, kStart);

    EXPECT_TRUE(first);
    EXPECT_EQ(peers.find(v6)->state, KnownPeer::State::dialling);
    EXPECT_EQ(peers.find(v4)->state, KnownPeer::State::dialling);
    EXPECT_FALSE(peers.next(false, kStart));
}

TEST(PeerListTwins, APeerConnectedAtOneOfItsAddressesIsNotDialledAtTheOther) {
    auto peers = list();
    auto const v6 = at("[2600::1]:80");
    auto const v4 = at("1.2.3.4:80");
    peers.add(v6, PeerSource::tracker, kStart);
    peers.connected(v6, kStart);
    peers.add(v4, PeerSource::pex, kStart);
    peers.same_peer(v6, v4);

    EXPECT_FALSE(peers.next(false, kStart));
    peers.disconnected(v6, true, kStart);
    EXPECT_EQ(peers.next(false, kStart), v4);
}

TEST(PeerListTwins, NoPeerMayHideAnAddressThatOthersName) {
    auto peers = list();
    auto const liar = at("[2600::1]:80");
    auto const victim = at("1.2.3.4:80");
    peers.add(liar, PeerSource::tracker, kStart);
    peers.connected(liar, kStart);
    peers.add(victim, PeerSource::pex, kStart);
    peers.same_peer(liar, victim);

    peers.add(victim, PeerSource::tracker, kStart);

    EXPECT_EQ(peers.next(false, kStart), victim);
}

TEST(PeerListTwins, TwoAddressesOfOneFamilyAreTwoPeers) {
    auto peers = list();
    peers.add(at("1.2.3.4:80"), PeerSource::tracker, kStart);
    peers.add(at("1.2.9.4:80"), PeerSource::pex, kStart);
    peers.same_peer(at("1.2.3.4:80"), at("1.2.9.4:80"));

    EXPECT_TRUE(peers.next(false, kStart));
    EXPECT_TRUE(peers.next(false, kStart));
}

TEST(PeerListTwins, AForgottenAddressLeavesItsTwinAlone) {
    auto peers = list();
    auto const v6 = at("[2600::1]:80");
    auto const v4 = at("1.2.3.4:80");
    peers.add(v6, PeerSource::tracker, kStart);
    peers.add(v4, PeerSource::pex, kStart);
    peers.same_peer(v6, v4);

    peers.ban(v4.address);

    EXPECT_FALSE(peers.find(v6)->twin);
    EXPECT_EQ(peers.next(false, kStart), v6);
}

TEST(PeerListTurnover, WhoWasSetAsideComesAfterWhoWaited) {
    auto peers = list();
    peers.add(far(1), PeerSource::tracker, kStart);
    peers.connected(far(1), kStart);
    EXPECT_FALSE(peers.somebody_waits(false, kStart));

    peers.add(far(2), PeerSource::tracker, kStart);
    EXPECT_TRUE(peers.somebody_waits(false, kStart));
    peers.disconnected(far(1), true, kStart);
    peers.set_aside(far(1), kStart);

    EXPECT_EQ(peers.next(false, kStart + 2min), far(2));
    EXPECT_FALSE(peers.next(false, kStart + 2min));
    EXPECT_FALSE(peers.somebody_waits(false, kStart + 2min));
    EXPECT_EQ(peers.next(false, kStart + PeerList::kSetAsideFor), far(1));
}

}  // namespace
}  // namespace rqfs::torrent
