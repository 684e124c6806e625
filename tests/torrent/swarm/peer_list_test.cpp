#include "torrent/swarm/peer_list.h"

#include "tests/torrent/swarm/peer_list_fixture.h"
#include "torrent/swarm/peer_priority.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TEST(PeerList, AnEmptyOneHasNobodyToDial) {
    auto peers = list();

    EXPECT_FALSE(peers.next(false, kStart));
    EXPECT_FALSE(peers.next_dial(false));
    EXPECT_EQ(peers.counts().known, 0u);
}

TEST(PeerList, DialsAnAddressOnceAtATime) {
    auto peers = list();
    EXPECT_TRUE(peers.add(at("1.2.3.4:80"), PeerSource::tracker, kStart));

    EXPECT_EQ(peers.next(false, kStart), at("1.2.3.4:80"));

    EXPECT_FALSE(peers.next(false, kStart));
    EXPECT_EQ(peers.find(at("1.2.3.4:80"))->state, KnownPeer::State::dialling);
}

TEST(PeerList, RemembersEverySourceOfAnAddress) {
    auto peers = list();
    peers.add(at("1.2.3.4:80"), PeerSource::tracker, kStart);
    peers.add(at("1.2.3.4:80"), PeerSource::pex, kStart);
    peers.add(at("1.2.3.4:80"), PeerSource::pex, kStart);

    auto const sources = peers.find(at("1.2.3.4:80"))->sources;
    EXPECT_TRUE(sources.contains(PeerSource::tracker));
    EXPECT_TRUE(sources.contains(PeerSource::pex));
    EXPECT_FALSE(sources.contains(PeerSource::user));
    EXPECT_EQ(PeerSources::from_bits(sources.bits()), sources);
    EXPECT_EQ(peers.counts().known, 1u);
}

TEST(PeerList, RefusesPortZero) {
    auto peers = list();

    EXPECT_FALSE(peers.add(at("1.2.3.4:0"), PeerSource::user, kStart));
}

TEST(PeerList, DialsTheUsersPeersFirst) {
    auto peers = list();
    for (std::uint32_t i = 0; i < 50; ++i) peers.add(far(i), PeerSource::tracker, kStart);
    peers.add(at("9.9.9.9:9"), PeerSource::user, kStart);

    EXPECT_EQ(peers.next(false, kStart), at("9.9.9.9:9"));
}

TEST(PeerList, DialsThoseThatNeverFailedBeforeOthers) {
    for (std::uint32_t failed = 0; failed < 2; ++failed) {
        auto peers = list();
        peers.add(far(0), PeerSource::tracker, kStart);
        peers.add(far(1), PeerSource::tracker, kStart);

        peers.failed(far(failed), kStart);

        EXPECT_EQ(peers.next(false, kStart + 10min), far(1 - failed));
        EXPECT_EQ(peers.next(false, kStart + 10min), far(failed));
    }
}

TEST(PeerList, DialsLocalPeersBeforeDistantOnes) {
    auto peers = list();
    for (std::uint32_t i = 0; i < 50; ++i) peers.add(far(i), PeerSource::tracker, kStart);
    peers.add(at("10.0.0.7:9"), PeerSource::lsd, kStart);

    EXPECT_EQ(peers.next(false, kStart), at("10.0.0.7:9"));
}

TEST(PeerList, DialsInTheOrderOfBep40WithOurExternalAddress) {
    auto peers = list();
    auto const own = at("81.2.3.4:6881");
    for (std::uint32_t i = 0; i < 100; ++i) peers.add(far(i), PeerSource::tracker, kStart);
    peers.set_external(own);

    std::vector<std::uint32_t> priorities;
    while (auto const next = peers.next(false, kStart)) priorities.push_back(peer_priority(own, *next));

    EXPECT_EQ(priorities.size(), 100u);
    EXPECT_TRUE(std::is_sorted(priorities.rbegin(), priorities.rend()));
}

TEST(PeerList, WithoutAnExternalAddressTheSeedMakesTheOrder) {
    auto const first_of = [](std::uint32_t seed) {
        PeerList peers({2000, 8, seed});
        for (std::uint32_t i = 0; i < 100; ++i) peers.add(far(i), PeerSource::tracker, kStart);
        return *peers.next(false, kStart);
    };

    EXPECT_EQ(first_of(0x01020304), first_of(0x01020304));
    EXPECT_NE(first_of(0x01020304), first_of(0x51627384));
}

