#include "torrent/swarm/peer_turnover.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TimePoint const kStart(1000h);

// A hundred places, all taken by peers that give what they should, and somebody who waits.
class Turnover : public testing::Test {
protected:
    Turnover() {
        for (std::uint32_t i = 1; i <= 100; ++i) {
            TurnoverPeer peer;
            peer.peer = PeerHandle(i);
            peer.wanted = peer.asked = true;
            peer.rate = 100'000;
            peer.unchokes_us = 10min;
            peers.push_back(peer);
        }
        places = {100, 100, true, true};
    }
    std::vector<std::uint32_t> choose(Duration after = 0s) {
        std::vector<std::uint32_t> numbers;
        for (auto const handle : turnover.choose(peers, places, kStart + after)) numbers.push_back(handle.value());
        return numbers;
    }
    TurnoverPeer& peer(std::uint32_t number) { return peers.at(number - 1); }
    // Neither side wants anything of it, for so long.
    void let_be_useless(std::uint32_t number, Duration time) {
        peer(number).wanted = peer(number).asked = false;
        peer(number).rate = 0;
        peer(number).useless = time;
    }

    PeerTurnover turnover;
    PeerTurnover::Places places;
    std::vector<TurnoverPeer> peers;
};

using Numbers = std::vector<std::uint32_t>;

TEST_F(Turnover, PeersThatGiveStay) { EXPECT_EQ(choose(), Numbers{}); }

TEST_F(Turnover, APeerWithNothingForEitherSideLeavesAfterAMinute) {
    let_be_useless(7, 59s);
    EXPECT_EQ(choose(), Numbers{});

    peer(7).useless = 60s;
    EXPECT_EQ(choose(), Numbers{7});
}

TEST_F(Turnover, APeerThatTakesWhatWeHaveStays) {
    let_be_useless(7, 1h);
    peer(7).served = true;

    EXPECT_EQ(choose(), Numbers{});
}

// Somebody waits for data that is not here, and this one only says that it wants something, again and again.
TEST_F(Turnover, WhileWeStarveAPeerThatOnlyTakesLeavesAfterAMinute) {
    let_be_useless(7, 0s);
    peer(7).served = true;
    peer(7).unwanted = peer(7).gave_nothing = 1h;
    EXPECT_EQ(choose(), Numbers{}) << "nobody starves";

    places.starved = true;
    peer(7).unwanted = 59s;
    EXPECT_EQ(choose(), Numbers{});
    peer(7).unwanted = 1h;
    peer(7).gave_nothing = 59s;
    EXPECT_EQ(choose(), Numbers{});
    peer(7).gave_nothing = 60s;
    EXPECT_EQ(choose(), Numbers{7});
}

TEST_F(Turnover, WhileWeStarveThosePeersLeaveAfterTheWhollyUselessAndBeforeSlowOnes) {
    places.starved = true;
    peer(1).rate = 1;
    let_be_useless(2, 0s);
    peer(2).served = true;
    peer(2).unwanted = peer(2).gave_nothing = 1h;
    let_be_useless(3, 61s);

    EXPECT_EQ(choose(), (Numbers{3, 2, 1}));
}

TEST_F(Turnover, WhileWeStarveAPeerThatTakesAndChokesUsForMinutesLeaves) {
    peer(7).asked = false;
    peer(7).unchokes_us.reset();
    peer(7).served = true;
    peer(7).gave_nothing = 180s;
    EXPECT_EQ(choose(), Numbers{});

    places.starved = true;
    EXPECT_EQ(choose(), Numbers{7});
}

TEST_F(Turnover, WhoDialsUsGetsThePlaceOfTheMostUselessOne) {
    auto const make_room = [this](Duration after) { return turnover.make_room(peers, places, kStart + after).size(); };
    EXPECT_EQ(make_room(0s), 0u) << "all are worth their places";
    for (std::uint32_t i = 1; i <= 20; ++i) let_be_useless(i, 1min * i);

    EXPECT_EQ(turnover.make_room(peers, places, kStart), std::vector{PeerHandle(20)});
    EXPECT_EQ(make_room(PeerTurnover::kGuestPace - 1ms), 0u);
    EXPECT_EQ(make_room(PeerTurnover::kGuestPace), 1u);
}

