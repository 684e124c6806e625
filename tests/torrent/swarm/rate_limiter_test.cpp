#include "torrent/swarm/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TimePoint const kStart(1000h);

TEST(RateLimiter, WithoutALimitEverythingPasses) {
    RateLimiter limiter;

    EXPECT_TRUE(limiter.unlimited());
    EXPECT_EQ(limiter.available(kStart), std::numeric_limits<std::size_t>::max());
    limiter.take(1u << 30, kStart);
    EXPECT_EQ(limiter.delay(kStart), Duration::zero());
    EXPECT_EQ(limiter.reserve(1u << 30, kStart), Duration::zero());
}

TEST(RateLimiter, StartsWithAFullBucketOfABlockAtSmallRates) {
    RateLimiter limiter;
    limiter.set_limit(20'000);

    EXPECT_EQ(limiter.available(kStart), kBlockBytes);
    EXPECT_FALSE(limiter.unlimited());
}

TEST(RateLimiter, StartsWithATwentiethOfASecondAtLargeRates) {
    RateLimiter limiter;
    limiter.set_limit(100'000'000);

    EXPECT_EQ(limiter.available(kStart), 5'000'000u);
}

TEST(RateLimiter, FillsAtItsRate) {
    RateLimiter limiter;
    limiter.set_limit(20'000);
    limiter.take(kBlockBytes, kStart);

    EXPECT_EQ(limiter.available(kStart), 0u);
    EXPECT_EQ(limiter.available(kStart + 100ms), 2'000u);
    EXPECT_EQ(limiter.available(kStart + 500ms), 10'000u);
    EXPECT_EQ(limiter.available(kStart + 1h), kBlockBytes);
}

TEST(RateLimiter, ADebtIsPaidBeforeAnythingPasses) {
    RateLimiter limiter;
    limiter.set_limit(20'000);
    limiter.take(kBlockBytes + 20'000, kStart);

    EXPECT_EQ(limiter.available(kStart + 1s), 0u);
    EXPECT_EQ(limiter.available(kStart + 2s), kBlockBytes);
}

TEST(RateLimiter, NobodyIsWokenForSingleBytes) {
    RateLimiter limiter;
    limiter.set_limit(20'000);
    limiter.take(kBlockBytes, kStart);

    EXPECT_EQ(limiter.available(kStart + 49ms), 0u);
    EXPECT_EQ(limiter.available(kStart + 50ms), 1'000u);
}

TEST(RateLimiter, AfterTheDelaySomethingIsAvailableAndNotMuchBefore) {
    for (std::uint64_t const rate : {1u, 7u, 999u, 20'000u, 3'333'333u, 4'000'000'000u}) {
        RateLimiter limiter;
        limiter.set_limit(rate);
        limiter.take(100'000, kStart);

        auto now = kStart;
        for (auto wait = limiter.delay(now); wait > Duration::zero(); wait = limiter.delay(now)) {
            EXPECT_EQ(limiter.available(now + wait - 1us), 0u) << rate;
            now += wait;
        }

        EXPECT_GT(limiter.available(now), 0u) << rate;
    }
}

TEST(RateLimiter, AParentLimitsAllItsChildren) {
    RateLimiter session;
    RateLimiter one(&session);
    RateLimiter other(&session);
    session.set_limit(20'000);

    one.take(kBlockBytes, kStart);

    EXPECT_FALSE(one.unlimited());
    EXPECT_EQ(other.available(kStart), 0u);
    EXPECT_GT(other.delay(kStart), Duration::zero());
    EXPECT_EQ(other.available(kStart + 100ms), 2'000u);
}

TEST(RateLimiter, AChildsLimitDoesNotTouchItsSiblings) {
    RateLimiter session;
    RateLimiter slow(&session);
    RateLimiter free(&session);
    slow.set_limit(1'000);

    slow.take(100'000, kStart);

    EXPECT_EQ(slow.available(kStart), 0u);
    EXPECT_TRUE(free.unlimited());
    EXPECT_EQ(free.available(kStart), std::numeric_limits<std::size_t>::max());
}

TEST(RateLimiter, TheTighterOfChildAndParentHolds) {
    RateLimiter session;
    RateLimiter torrent(&session);
    session.set_limit(1'000'000);
    torrent.set_limit(10'000'000);

    EXPECT_EQ(torrent.available(kStart), 50'000u);
    session.take(50'000, kStart);
    EXPECT_EQ(torrent.available(kStart), 0u);
    EXPECT_EQ(torrent.delay(kStart), session.delay(kStart));
}

TEST(RateLimiter, ALiftedLimitForgetsItsDebtAndANewOneStartsFull) {
    RateLimiter limiter;
    limiter.set_limit(1'000);
    limiter.take(1'000'000, kStart);

    limiter.set_limit(0);
    EXPECT_EQ(limiter.delay(kStart), Duration::zero());
    limiter.set_limit(20'000);

    EXPECT_EQ(limiter.available(kStart), kBlockBytes);
}

TEST(RateLimiter, ADebtIsPaidAtTheNewRate) {
    RateLimiter limiter;
    limiter.set_limit(1'000);
    limiter.take(kBlockBytes + 100'000, kStart);

    limiter.set_limit(100'000);

    EXPECT_LE(limiter.delay(kStart), 1051ms);
    EXPECT_EQ(limiter.available(kStart + 1s + 50ms), 5'000u);
}

TEST(RateLimiter, ALoweredLimitShrinksTheBucket) {
    RateLimiter limiter;
    limiter.set_limit(100'000'000);
    EXPECT_EQ(limiter.available(kStart), 5'000'000u);

    limiter.set_limit(20'000);

    EXPECT_EQ(limiter.available(kStart), kBlockBytes);
}

TEST(RateLimiter, TimeThatGoesBackCountsAsStandingStill) {
    RateLimiter limiter;
    limiter.set_limit(20'000);
    limiter.take(kBlockBytes, kStart + 1s);

    EXPECT_EQ(limiter.available(kStart), 0u);
    EXPECT_EQ(limiter.available(kStart + 1s), 0u);
    EXPECT_EQ(limiter.available(kStart + 2s), kBlockBytes);
}

TEST(RateLimiter, ReservationsAreServedInOrder) {
    RateLimiter limiter;
    limiter.set_limit(kBlockBytes);

    EXPECT_EQ(limiter.reserve(kBlockBytes, kStart), Duration::zero());
    auto const second = limiter.reserve(kBlockBytes, kStart);
    auto const third = limiter.reserve(kBlockBytes, kStart);

    EXPECT_NEAR(std::chrono::duration<double>(second).count(), 1.0, 1e-6);
    EXPECT_NEAR(std::chrono::duration<double>(third).count(), 2.0, 1e-6);
}

TEST(RateLimiter, AReservationWaitsForTheParentToo) {
    RateLimiter session;
    RateLimiter torrent(&session);
    session.set_limit(kBlockBytes);
    torrent.set_limit(100 * kBlockBytes);
    torrent.reserve(kBlockBytes, kStart);

    EXPECT_NEAR(std::chrono::duration<double>(torrent.reserve(kBlockBytes, kStart)).count(), 1.0, 1e-6);
}

TEST(RateLimiter, WhatIsGivenBackServesTheNext) {
    RateLimiter session;
    RateLimiter torrent(&session);
    session.set_limit(kBlockBytes);
    torrent.reserve(kBlockBytes, kStart);
    torrent.reserve(kBlockBytes, kStart);

    torrent.give_back(kBlockBytes, kStart);

    EXPECT_NEAR(std::chrono::duration<double>(torrent.reserve(kBlockBytes, kStart)).count(), 1.0, 1e-6);
}

TEST(RateLimiter, EqualTakersThatReserveGetEqualShares) {
    RateLimiter limiter;
    limiter.set_limit(20'000);
    std::vector<TimePoint> ready(5, kStart);
    std::vector<std::size_t> blocks(5, 0);

    for (auto now = kStart; now < kStart + 600s; now = *std::min_element(ready.begin(), ready.end())) {
        auto const taker = static_cast<std::size_t>(std::min_element(ready.begin(), ready.end()) - ready.begin());
        ++blocks[taker];
        ready[taker] = now + std::max<Duration>(limiter.reserve(kBlockBytes, now), 1us);
    }

    auto const [least, most] = std::minmax_element(blocks.begin(), blocks.end());
    EXPECT_LE(*most - *least, 1u);
    EXPECT_GE(*least, 600u * 20'000 / kBlockBytes / 5 - 1);
}

// Over any time never more than bucket + rate * t, and whoever always takes what there is gets all of it.
TEST(RateLimiter, PassesItsRateExactlyOverAnyTime) {
    for (std::uint64_t const rate : {100u, 20'000u, 50'001u, 1'000'000u, 123'456'789u}) {
        for (unsigned seed = 1; seed <= 5; ++seed) {
            SCOPED_TRACE(testing::Message() << "rate " << rate << " seed " << seed);
            std::mt19937_64 random(seed);
            RateLimiter session;
            RateLimiter torrent(&session);
            session.set_limit(rate);
            double const bucket = std::max(16384.0, static_cast<double>(rate) / 20);
            std::uint64_t passed = 0;

            auto now = kStart;
            while (now < kStart + 60s) {
                if (auto const bytes = torrent.available(now); bytes > 0) {
                    auto const part = std::min<std::size_t>(bytes, 1 + random() % kBlockBytes);
                    torrent.take(part, now);
                    passed += part;
                } else {
                    now += torrent.delay(now) + std::chrono::microseconds(random() % 100);
                }
                auto const seconds = std::chrono::duration<double>(now - kStart).count();
                ASSERT_LE(static_cast<double>(passed), bucket + static_cast<double>(rate) * seconds + 1);
            }

            auto const seconds = std::chrono::duration<double>(now - kStart).count();
            EXPECT_GE(static_cast<double>(passed), static_cast<double>(rate) * seconds * 0.999);
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
