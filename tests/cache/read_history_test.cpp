#include "cache/read_history.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace rqfs::cache {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

TEST(ReadHistory, CallsAReadSequentialThatGoesOnWhereAnotherEnded) {
    ReadHistory history;
    ASSERT_FALSE(history.sequential({500 * kMiB, 500 * kMiB + 4096}));

    EXPECT_TRUE(history.sequential({500 * kMiB + 4096, 500 * kMiB + 8192}));
    EXPECT_TRUE(history.sequential({500 * kMiB + 8192, 500 * kMiB + 12288}));
}

TEST(ReadHistory, CallsScatteredSmallReadsRandom) {
    ReadHistory history;

    for (std::uint64_t i = 1; i < 100; ++i) EXPECT_FALSE(history.sequential({(i * 37 % 100) * 10 * kMiB + kMiB, (i * 37 % 100) * 10 * kMiB + kMiB + 4096})) << i;
}

TEST(ReadHistory, FollowsSeveralReadersSideBySide) {
    ReadHistory history;
    for (std::uint64_t reader = 1; reader <= 10; ++reader) history.sequential({reader * 100 * kMiB, reader * 100 * kMiB + 16384});

    for (std::uint64_t step = 1; step < 50; ++step)
        for (std::uint64_t reader = 1; reader <= 10; ++reader)
            EXPECT_TRUE(history.sequential({reader * 100 * kMiB + step * 16384, reader * 100 * kMiB + (step + 1) * 16384}));
}

TEST(ReadHistory, CallsScatteredLargeReadsRandom) {
    ReadHistory history;

    for (std::uint64_t i = 1; i < 100; ++i) EXPECT_FALSE(history.sequential({i * 37 % 100 * 10 * kMiB, i * 37 % 100 * 10 * kMiB + 131072})) << i;
}

TEST(ReadHistory, CallsTheSecondOfTwoLargeReadsSequential) {
    ReadHistory history;
    ASSERT_FALSE(history.sequential({700 * kMiB, 700 * kMiB + 131072}));

    EXPECT_TRUE(history.sequential({700 * kMiB + 131072, 700 * kMiB + 262144}));
}

}  // namespace
}  // namespace rqfs::cache