TEST_F(Turnover, APeerThatChokesUsForMinutesLeaves) {
    peer(7).asked = false;
    peer(7).unchokes_us.reset();
    peer(7).useless = 179s;
    EXPECT_EQ(choose(), Numbers{});

    peer(7).useless = 180s;
    EXPECT_EQ(choose(), Numbers{7});
}

TEST_F(Turnover, APeerThatIsFarSlowerThanOthersLeaves) {
    peer(7).rate = 4'999;
    peer(8).rate = 5'000;

    EXPECT_EQ(choose(), Numbers{7});
}

TEST_F(Turnover, ASlowPeerMayFirstShowWhatItCanDo) {
    peer(7).rate = 0;
    peer(7).unchokes_us = 29s;

    EXPECT_EQ(choose(), Numbers{});
}

TEST_F(Turnover, APeerThatIsAskedForNothingIsNotSlow) {
    peer(7).rate = 0;
    peer(7).asked = false;

    EXPECT_EQ(choose(), Numbers{});
}

TEST_F(Turnover, SlownessCountsOnlyWhileSomebodyReads) {
    peer(7).rate = 0;
    places.active = false;

    EXPECT_EQ(choose(), Numbers{});
}

TEST_F(Turnover, NobodyLeavesWhileThereIsRoom) {
    let_be_useless(7, 1h);
    places.taken = 89;
    EXPECT_EQ(choose(), Numbers{});

    places.taken = 90;
    EXPECT_EQ(choose(), Numbers{7});
}

TEST_F(Turnover, NobodyLeavesWhenNobodyWaits) {
    let_be_useless(7, 1h);
    places.somebody_waits = false;

    EXPECT_EQ(choose(), Numbers{});
}

TEST_F(Turnover, TheUsersPeersAndNeighboursStay) {
    let_be_useless(7, 1h);
    peer(7).kept = true;

    EXPECT_EQ(choose(), Numbers{});
}

TEST_F(Turnover, FourInAHundredLeaveAtOnceTheMostUselessFirst) {
    for (std::uint32_t i = 1; i <= 20; ++i) let_be_useless(i, 1min * i);

    EXPECT_EQ(choose(), (Numbers{20, 19, 18, 17}));
}

TEST_F(Turnover, OfFewOneLeaves) {
    for (std::uint32_t i = 1; i <= 9; ++i) let_be_useless(i, 1min * i);
    places = {9, 10, true, true};

    EXPECT_EQ(choose(), Numbers{9});
}

TEST_F(Turnover, ThoseWithNothingForUsLeaveBeforeSlowOnesAndThoseBeforeChokingOnes) {
    peer(3).unchokes_us.reset();
    peer(3).asked = false;
    peer(3).useless = 1h;
    peer(2).rate = 1;
    let_be_useless(1, 2min);

    EXPECT_EQ(choose(), (Numbers{1, 2, 3}));
}

TEST_F(Turnover, HasItsPace) {
    for (std::uint32_t i = 1; i <= 20; ++i) let_be_useless(i, 1h);

    EXPECT_EQ(choose(0s).size(), 4u);
    EXPECT_EQ(choose(29s).size(), 0u);
    EXPECT_EQ(choose(30s).size(), 4u);
    places.active = false;
    EXPECT_EQ(choose(60s).size(), 4u);
    EXPECT_EQ(choose(359s).size(), 0u);
    EXPECT_EQ(choose(360s).size(), 4u);
}

TEST_F(Turnover, InASwarmWhereAllAreSlowNobodyIs) {
    for (auto& each : peers) each.rate = 3;

    EXPECT_EQ(choose(), Numbers{});
}

}  // namespace
}  // namespace rqfs::torrent