TEST(PeerList, WaitsLongerAfterEveryFailure) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.next(false, kStart);

    peers.failed(far(0), kStart);
    EXPECT_FALSE(peers.next(false, kStart + 59s));
    EXPECT_EQ(peers.next_dial(false), kStart + 60s);
    EXPECT_TRUE(peers.next(false, kStart + 60s));

    peers.failed(far(0), kStart + 60s);
    EXPECT_FALSE(peers.next(false, kStart + 179s));
    EXPECT_TRUE(peers.next(false, kStart + 180s));
}

TEST(PeerList, WhoGaveUsDataIsDialledAgainSoon) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.next(false, kStart);
    peers.connected(far(0), kStart);

    peers.set_giver(far(0), true);
    peers.disconnected(far(0), true, kStart + 1min);

    EXPECT_EQ(peers.next_dial(false), kStart + 1min + 2500ms);
    EXPECT_EQ(peers.next(false, kStart + 1min + 2500ms), far(0));
    peers.failed(far(0), kStart + 63s);
    EXPECT_EQ(peers.next_dial(false), kStart + 68s) << "twice as long after the first failure";
}

TEST(PeerList, AGiverIsDialledSixTimesInVain) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.set_giver(far(0), true);
    auto now = kStart;
    unsigned dials = 0;

    for (int second = 0; second < 3600; ++second, now += 1s) {
        if (!peers.next(false, now)) continue;
        ++dials;
        peers.failed(far(0), now);
    }

    EXPECT_EQ(dials, 6u);
    EXPECT_EQ(peers.counts().known, 0u);
}

TEST(PeerList, WhoCutsUsOffWithoutDataIsNotDialledAgainSoon) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.set_giver(far(0), true);

    peers.set_giver(far(0), false);
    peers.disconnected(far(0), true, kStart);

    EXPECT_EQ(peers.next_dial(false), kStart + 60s);
}

TEST(PeerList, WhoHangsUpAtOnceIsWaitedForTwiceAsLongEachTimeAndNeverGivenUp) {
    for (auto const source : {PeerSource::user, PeerSource::tracker}) {
        auto peers = list();
        peers.add(far(0), source, kStart);
        auto now = kStart;
        std::vector<Duration> waits;

        for (int i = 0; i < 12; ++i) {
            ASSERT_EQ(peers.next(false, now), far(0)) << i;
            peers.connected(far(0), now);
            peers.hung_up(far(0), now);
            peers.retry_all(now, true);
            waits.push_back(*peers.next_dial(false) - now);
            now += waits.back();
        }

        EXPECT_EQ(waits[0], 5s);
        EXPECT_EQ(waits[1], 10s);
        EXPECT_EQ(waits[6], 320s);
        EXPECT_EQ(waits[11], 10min);
        EXPECT_EQ(peers.counts().known, 1u);
    }
}

TEST(PeerList, AUsefulConnectionEndsTheRowOfHangUps) {
    auto peers = list();
    peers.add(far(0), PeerSource::user, kStart);
    for (int i = 0; i < 5; ++i) peers.hung_up(far(0), kStart);
    peers.connected(far(0), kStart);

    peers.disconnected(far(0), true, kStart + 1h);

    EXPECT_EQ(peers.next_dial(false), kStart + 1h + 2500ms);
}

TEST(PeerList, WhenSomebodyWaitsOnlyThoseWhoHungUpAreLeftInPeace) {
    auto peers = list();
    for (std::uint32_t i = 0; i < 2; ++i) {
        peers.add(far(i), PeerSource::tracker, kStart);
        peers.next(false, kStart);
    }
    peers.failed(far(0), kStart);
    peers.hung_up(far(1), kStart);

    peers.retry_all(kStart + 1s, true);

    EXPECT_EQ(peers.next(false, kStart + 1s), far(0));
    EXPECT_FALSE(peers.next(false, kStart + 4s));
    EXPECT_EQ(peers.next(false, kStart + 5s), far(1));
}

