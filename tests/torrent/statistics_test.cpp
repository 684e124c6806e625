#include "torrent/statistics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <numeric>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

std::size_t bucket_of(Duration wait) {
    Histogram histogram;
    histogram.add(wait);
    for (std::size_t i = 0; i < histogram.buckets().size(); ++i)
        if (histogram.buckets()[i] == 1) return i;
    return histogram.buckets().size();
}

TEST(Histogram, HasBucketsFromTenMillisecondsToAMinuteAndAbove) {
    EXPECT_EQ(Histogram::kBounds.front(), 10ms);
    EXPECT_EQ(Histogram::kBounds.back(), 60s);
    EXPECT_EQ(Histogram().buckets().size(), Histogram::kBounds.size() + 1);
}

TEST(Histogram, BoundsGrowAndNeverMoreThanTwofold) {
    for (std::size_t i = 1; i < Histogram::kBounds.size(); ++i) {
        EXPECT_LT(Histogram::kBounds[i - 1], Histogram::kBounds[i]);
        EXPECT_LE(Histogram::kBounds[i], 2 * Histogram::kBounds[i - 1]);
    }
}

TEST(Histogram, PutsAWaitOfABoundIntoItsBucketAndALongerOneIntoTheNext) {
    for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
        EXPECT_EQ(bucket_of(Histogram::kBounds[i]), i);
        EXPECT_EQ(bucket_of(Histogram::kBounds[i] + 1ns), i + 1);
    }
}

TEST(Histogram, TakesAnyWait) {
    EXPECT_EQ(bucket_of(0ns), 0u);
    EXPECT_EQ(bucket_of(-1s), 0u);
    EXPECT_EQ(bucket_of(1000h), Histogram::kBounds.size());
}

TEST(Histogram, CountsAndAddsUp) {
    Histogram histogram;

    histogram.add(20ms);
    histogram.add(3s);
    histogram.add(-1s);

    EXPECT_EQ(histogram.count(), 3u);
    EXPECT_EQ(histogram.sum(), 3020ms);
    EXPECT_EQ(histogram.longest(), 3s);
    EXPECT_EQ(std::accumulate(histogram.buckets().begin(), histogram.buckets().end(), 0u), 3u);
}

TEST(Histogram, HasNoQuantileWithoutWaits) { EXPECT_FALSE(Histogram().quantile(0.5)); }

TEST(Histogram, AQuantileLiesInTheBucketOfItsRank) {
    Histogram histogram;
    for (int i = 0; i < 90; ++i) histogram.add(40ms);
    for (int i = 0; i < 10; ++i) histogram.add(4s);

    EXPECT_GT(*histogram.quantile(0.5), 30ms);
    EXPECT_LE(*histogram.quantile(0.5), 50ms);
    EXPECT_GT(*histogram.quantile(0.95), 3s);
    EXPECT_LE(*histogram.quantile(0.95), 4s);
}

TEST(Histogram, QuantilesGrowWithTheirShareFromTheFirstBucketToTheLongestWait) {
    Histogram histogram;
    for (auto const wait : {1ms, 12ms, 12ms, 400ms, 401ms, 2s + 0ms, 90s + 0ms, 200s + 0ms}) histogram.add(wait);
    auto before = Duration::zero();

    for (int percent = 0; percent <= 100; ++percent) {
        auto const now = *histogram.quantile(percent / 100.0);
        EXPECT_GE(now, before) << percent;
        before = now;
    }

    EXPECT_EQ(before, 200s);
    EXPECT_LE(*histogram.quantile(0.0), 10ms);
}

TEST(Histogram, AQuantileIsNeverMoreThanTheLongestWait) {
    Histogram histogram;
    histogram.add(31ms);

    EXPECT_EQ(histogram.quantile(1.0), 31ms);
    EXPECT_LE(*histogram.quantile(0.5), 31ms);
    EXPECT_EQ(histogram.quantile(7.0), histogram.quantile(1.0));
    EXPECT_EQ(histogram.quantile(-1.0), histogram.quantile(0.0));
}

TEST(ReceivedBytes, WastedIsAllThatDidNotStay) {
    ReceivedBytes const received{.wanted = 1000, .duplicate = 1, .late = 20, .failed_hash = 300, .dropped = 4000};

    EXPECT_EQ(received.wasted(), 4321u);
}

}  // namespace
}  // namespace rqfs::torrent
