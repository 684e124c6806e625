#include "torrent/swarm/late_blocks.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{std::chrono::seconds(1000)};
constexpr BlockAddress kBlock{PieceIndex(1), BlockIndex(2)};

TEST(LateBlocks, AreKnownOnceForEveryTimeTheyWereRemembered) {
    LateBlocks late;
    late.remember(kBlock, kNow, kNow, kNow);
    late.remember(kBlock, kNow, kNow, kNow);

    EXPECT_TRUE(late.take(kBlock, kNow));
    EXPECT_TRUE(late.take(kBlock, kNow));
    EXPECT_FALSE(late.take(kBlock, kNow));
}

TEST(LateBlocks, AreForgottenAfterAMinute) {
    LateBlocks late;
    late.remember(kBlock, kNow, kNow, kNow);

    EXPECT_FALSE(late.take(kBlock, kNow + std::chrono::seconds(60)));
    EXPECT_TRUE(late.empty());
}

TEST(LateBlocks, AreNoMoreThanTwoQueues) {
    LateBlocks late;
    for (std::uint32_t i = 0; i <= LateBlocks::kEntries; ++i) late.remember({PieceIndex(i), BlockIndex(0)}, kNow, kNow, kNow);

    EXPECT_EQ(late.size(), LateBlocks::kEntries);
    EXPECT_FALSE(late.take({PieceIndex(0), BlockIndex(0)}, kNow));
    EXPECT_TRUE(late.take({PieceIndex(1), BlockIndex(0)}, kNow));
}

BlockAddress block(std::uint32_t number) { return {PieceIndex(1), BlockIndex(number)}; }

TEST(LateBlocks, AreOwedUntilTheirTimeIsOver) {
    LateBlocks late;
    late.remember(block(0), kNow, kNow + 2s, kNow);
    late.remember(block(1), kNow, kNow + 4s, kNow);

    EXPECT_EQ(late.owed(kNow, kNow), 2u);
    EXPECT_EQ(late.owed(kNow, kNow + 2s), 1u);
    EXPECT_EQ(late.owed(kNow, kNow + 4s), 0u);
}

TEST(LateBlocks, AreNotOwedOnceTheyCame) {
    LateBlocks late;
    late.remember(block(0), kNow, kNow + 2s, kNow);
    late.remember(block(1), kNow, kNow + 2s, kNow);

    late.take(block(0), kNow);

    EXPECT_EQ(late.owed(kNow, kNow), 1u);
}

TEST(LateBlocks, AreNotOwedOnceSomethingAskedLaterWasAnswered) {
    LateBlocks late;
    late.remember(block(0), kNow, kNow + 9s, kNow + 2s);
    late.remember(block(1), kNow + 1s, kNow + 9s, kNow + 2s);

    late.answered(kNow + 1s);

    EXPECT_EQ(late.owed(kNow + 2s, kNow + 2s), 1u);
    EXPECT_TRUE(late.take(block(0), kNow + 2s)) << "should it come all the same, it is late, not unasked for";
}

TEST(LateBlocks, OfThoseAskedUntilATimeAreCounted) {
    LateBlocks late;
    late.remember(block(0), kNow, kNow + 9s, kNow + 2s);
    late.remember(block(1), kNow + 1s, kNow + 9s, kNow + 2s);

    EXPECT_EQ(late.owed(kNow, kNow + 2s), 1u);
    EXPECT_EQ(late.owed(kNow + 1s, kNow + 2s), 2u);
}

}  // namespace
}  // namespace rqfs::torrent