TEST(PeerList, GivesUpAfterThreeFailuresWhoeverNamesTheAddressAgain) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    auto now = kStart;
    unsigned dials = 0;

    for (int minute = 0; minute < 50; ++minute, now += 1min) {
        peers.add(far(0), PeerSource::pex, now);
        peers.add(far(0), PeerSource::tracker, now);
        if (peers.next(false, now)) {
            ++dials;
            peers.failed(far(0), now);
        }
    }

    EXPECT_EQ(dials, limit::kMaxDialFailures);
    EXPECT_FALSE(peers.add(far(0), PeerSource::tracker, now));
    EXPECT_EQ(peers.counts().known, 0u);
    EXPECT_TRUE(peers.best(10).empty());
}

TEST(PeerList, WhoIsGivenUpWhileItIsConnectedIsNotDialledAgainWhateverItGaveUs) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.next(false, kStart);
    peers.connected(far(0), kStart);

    peers.give_up(far(0), kStart + 10s);
    peers.set_giver(far(0), true);
    peers.disconnected(far(0), true, kStart + 10s);

    EXPECT_TRUE(peers.find(far(0))->given_up());
    EXPECT_EQ(peers.next(false, kStart + 30min), std::nullopt);
}

TEST(PeerList, AGivenUpAddressMayBeLearntAnewAfterAnHour) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    for (int i = 0; i < 3; ++i) peers.failed(far(0), kStart);

    EXPECT_FALSE(peers.add(far(0), PeerSource::tracker, kStart + 30min));
    EXPECT_TRUE(peers.add(far(0), PeerSource::tracker, kStart + 2h));

    EXPECT_EQ(peers.next(false, kStart + 2h), far(0));
}

TEST(PeerList, AGivenUpAddressIsLearntAnewThoughMarksWereForgottenAMomentBefore) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    for (int i = 0; i < 3; ++i) peers.failed(far(0), kStart);
    auto const old = peers.find(far(0))->next_dial + PeerList::kGivenUpFor;
    peers.add(far(1), PeerSource::tracker, old - 1s);

    EXPECT_FALSE(peers.add(far(0), PeerSource::tracker, old - 1s));
    EXPECT_TRUE(peers.add(far(0), PeerSource::tracker, old));
}

TEST(PeerList, OldMarksGiveTheirPlacesBackWithinAMinute) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    for (int i = 0; i < 3; ++i) peers.failed(far(0), kStart);
    auto const old = peers.find(far(0))->next_dial + PeerList::kGivenUpFor;
    peers.add(far(1), PeerSource::tracker, old - 1s);

    peers.add(far(2), PeerSource::tracker, old + 59s);

    EXPECT_EQ(peers.find(far(0)), nullptr);
}

TEST(PeerList, NeverGivesUpTheUsersPeersAndDialsThemEveryTenMinutesAtLeast) {
    auto peers = list();
    peers.add(far(0), PeerSource::user, kStart);
    auto now = kStart;

    for (int i = 0; i < 40; ++i) {
        ASSERT_EQ(peers.next(false, now), far(0)) << i;
        peers.failed(far(0), now);
        auto const wait = *peers.next_dial(false) - now;
        ASSERT_GE(wait, 5s) << "twice 2.5 s after the first failure";
        ASSERT_LE(wait, 10min);
        now += wait;
    }
}

TEST(PeerList, TheUsersPeerIsDialledAgainLongBeforeAReaderGivesUp) {
    auto peers = list();
    peers.add(far(0), PeerSource::user, kStart);
    ASSERT_EQ(peers.next(false, kStart), far(0));

    peers.failed(far(0), kStart);

    EXPECT_EQ(peers.next_dial(false), kStart + 5s);
}

TEST(PeerList, TheUserMayNameAGivenUpAddress) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    for (int i = 0; i < 3; ++i) peers.failed(far(0), kStart);

    EXPECT_TRUE(peers.add(far(0), PeerSource::user, kStart));

    EXPECT_EQ(peers.next(false, kStart), far(0));
}

TEST(PeerList, AUserWhoAsksAgainIsNotMadeToWait) {
    auto peers = list();
    peers.add(far(0), PeerSource::user, kStart);
    peers.next(false, kStart);
    peers.failed(far(0), kStart);

    peers.add(far(0), PeerSource::user, kStart + 1s);

    EXPECT_EQ(peers.next(false, kStart + 1s), far(0));
}

