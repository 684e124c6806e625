#include "torrent/net/nat_pmp_epoch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

// Of an answer with `before` seconds and one with `after`, `elapsed` later.
bool lost(std::uint32_t before, Duration elapsed, std::uint32_t after) {
    NatPmpEpoch epoch;
    epoch.answered(before, kStart);
    epoch.answered(after, kStart + elapsed);
    return epoch.take_lost();
}

TEST(NatPmpEpoch, OneAnswerTellsNothing) {
    for (std::uint32_t const seconds : {0u, 1u, 1'000u, std::numeric_limits<std::uint32_t>::max()}) {
        NatPmpEpoch epoch;
        epoch.answered(seconds, kStart);
        EXPECT_FALSE(epoch.take_lost()) << seconds;
    }
}

TEST(NatPmpEpoch, ARouterThatGoesOnCountingHasLostNothing) {
    NatPmpEpoch epoch;
    for (std::uint32_t seconds = 5; seconds < 1'000'000; seconds += seconds) {
        epoch.answered(seconds, kStart + std::chrono::seconds(seconds));
        EXPECT_FALSE(epoch.take_lost()) << seconds;
    }
}

TEST(NatPmpEpoch, ARouterThatBeginsAnewHasLostItsTable) {
    EXPECT_TRUE(lost(100'000, 300s, 20));
    EXPECT_TRUE(lost(100'000, 24h, 86'000)) << "however long ago it was heard before";
}

// RFC 6886, 3.6: less than 7/8 of the time that has passed, by more than two seconds.
TEST(NatPmpEpoch, ExactlyWhatTheRfcAllowsIsAllowed) {
    for (std::uint32_t before = 0; before <= 40; before += 4)
        for (std::uint32_t eighths = 0; eighths <= 40; ++eighths) {
            auto const elapsed = std::chrono::seconds(8 * eighths);
            auto const least = before + 7 * eighths;
            for (std::uint32_t after = 0; after <= least + 10; ++after)
                EXPECT_EQ(lost(before, elapsed, after), after + 2 < least)
                    << before << " and after " << elapsed.count() << " s " << after;
        }
}

TEST(NatPmpEpoch, PartsOfASecondCount) {
    EXPECT_FALSE(lost(10, 0s, 8));
    EXPECT_TRUE(lost(10, 1ms, 8)) << "10 and 7/8 of a millisecond are more than 2 seconds more";
    EXPECT_TRUE(lost(10, 0s, 7));
}

TEST(NatPmpEpoch, ARoutersClockMayGoFastAndJumpAhead) {
    EXPECT_FALSE(lost(10, 1s, std::numeric_limits<std::uint32_t>::max()));
    EXPECT_FALSE(lost(10, 8h, 9 * 3'600));
}

TEST(NatPmpEpoch, TheLargestNumbersAreComparedRightly) {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    EXPECT_FALSE(lost(most, 0s, most));
    EXPECT_FALSE(lost(most - 1, 1s, most));
    EXPECT_TRUE(lost(most, 87'600h, most)) << "it cannot count on, and did not";
    EXPECT_TRUE(lost(most, 1s, 0));
}

TEST(NatPmpEpoch, AfterALossTheNewCountIsWhatCounts) {
    NatPmpEpoch epoch;
    epoch.answered(100'000, kStart);
    epoch.answered(1, kStart + 300s);
    EXPECT_TRUE(epoch.take_lost());

    epoch.answered(301, kStart + 600s);

    EXPECT_FALSE(epoch.take_lost());
}

TEST(NatPmpEpoch, ALossIsToldOnceHoweverManyAnswersLater) {
    NatPmpEpoch epoch;
    epoch.answered(100'000, kStart);
    epoch.answered(1, kStart + 300s);
    epoch.answered(2, kStart + 301s);

    EXPECT_TRUE(epoch.take_lost());
    EXPECT_FALSE(epoch.take_lost());
}

}  // namespace
}  // namespace rqfs::torrent
