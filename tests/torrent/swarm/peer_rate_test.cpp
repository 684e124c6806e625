#include "torrent/swarm/peer_rate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace rqfs::torrent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PeerRateTest : public testing::Test {
protected:
    // Blocks at even distances from a queue that is never empty.
    void stream(double bytes_a_second, int blocks) {
        rate.asked(now);
        auto const distance =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(kBlockBytes / bytes_a_second));
        for (int i = 0; i < blocks; ++i) {
            TimePoint const sent = now;
            now += distance;
            rate.received(kBlockBytes, sent, now);
        }
    }

    PeerRate rate;
    TimePoint now{seconds(1000)};
};

TEST_F(PeerRateTest, IsUnknownUntilABlockCame) {
    EXPECT_FALSE(rate.known());
    EXPECT_EQ(rate.round_trip(), Duration::zero());
    rate.asked(now);
    EXPECT_FALSE(rate.known());
    rate.received(kBlockBytes, now, now + milliseconds(100));

    EXPECT_TRUE(rate.known());
}

TEST_F(PeerRateTest, FindsASteadyRate) {
    for (double const bytes_a_second : {2e4, 1e5, 1e6, 1e9}) {
        rate = {};
        stream(bytes_a_second, static_cast<int>(bytes_a_second / kBlockBytes * 15));

        EXPECT_NEAR(rate.rate(now), bytes_a_second, 0.1 * bytes_a_second);
    }
}

TEST_F(PeerRateTest, TakesABurstForNoMoreThanHalfASecondsWorth) {
    rate.asked(now);
    now += milliseconds(50);
    for (int i = 0; i < 4; ++i) rate.received(kBlockBytes, now - milliseconds(50), now);

    EXPECT_LE(rate.rate(now), 4 * kBlockBytes / 0.5);
}

TEST_F(PeerRateTest, DoesNotCountTimeWithAnEmptyQueue) {
    stream(1e5, 60);
    double const before = rate.rate(now);
    rate.emptied(now);

    now += seconds(100);
    rate.asked(now);

    EXPECT_NEAR(rate.rate(now), before, 1);
}

TEST_F(PeerRateTest, FallsWithinSecondsWhenThePeerSlowsDown) {
    stream(5e5, 300);

    stream(5e4, 15);

    EXPECT_LT(rate.rate(now), 1.5e5);
}

TEST_F(PeerRateTest, RisesSlowerThanItFalls) {
    stream(5e4, 60);

    stream(5e5, 100);  // more than 3 s

    EXPECT_LT(rate.rate(now), 3e5);
}

TEST_F(PeerRateTest, SinksWithSilence) {
    stream(1e6, 600);
    EXPECT_EQ(rate.silence(now), Duration::zero());

    now += seconds(1);
    EXPECT_EQ(rate.rate(now), 0.5 * kBlockBytes);
    now += seconds(1000);

    EXPECT_EQ(rate.rate(now), PeerRate::kFloor);
}

TEST_F(PeerRateTest, IsNotSilentWhenNothingIsAsked) {
    stream(1e6, 60);
    rate.emptied(now);

    now += seconds(50);

    EXPECT_EQ(rate.silence(now), Duration::zero());
    EXPECT_GT(rate.rate(now), 1e5);
}

TEST_F(PeerRateTest, MeasuresTheRoundTripOnAnEmptyQueueOnly) {
    rate.asked(now);
    rate.received(kBlockBytes, now, now + milliseconds(80));
    rate.received(kBlockBytes, now, now + milliseconds(400));

    EXPECT_EQ(std::chrono::round<milliseconds>(rate.round_trip()), milliseconds(80));
}

TEST_F(PeerRateTest, CountsTheRoundTripToTheFirstByteOfTheBlock) {
    rate.asked(now);
    rate.received(kBlockBytes, now, now + milliseconds(480), milliseconds(240));

    EXPECT_EQ(std::chrono::round<milliseconds>(rate.round_trip()), milliseconds(240));
}

TEST_F(PeerRateTest, LearnsASlowPeersRateFromItsFirstBlock) {
    rate.asked(now);
    rate.received(kBlockBytes, now, now + milliseconds(2100), seconds(2));

    EXPECT_NEAR(rate.rate(now + milliseconds(2100)), kBlockBytes / 2.0, 1);
}