TEST(PeerList, ConnectedPeersAreNotDialled) {
    auto peers = list();
    peers.add(far(0), PeerSource::incoming, kStart);

    EXPECT_TRUE(peers.connected(far(0), kStart));
    EXPECT_FALSE(peers.connected(far(1), kStart));

    EXPECT_FALSE(peers.next(false, kStart + 1h));
    EXPECT_EQ(peers.counts().connected, 1u);
}

TEST(PeerList, AUsefulConnectionEndsTheRowOfFailures) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.failed(far(0), kStart);
    peers.failed(far(0), kStart);
    peers.connected(far(0), kStart);

    peers.disconnected(far(0), true, kStart + 1h);

    EXPECT_EQ(peers.find(far(0))->failures, 0u);
    EXPECT_FALSE(peers.next(false, kStart + 1h + 59s));
    EXPECT_EQ(peers.next(false, kStart + 1h + 60s), far(0));
}

TEST(PeerList, UselessConnectionsCountAsFailures) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);

    for (int i = 0; i < 3; ++i) {
        peers.connected(far(0), kStart);
        peers.disconnected(far(0), false, kStart);
    }

    EXPECT_TRUE(peers.find(far(0))->given_up());
}

TEST(PeerList, ACalledOffDialIsNoFailure) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.next(false, kStart);

    peers.abandoned(far(0));

    EXPECT_EQ(peers.next(false, kStart), far(0));
}

TEST(PeerList, ADialThatWePutOffIsNoFailureHoweverOften) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    for (std::uint32_t i = 0; i < 2 * limit::kMaxDialFailures; ++i) {
        ASSERT_EQ(peers.next(false, kStart + i * limit::kRedial), far(0));
        peers.postponed(far(0), kStart + i * limit::kRedial);
        EXPECT_EQ(peers.next(false, kStart + i * limit::kRedial), std::nullopt) << "not at once";
    }

    EXPECT_FALSE(peers.find(far(0))->given_up());
}

TEST(PeerList, LeavesSeedsOutWhenWeAreOne) {
    auto peers = list();
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.set_seed(far(0), true);

    EXPECT_FALSE(peers.next(true, kStart));
    EXPECT_FALSE(peers.next_dial(true));
    EXPECT_EQ(peers.counts().seeds, 1u);
    EXPECT_EQ(peers.next(false, kStart), far(0));
}

TEST(PeerList, AfterAPauseEverybodyMayBeDialledAtOnce) {
    auto peers = list();
    for (std::uint32_t i = 0; i < 3; ++i) {
        peers.add(far(i), PeerSource::tracker, kStart);
        peers.connected(far(i), kStart);
        peers.disconnected(far(i), true, kStart);
    }

    peers.retry_all(kStart + 1s);

    for (int i = 0; i < 3; ++i) EXPECT_TRUE(peers.next(false, kStart + 1s));
}

TEST(PeerList, TakesEightOfANetworkAndSource) {
    auto peers = list();
    auto const in_network = [](int i) { return at("1.2.3." + std::to_string(i) + ":80"); };
    for (int i = 1; i <= 8; ++i) EXPECT_TRUE(peers.add(in_network(i), PeerSource::tracker, kStart));

    EXPECT_FALSE(peers.add(in_network(9), PeerSource::tracker, kStart));
    EXPECT_TRUE(peers.add(at("1.2.4.9:80"), PeerSource::tracker, kStart));
    EXPECT_TRUE(peers.add(in_network(9), PeerSource::pex, kStart));
    for (int i = 10; i < 30; ++i) EXPECT_TRUE(peers.add(in_network(i), PeerSource::user, kStart));
    EXPECT_EQ(peers.counts().known, 8u + 1 + 1 + 20);
}

TEST(PeerList, TakesEightOfAnIpv6Network) {
    auto peers = list();
    for (int i = 1; i <= 8; ++i)
        EXPECT_TRUE(peers.add(at("[2001:db8:0:1:" + std::to_string(i) + "::1]:80"), PeerSource::dht, kStart));

    EXPECT_FALSE(peers.add(at("[2001:db8:0:1:9::1]:80"), PeerSource::dht, kStart));
    EXPECT_TRUE(peers.add(at("[2001:db8:0:2:9::1]:80"), PeerSource::dht, kStart));
}

