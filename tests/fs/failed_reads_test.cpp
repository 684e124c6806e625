#include "fs/failed_reads.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rqfs::fs {
namespace {

TEST(FailedReads, KnowTheSecondTryOnceAndNotForLong) {
    using namespace std::chrono_literals;
    torrent::TimePoint const now(1000h);
    FailedReads reads;
    reads.failed({0, 131'072}, now);

    EXPECT_FALSE(reads.is_second_try({131'072, 135'168}, now));
    EXPECT_FALSE(reads.is_second_try({0, 262'144}, now));
    EXPECT_TRUE(reads.is_second_try({4096, 8192}, now + 1ms));
    EXPECT_FALSE(reads.is_second_try({4096, 8192}, now + 2ms));

    reads.failed({0, 131'072}, now);
    EXPECT_FALSE(reads.is_second_try({0, 4096}, now + 2s));
}

TEST(FailedReads, AreBounded) {
    FailedReads reads;
    torrent::TimePoint const now(std::chrono::hours(1));
    for (int i = 0; i < 1000; ++i) reads.failed({0, 10}, now);

    int known = 0;
    while (reads.is_second_try({0, 10}, now)) ++known;

    EXPECT_EQ(known, 64);
}

}  // namespace
}  // namespace rqfs::fs
