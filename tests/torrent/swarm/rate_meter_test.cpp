#include "torrent/swarm/rate_meter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TimePoint const kStart(1000h + 123ms);

TEST(RateMeter, IsZeroWithoutBytes) {
    RateMeter const meter;

    EXPECT_EQ(meter.rate(kStart), 0);
    EXPECT_EQ(meter.total(), 0u);
}

TEST(RateMeter, CountsTheTotal) {
    RateMeter meter;
    meter.add(100, kStart);
    meter.add(50, kStart + 1h);

    EXPECT_EQ(meter.total(), 150u);
}

TEST(RateMeter, TheFirstBytesCountAsOneSecondsWorth) {
    RateMeter meter;

    meter.add(1000, kStart);

    EXPECT_DOUBLE_EQ(meter.rate(kStart), 1000);
    EXPECT_DOUBLE_EQ(meter.rate(kStart + 500ms), 1000);
    EXPECT_NEAR(meter.rate(kStart + 2s), 500, 1);
}

TEST(RateMeter, AConstantRateIsShownFromTheFirstSecondsOn) {
    RateMeter meter;

    for (int step = 0; step < 2000; ++step) {
        auto const now = kStart + step * 10ms;
        meter.add(1000, now);
        if (step < 200) continue;
        ASSERT_NEAR(meter.rate(now), 100'000, 2'500) << step;
    }
}

TEST(RateMeter, FallsToZeroAfterTheWindow) {
    RateMeter meter;
    for (int step = 0; step < 100; ++step) meter.add(1000, kStart + step * 100ms);

    EXPECT_GT(meter.rate(kStart + 10s + 4s), 0);
    EXPECT_EQ(meter.rate(kStart + 10s + 5s), 0);
    EXPECT_EQ(meter.rate(kStart + 10h), 0);
}

TEST(RateMeter, AStartAfterSilenceIsLikeTheFirst) {
    RateMeter meter;
    meter.add(1'000'000, kStart);

    meter.add(500, kStart + 1min);

    EXPECT_DOUBLE_EQ(meter.rate(kStart + 1min), 500);
}

TEST(RateMeter, FollowsAChangeWithinTheWindow) {
    RateMeter meter;
    for (int step = 0; step < 1000; ++step) meter.add(1000, kStart + step * 10ms);
    for (int step = 0; step < 500; ++step) meter.add(100, kStart + 10s + step * 10ms);

    EXPECT_NEAR(meter.rate(kStart + 15s), 10'000, 500);
}

TEST(RateMeter, NeverShowsMoreThanWhatCameInTheWindow) {
    std::mt19937_64 random(7);
    RateMeter meter;
    auto now = kStart;

    for (int step = 0; step < 10'000; ++step) {
        now += std::chrono::milliseconds(random() % 700);
        meter.add(random() % 10'000, now);
        auto const rate = meter.rate(now);
        ASSERT_GE(rate, 0);
        ASSERT_LE(rate, static_cast<double>(meter.total()));
    }
}

}  // namespace
}  // namespace rqfs::torrent