TEST(PeerList, TakesSixtyFourNeighboursOfANetwork) {
    auto peers = list();
    auto const neighbour = [](int i) { return at("192.168.1." + std::to_string(i) + ":6881"); };
    for (int i = 1; i <= 64; ++i) EXPECT_TRUE(peers.add(neighbour(i), PeerSource::lsd, kStart)) << i;

    EXPECT_FALSE(peers.add(neighbour(65), PeerSource::lsd, kStart));
    EXPECT_TRUE(peers.add(neighbour(65), PeerSource::pex, kStart));
}

TEST(PeerList, ANeighbourIsKnownAtFourPortsAndLeavesTheOthersTheirs) {
    for (std::string const network : {"192.168.1.", "[fd77::"}) {
        auto peers = list();
        auto const neighbour = [&](int i, int port) {
            return at(network + std::to_string(i) + (network[0] == '[' ? "]:" : ":") + std::to_string(port));
        };
        for (int port = 7001; port <= 7004; ++port)
            EXPECT_TRUE(peers.add(neighbour(2, port), PeerSource::lsd, kStart)) << network;

        EXPECT_FALSE(peers.add(neighbour(2, 7000), PeerSource::lsd, kStart)) << network;
        EXPECT_TRUE(peers.add(neighbour(1, 7005), PeerSource::lsd, kStart)) << network;
        EXPECT_TRUE(peers.add(neighbour(3, 6999), PeerSource::lsd, kStart)) << network;
    }
}

TEST(PeerList, PortsThatOthersToldOfANeighbourAreNotCounted) {
    auto peers = list();
    for (auto const* const text : {"10.0.0.2:1", "10.0.0.2:2", "10.0.0.2:3", "10.0.0.2:4"})
        peers.add(at(text), PeerSource::user, kStart);

    EXPECT_TRUE(peers.add(at("10.0.0.2:5"), PeerSource::lsd, kStart));
}

TEST(PeerList, ATestNetworkHasNoSuchLimit) {
    PeerList peers({2000, 0, 1});
    for (std::uint16_t port = 1; port <= 100; ++port)
        for (auto const source : {PeerSource::tracker, PeerSource::lsd})
            EXPECT_TRUE(peers.add({at("127.0.0.1:1").address, port}, source, kStart));
}

TEST(PeerList, EvictsTheMostFailedThenTheOldest) {
    auto peers = list(3);
    peers.add(far(0), PeerSource::tracker, kStart);
    peers.add(far(1), PeerSource::tracker, kStart + 1s);
    peers.add(far(2), PeerSource::tracker, kStart + 2s);
    peers.failed(far(1), kStart + 2s);

    EXPECT_TRUE(peers.add(far(3), PeerSource::tracker, kStart + 3s));
    EXPECT_EQ(peers.find(far(1)), nullptr);
    EXPECT_TRUE(peers.add(far(4), PeerSource::tracker, kStart + 4s));
    EXPECT_EQ(peers.find(far(0)), nullptr);
}

TEST(PeerList, NeverEvictsTheUsersNorConnectedPeers) {
    auto peers = list(2);
    peers.add(far(0), PeerSource::user, kStart);
    peers.add(far(1), PeerSource::tracker, kStart);
    peers.connected(far(1), kStart);

    EXPECT_FALSE(peers.add(far(2), PeerSource::tracker, kStart));

    EXPECT_NE(peers.find(far(0)), nullptr);
    EXPECT_NE(peers.find(far(1)), nullptr);
}

TEST(PeerList, ABannedAddressIsForgottenOnEveryPortAndRefused) {
    auto peers = list();
    peers.add(at("1.2.3.4:80"), PeerSource::user, kStart);
    peers.add(at("1.2.3.4:81"), PeerSource::tracker, kStart);
    peers.add(at("1.2.3.5:81"), PeerSource::tracker, kStart);

    peers.ban(at("1.2.3.4:1").address);
    peers.ban(at("1.2.3.4:1").address);

    EXPECT_TRUE(peers.banned(at("1.2.3.4:99").address));
    EXPECT_FALSE(peers.banned(at("1.2.3.5:81").address));
    EXPECT_FALSE(peers.add(at("1.2.3.4:80"), PeerSource::user, kStart));
    EXPECT_EQ(peers.counts().known, 1u);
    EXPECT_EQ(peers.counts().banned, 1u);
}