TEST_F(PeerRateTest, LeavesRoomForTwiceTheLastRoundTripWhileItGrowsAndNotAfter) {
    rate.asked(now);
    TimePoint const sent = now;
    now += milliseconds(300);
    for (int i = 0; i < 4; ++i) rate.received(kBlockBytes, sent, now);
    double const slow = 2.0 * kBlockBytes;  // as the rate is at first: two blocks a second

    EXPECT_EQ(rate.room(slow, 0.3, 0), 9u);
    EXPECT_EQ(rate.room(slow, 0.3, 8.0 * kBlockBytes), 1u);
    EXPECT_EQ(rate.room(slow, 0.3, 8.5 * kBlockBytes), 0u);

    stream(1e5, 200);
    EXPECT_LE(rate.room(1e5, 0.3, 0), 1e5 * 1.3 * 0.3 / kBlockBytes + 1);
}

TEST_F(PeerRateTest, TakesAFarPeersPausesOfARoundTripForNoSilence) {
    rate.asked(now);
    rate.received(kBlockBytes, now, now + milliseconds(400));
    now += milliseconds(400);
    stream(1e6, 600);
    double const before = rate.rate(now);

    EXPECT_GE(rate.rate(now + milliseconds(590)), 0.99 * before);
    EXPECT_LE(rate.rate(now + milliseconds(610)), kBlockBytes);
}

TEST_F(PeerRateTest, ExpectsABlockAfterTheRoundTripOrTheQueueWhicheverIsLater) {
    rate.asked(now);
    rate.received(kBlockBytes, now, now + milliseconds(100));

    EXPECT_DOUBLE_EQ(rate.expected(kBlockBytes, 0), 0.1 + 1);
    EXPECT_DOUBLE_EQ(rate.expected(kBlockBytes, 5 * kBlockBytes), 5.0 + 1);
    EXPECT_NEAR(rate.expected(kBlockBytes, 0, milliseconds(60)), 0.04 + 1, 1e-9);
    EXPECT_DOUBLE_EQ(rate.expected(kBlockBytes, 0, seconds(9)), 1.0);
}

TEST_F(PeerRateTest, GuessesHalfTheMedianAndLessTheLongerItTakes) {
    EXPECT_EQ(rate.guess(1e5, now), 5e4);
    rate.asked(now);

    EXPECT_EQ(rate.guess(1e6, now + seconds(4)), kBlockBytes / 4.0);
}

TEST_F(PeerRateTest, QueuesTheAskedTimeOfItsRate) {
    stream(10.0 * kBlockBytes, 100);

    EXPECT_EQ(rate.depth(10.0 * kBlockBytes, 0.8, false, 500), 9u);
    EXPECT_EQ(rate.depth(10.0 * kBlockBytes, 3, false, 500), 31u);
    EXPECT_EQ(rate.depth(10.0 * kBlockBytes, 3, false, 7), 7u);
    EXPECT_EQ(rate.depth(PeerRate::kFloor, 0.5, false, 500), 2u);
}

TEST_F(PeerRateTest, QueuesMoreThanARoundTripOfAFarPeer) {
    rate.asked(now);
    rate.received(kBlockBytes, now, now + seconds(2));

    EXPECT_GE(rate.depth(10.0 * kBlockBytes, 0.5, false, 500), 26u);
}

TEST_F(PeerRateTest, QueuesOneMoreForEveryBlockWhileItGrows) {
    EXPECT_EQ(rate.depth(0, 3, true, 500), 2u);
    rate.asked(now);
    for (int i = 0; i < 100; ++i) rate.received(kBlockBytes, now, now + milliseconds(i));

    EXPECT_GE(rate.depth(1000, 3, true, 500), 100u);
    EXPECT_EQ(rate.depth(1000, 3, false, 500), 2u);
}

TEST_F(PeerRateTest, StopsGrowingWhenTheRateHasSettled) {
    stream(1e5, 100);
    std::uint32_t const depth = rate.depth(1000, 3, true, 500);

    stream(1e5, 100);

    EXPECT_EQ(rate.depth(1000, 3, true, 500), depth);
}

TEST_F(PeerRateTest, TimesOutByWhatIsUsualForThePeer) {
    EXPECT_EQ(rate.timeout(), seconds(20));
    stream(1e6, 200);
    EXPECT_EQ(rate.timeout(), milliseconds(500));
    stream(4096, 60);  // a block in four seconds

    EXPECT_GE(rate.timeout(), seconds(4));
    EXPECT_LE(rate.timeout(), seconds(20));
}

TEST_F(PeerRateTest, WhatComesInOneGoAfterALossIsNoGrowth) {
    stream(200e3, 5);
    TimePoint const sent = now;
    for (int i = 0; i < 4; ++i) rate.asked(now);
    now += milliseconds(400);

    for (int i = 0; i < 4; ++i) rate.received(kBlockBytes, sent, now);

    EXPECT_LE(rate.room(200e3, 0.3, 0), 5u) << "0.3 s, not twice what came";
}

}  // namespace
}  // namespace rqfs::torrent
