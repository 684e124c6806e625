#include "torrent/dht/search_schedule.h"

#include "tests/torrent/dht/bytes.h"
#include "torrent/dht/dht_state.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

struct Schedule : testing::Test {
    TimePoint now{1000h};
    SearchSchedule schedule{now};

    Duration after(std::size_t replies, std::size_t peers, std::size_t announces = 0) {
        schedule.began();
        schedule.ended(replies, peers, announces, 0, now);
        return schedule.due() - now;
    }
};

TEST_F(Schedule, SearchesAtOnceAndThenEachQuarterOfAnHour) {
    EXPECT_TRUE(schedule.is_due(now));
    schedule.began();
    EXPECT_FALSE(schedule.is_due(now + 24h));
    EXPECT_EQ(after(8, 3), Duration(15min));
}

TEST_F(Schedule, SearchesAgainSoonWhileNobodyIsFound) {
    EXPECT_EQ(after(8, 0), Duration(5s));
    EXPECT_EQ(after(8, 0), Duration(10s));
    EXPECT_EQ(after(8, 0), Duration(20s));
    for (int i = 0; i < 40; ++i) EXPECT_LE(after(8, 0), Duration(16min));
    EXPECT_EQ(after(8, 0), Duration(15min));
}

TEST_F(Schedule, WhereFewAnswerTheyAreAskedAndToldAgainSoonAndThenEverLater) {
    EXPECT_EQ(after(7, 3, 7), Duration(30s));
    EXPECT_TRUE(schedule.announces(now + 30s));
    EXPECT_EQ(after(1, 3, 1), Duration(60s));
    for (int i = 0; i < 40; ++i) EXPECT_LE(after(3, 1, 3), Duration(16min));
    EXPECT_EQ(after(3, 1, 3), Duration(15min)) << "they are all there are";

    EXPECT_EQ(after(8, 3, 8), Duration(15min));
    EXPECT_FALSE(schedule.announces(now + 5min));
    EXPECT_EQ(after(2, 3, 2), Duration(30s)) << "as at first";
}

TEST_F(Schedule, WhoFoundNobodyToAskTriesAgainAsSoonAsThereAreNodes) {
    after(0, 0);
    schedule.nodes_known(now);
    EXPECT_TRUE(schedule.is_due(now));
    after(8, 0);
    schedule.nodes_known(now);
    EXPECT_FALSE(schedule.is_due(now));
}

TEST_F(Schedule, WhatNobodyAnsweredSaysNothingOfPeers) {
    for (int i = 0; i < 20; ++i) after(0, 0);
    schedule.nodes_known(now);
    EXPECT_TRUE(schedule.is_due(now));

    EXPECT_EQ(after(8, 0), Duration(5s)) << "as after the first search";
    schedule.hurry(now);
    EXPECT_LE(schedule.due() - now, Duration(30s));
}

TEST_F(Schedule, ASearchThatEndsUnansweredAsNodesComeIsRepeatedAtOnce) {
    schedule.began();
    schedule.nodes_known(now);
    schedule.ended(0, 0, 0, 0, now + 3s);

    EXPECT_TRUE(schedule.is_due(now + 3s));
}

TEST_F(Schedule, HurriesForWhoWaitsButNotWithoutEnd) {
    after(8, 3);
    schedule.hurry(now + 10s);
    EXPECT_FALSE(schedule.is_due(now + 10s));
    schedule.hurry(now + 30s);
    EXPECT_TRUE(schedule.is_due(now + 30s));
}

TEST_F(Schedule, KnowsSinceWhenSomebodyWaitsUntilNobodySaysSoAnyMore) {
    EXPECT_FALSE(schedule.waited_for(now));
    EXPECT_TRUE(schedule.hurry(now));
    EXPECT_FALSE(schedule.hurry(now + 9s)) << "nothing new";
    EXPECT_EQ(schedule.waited_for(now + 18s), now);
    EXPECT_FALSE(schedule.waited_for(now + 19s));
    EXPECT_TRUE(schedule.hurry(now + 20s));
    EXPECT_EQ(schedule.waited_for(now + 20s), now + 20s);
}

TEST_F(Schedule, HurriesLessAndLessWhereNobodyIsFound) {
    std::vector<Duration> waits;
    for (int i = 0; i < 16; ++i) {
        after(8, 0);
        schedule.hurry(now);
        waits.push_back(schedule.due() - now);
    }

    EXPECT_EQ(waits[4], Duration(30s));
    EXPECT_EQ(waits[7], Duration(30s));
    EXPECT_EQ(waits[8], Duration(60s));
    EXPECT_EQ(waits[15], Duration(15min));
    after(8, 1);
    schedule.hurry(now);
    EXPECT_EQ(schedule.due() - now, Duration(30s));
}

TEST_F(Schedule, AnnouncesWithEachSearchThatIsNotTooSoon) {
    EXPECT_TRUE(schedule.announces(now));
    after(8, 3, 8);
    EXPECT_FALSE(schedule.announces(now + 5min));
    EXPECT_TRUE(schedule.announces(now + 15min));
    schedule.announce_again(now);
    EXPECT_TRUE(schedule.announces(now));
    EXPECT_TRUE(schedule.is_due(now));
}

TEST(DhtStateTest, IsReadAsItWasWritten) {
    std::mt19937 random(1);
    DhtState state;
    state.id4 = tests::random_id(random);
    state.nodes = {{tests::random_id(random), tests::endpoint("1.2.3.4:5")},
                   {tests::random_id(random), tests::endpoint("[2600::1]:5")}};

    auto const read = DhtState::parse(state.encode());

    EXPECT_EQ(read.id4, state.id4);
    EXPECT_FALSE(read.id6);
    EXPECT_EQ(read.nodes, state.nodes);
}

TEST(DhtStateTest, DamagedIsHarmless) {
    std::mt19937 random(2);
    DhtState state;
    state.id4 = state.id6 = tests::random_id(random);
    for (std::uint32_t i = 0; i < 40; ++i) state.nodes.push_back({tests::random_id(random), tests::nth_endpoint(i)});
    auto const good = state.encode();
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        auto damaged = good;
        damaged[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_LE(DhtState::parse(damaged).nodes.size(), 40u);
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_TRUE(DhtState::parse(std::span(good).first(size)).nodes.empty());
}

}  // namespace
}  // namespace rqfs::torrent