TEST(PeerList, KeepsABoundedNumberOfBans) {
    auto peers = list();
    for (std::uint32_t i = 0; i <= PeerList::kBans; ++i) peers.ban(far(i).address);

    EXPECT_FALSE(peers.banned(far(0).address));
    EXPECT_TRUE(peers.banned(far(1).address));
    EXPECT_EQ(peers.counts().banned, PeerList::kBans);
}

TEST(PeerList, SavesTheBestFirst) {
    auto peers = list();
    for (std::uint32_t i = 0; i < 5; ++i) peers.add(far(i), PeerSource::tracker, kStart);
    peers.failed(far(0), kStart);
    peers.connected(far(1), kStart);
    peers.disconnected(far(1), true, kStart + 1s);
    peers.connected(far(2), kStart);
    peers.disconnected(far(2), true, kStart + 2s);
    peers.connected(far(3), kStart);

    auto const best = peers.best(4);

    ASSERT_EQ(best.size(), 4u);
    EXPECT_EQ(best[0].endpoint, far(3));
    EXPECT_EQ(best[1].endpoint, far(2));
    EXPECT_EQ(best[2].endpoint, far(1));
    EXPECT_EQ(best[3].endpoint, far(4));
}

TEST(PeerList, UnknownAddressesInReportsDoNothing) {
    auto peers = list();

    peers.failed(far(0), kStart);
    peers.disconnected(far(0), true, kStart);
    peers.abandoned(far(0));
    peers.set_seed(far(0), true);

    EXPECT_EQ(peers.counts().known, 0u);
}

// Whatever happens: bounded, at most eight of a network and source but for neighbours, nobody dialled twice at once,
// too early or more than three times in vain.
TEST(PeerList, KeepsItsPromisesInAnyOrderOfEvents) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random(seed);
        auto peers = list(60);
        std::set<Endpoint> users;
        std::set<Endpoint> dialling;
        std::map<Endpoint, TimePoint> not_before;
        auto now = kStart;
        auto const any = [&] {
            return Endpoint{
                Address::v4({1, 2, static_cast<std::uint8_t>(random() % 12), static_cast<std::uint8_t>(random() % 20)}),
                static_cast<std::uint16_t>(80 + random() % 2)};
        };
        for (int step = 0; step < 3000; ++step) {
            now += std::chrono::milliseconds(random() % 5000);
            auto const endpoint = any();
            switch (random() % 6) {
                case 0:
                case 1: {
                    auto const source = kPeerSources[1 + random() % 6];
                    peers.add(endpoint, source, now);
                    break;
                }
                case 2:
                    if (users.size() < 5 && peers.add(endpoint, PeerSource::user, now)) {
                        users.insert(endpoint);
                        not_before.erase(endpoint);
                    }
                    break;
                case 3:
                case 4:
                    if (auto const next = peers.next(false, now)) {
                        ASSERT_TRUE(dialling.insert(*next).second);
                        ASSERT_LE(not_before[*next], now) << next->text();
                    }
                    break;
                default:
                    if (dialling.empty()) break;
                    auto const done = *dialling.begin();
                    dialling.erase(done);
                    if (random() % 2 == 0) {
                        peers.failed(done, now);
                    } else {
                        peers.connected(done, now);
                        peers.disconnected(done, random() % 2 == 0, now);
                    }
                    if (peers.find(done) != nullptr) not_before[done] = now + (users.contains(done) ? Duration(2500ms) : Duration(60s));
            }
            std::erase_if(not_before, [&](auto const& entry) { return peers.find(entry.first) == nullptr; });
            ASSERT_LE(peers.counts().known, 60u);
            for (auto const& user : users) ASSERT_NE(peers.find(user), nullptr);
        }
        std::map<std::pair<Address, PeerSource>, std::size_t> shares;
        for (auto const& peer : peers.best(1000))
            for (auto const source : kPeerSources)
                if (peer.sources.contains(source)) {
                    auto const bytes = peer.endpoint.address.bytes();
                    ++shares[{Address::v4({bytes[0], bytes[1], bytes[2], 0}), source}];
                }
        for (auto const& [network, share] : shares) {
            bool const exempt = network.second == PeerSource::user || network.second == PeerSource::lsd;
            EXPECT_TRUE(exempt || share <= 8u);
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
