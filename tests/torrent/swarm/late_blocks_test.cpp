#include "torrent/swarm/late_blocks.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rqfs::torrent {
namespace {

constexpr TimePoint kNow{std::chrono::seconds(1000)};
constexpr BlockAddress kBlock{PieceIndex(1), BlockIndex(2)};

TEST(LateBlocks, AreKnownOnceForEveryTimeTheyWereRemembered) {
    LateBlocks late;
    late.remember(kBlock, kNow);
    late.remember(kBlock, kNow);

    EXPECT_TRUE(late.take(kBlock, kNow));
    EXPECT_TRUE(late.take(kBlock, kNow));
    EXPECT_FALSE(late.take(kBlock, kNow));
}

TEST(LateBlocks, AreForgottenAfterAMinute) {
    LateBlocks late;
    late.remember(kBlock, kNow);

    EXPECT_FALSE(late.take(kBlock, kNow + std::chrono::seconds(60)));
    EXPECT_TRUE(late.empty());
}

TEST(LateBlocks, AreNoMoreThanTwoQueues) {
    LateBlocks late;
    for (std::uint32_t i = 0; i <= LateBlocks::kEntries; ++i) late.remember({PieceIndex(i), BlockIndex(0)}, kNow);

    EXPECT_EQ(late.size(), LateBlocks::kEntries);
    EXPECT_FALSE(late.take({PieceIndex(0), BlockIndex(0)}, kNow));
    EXPECT_TRUE(late.take({PieceIndex(1), BlockIndex(0)}, kNow));
}

}  // namespace
}  // namespace rqfs::torrent
