#include "torrent/tracker/announce_schedule.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

using Tiers = std::vector<std::vector<std::string>>;

// A schedule without jitter, and a clock that the test moves.
class AnnounceScheduleTest : public ::testing::Test {
protected:
    // The one job that is due.
    AnnounceSchedule::Job only_job() {
        auto const jobs = schedule.due(now);
        EXPECT_EQ(jobs.size(), 1u);
        return jobs.empty() ? AnnounceSchedule::Job() : jobs.front();
    }
    std::string url_of(AnnounceSchedule::Job const& job) { return schedule.url(job.tracker); }
    void succeed(AnnounceSchedule::Job const& job, std::optional<seconds> interval = std::nullopt,
                 std::optional<seconds> least = std::nullopt) {
        AnnounceResponse response;
        response.interval = interval;
        response.min_interval = least;
        schedule.succeeded(job.tracker, now, job.event, response);
    }
    void fail(AnnounceSchedule::Job const& job, bool reached = false) {
        AnnounceFailure failure;
        failure.what = "no";
        failure.reached = reached;
        schedule.failed(job.tracker, now, failure);
    }
    Duration wait() { return schedule.next().value_or(TimePoint::max()) - now; }

    TimePoint now{hours(1000)};
    AnnounceSchedule schedule{1, 0};
};

TEST_F(AnnounceScheduleTest, SaysStartedFirstAndNothingAfterwards) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);

    auto const first = only_job();
    succeed(first, seconds(600));
    now += seconds(600);
    auto const second = only_job();

    EXPECT_EQ(first.event, AnnounceEvent::started);
    EXPECT_EQ(second.event, AnnounceEvent::none);
}

TEST_F(AnnounceScheduleTest, IsSilentBeforeStartAndAfterStop) {
    schedule.merge({{"a"}}, now);
    EXPECT_TRUE(schedule.due(now).empty());
    schedule.start(now);
    succeed(only_job());

    auto const told = schedule.stop();
    now += hours(48);

    EXPECT_EQ(told, std::vector<AnnounceSchedule::Id>{0});
    EXPECT_TRUE(schedule.due(now).empty());
    EXPECT_FALSE(schedule.next());
}

TEST_F(AnnounceScheduleTest, TellsStoppedOnlyToTrackersThatHeardStarted) {
    schedule.merge({{"dead"}, {"alive"}}, now);
    schedule.start(now);
    fail(only_job());
    succeed(only_job());

    EXPECT_EQ(schedule.stop(), std::vector<AnnounceSchedule::Id>{1});
}

TEST_F(AnnounceScheduleTest, TriesAWholeTierBeforeTheNextAndStaysWithWhatWorks) {
    schedule.merge({{"a1", "a2", "a3"}, {"b"}, {"c"}}, now);
    schedule.start(now);

    std::vector<std::string> tried;
    for (int i = 0; i < 3; ++i) {
        auto const job = only_job();
        tried.push_back(url_of(job));
        fail(job);
    }
    auto const next_tier = only_job();
    succeed(next_tier);

    std::sort(tried.begin(), tried.end());
    EXPECT_EQ(tried, (std::vector<std::string>{"a1", "a2", "a3"}));
    EXPECT_EQ(url_of(next_tier), "b");
    EXPECT_TRUE(schedule.due(now).empty());
}

TEST_F(AnnounceScheduleTest, MovesASuccessfulTrackerToTheFrontOfItsTier) {
    schedule.merge({{"a", "b", "c"}}, now);
    schedule.start(now);
    fail(only_job());
    auto const second = only_job();
    succeed(second);

    auto const tiers = schedule.tiers();

    EXPECT_EQ(tiers[0].front(), url_of(second));
    EXPECT_EQ(tiers[0].size(), 3u);
}

TEST_F(AnnounceScheduleTest, ShufflesATierOnceAndKeepsTheOrderOfTiers) {
    std::set<std::string> firsts;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        AnnounceSchedule each(seed, 0);
        each.merge({{"a", "b", "c"}, {"d"}}, now);
        auto const tiers = each.tiers();
        firsts.insert(tiers[0][0]);
        EXPECT_EQ(tiers[1][0], "d");
        EXPECT_EQ(each.tiers(), tiers);
    }

    EXPECT_EQ(firsts, (std::set<std::string>{"a", "b", "c"}));
}

TEST_F(AnnounceScheduleTest, GoesBackToTheFirstTierAtTheNextRound) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.start(now);
    fail(only_job());
    succeed(only_job(), seconds(1800));

    now += seconds(1800);

    EXPECT_EQ(url_of(only_job()), "a");
}

TEST_F(AnnounceScheduleTest, BacksOffByTheSquareOfItsFailuresUpToAnHour) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);

    std::vector<Duration> waits;
    for (int i = 0; i < 20; ++i) {
        fail(only_job());
        EXPECT_TRUE(schedule.due(now).empty());
        waits.push_back(wait());
        now += wait();
    }

    EXPECT_EQ(waits[0], milliseconds(17'500));
    EXPECT_EQ(waits[1], seconds(55));
    EXPECT_EQ(waits[2], milliseconds(117'500));
    EXPECT_EQ(waits[9], seconds(1255));
    EXPECT_EQ(waits[19], seconds(3600));
}

TEST_F(AnnounceScheduleTest, WaitsAMinuteAfterAFailureThatTheTrackerItselfGave) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    auto const job = only_job();

    fail(job, true);
    schedule.due(now);

    EXPECT_EQ(wait(), seconds(60));
}

TEST_F(AnnounceScheduleTest, HonoursRetryInAndNever) {
    schedule.merge({{"later"}, {"never"}}, now);
    schedule.start(now);
    AnnounceFailure later;
    later.retry_in = minutes(45);
    schedule.failed(only_job().tracker, now, later);
    AnnounceFailure never;
    never.never = true;
    schedule.failed(only_job().tracker, now, never);

    EXPECT_TRUE(schedule.due(now).empty());
    EXPECT_EQ(wait(), minutes(45));
    now += minutes(45);
    auto const again = only_job();
    fail(again);
    now += hours(24);

    EXPECT_EQ(url_of(again), "later");
    EXPECT_EQ(url_of(only_job()), "later");
}

TEST_F(AnnounceScheduleTest, SaysCompletedAtOnceAndOnlyOnceAndAgainWhenItFailed) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    succeed(only_job());
    now += seconds(10);

    schedule.completed();
    auto const first = only_job();
    fail(first);
    EXPECT_TRUE(schedule.due(now).empty());
    now += seconds(20);
    auto const second = only_job();
    succeed(second, seconds(900));
    now += seconds(900);

    EXPECT_EQ(first.event, AnnounceEvent::completed);
    EXPECT_EQ(second.event, AnnounceEvent::completed);
    EXPECT_EQ(only_job().event, AnnounceEvent::none);
}

TEST_F(AnnounceScheduleTest, ATrackerThatNeverHeardStartedIsNotToldCompleted) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    fail(only_job());

    schedule.completed();
    now += seconds(60);

    EXPECT_EQ(only_job().event, AnnounceEvent::started);
}

TEST_F(AnnounceScheduleTest, AnnouncesEarlyNoSoonerThanTheTrackersMinInterval) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    succeed(only_job(), seconds(1800), seconds(300));
    now += seconds(100);

    schedule.announce_now(now);

    EXPECT_TRUE(schedule.due(now).empty());
    EXPECT_EQ(wait(), seconds(200));
    now += seconds(200);
    EXPECT_EQ(only_job().event, AnnounceEvent::none);
}

TEST_F(AnnounceScheduleTest, AnnouncesEarlyAfterTwoMinutesWhereNoMinIntervalIsNamed) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    succeed(only_job(), seconds(1800));

    schedule.announce_now(now);
    schedule.due(now);

    EXPECT_EQ(wait(), seconds(120));
}

TEST_F(AnnounceScheduleTest, UrgentAsksTheFirstTrackerOfEveryTierAtOnce) {
    schedule.merge({{"a"}, {"b"}, {"c"}}, now);
    schedule.start(now);

    schedule.urgent();
    auto const jobs = schedule.due(now);

    ASSERT_EQ(jobs.size(), 3u);
    EXPECT_TRUE(schedule.due(now).empty());
}

TEST_F(AnnounceScheduleTest, UrgentRepeatedAsksNobodyTwiceWithinHisMinInterval) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.start(now);
    schedule.urgent();
    for (auto const& job : schedule.due(now)) succeed(job, seconds(1800), seconds(900));

    std::size_t jobs = 0;
    for (int second = 0; second < 899; ++second) {
        now += seconds(1);
        schedule.urgent();
        jobs += schedule.due(now).size();
    }

    EXPECT_EQ(jobs, 0u);
    now += seconds(1);
    schedule.urgent();
    EXPECT_EQ(schedule.due(now).size(), 2u);
}

TEST_F(AnnounceScheduleTest, UrgentDoesNotWidenAPrivateTorrent) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.set_private(true);
    schedule.start(now);

    schedule.urgent();

    EXPECT_EQ(url_of(only_job()), "a");
}

TEST_F(AnnounceScheduleTest, ARoundDoesNotRepeatWhatUrgentHasJustAsked) {
    schedule.merge({{"dead"}, {"alive"}}, now);
    schedule.start(now);
    schedule.urgent();
    auto const jobs = schedule.due(now);
    ASSERT_EQ(jobs.size(), 2u);
    succeed(jobs[1], seconds(1800));
    now += seconds(30);
    fail(jobs[0]);

    EXPECT_TRUE(schedule.due(now).empty());
    EXPECT_EQ(wait(), seconds(1770));
}

TEST_F(AnnounceScheduleTest, MergeAddsOnlyNewTrackersAndAnnouncesWhenNothingWorks) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    fail(only_job());
    schedule.due(now);

    schedule.merge({{"a"}, {"b", "a"}, {"b"}}, now);

    EXPECT_EQ(schedule.tiers(), (Tiers{{"a"}, {"b"}}));
    EXPECT_EQ(url_of(only_job()), "b");
}

TEST_F(AnnounceScheduleTest, KeepsNoMoreTrackersThanTheLimit) {
    Tiers many;
    for (int i = 0; i < 1000; ++i) many.push_back({"t" + std::to_string(i)});

    schedule.merge(many, now);

    EXPECT_EQ(schedule.size(), limit::kTrackersPerTorrent);
}

TEST_F(AnnounceScheduleTest, NeverAsksAnUnusableTrackerAndSaysWhy) {
    schedule.merge({{"wss://x"}, {"b"}}, now);
    schedule.unusable(0, "no such kind");
    schedule.start(now);
    schedule.urgent();

    auto const job = only_job();
    auto const status = schedule.status(now);

    EXPECT_EQ(url_of(job), "b");
    EXPECT_EQ(status[0].state, "failed");
    EXPECT_EQ(status[0].message, "no such kind");
    EXPECT_EQ(status[1].state, "announcing");
}

TEST_F(AnnounceScheduleTest, ShowsWhatATrackerSaidAndWhenItIsAskedNext) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    auto const job = only_job();
    AnnounceResponse response;
    response.interval = seconds(900);
    response.warning = "slow down";
    response.counts = {5, 6, 7};
    response.peers.resize(3);
    schedule.succeeded(job.tracker, now, job.event, response);
    now += seconds(100);

    auto const row = schedule.status(now).at(0);

    EXPECT_EQ(row.state, "working");
    EXPECT_EQ(row.message, "slow down");
    EXPECT_EQ(row.peers, 3u);
    EXPECT_EQ(row.seeders, 5u);
    EXPECT_EQ(row.leechers, 6u);
    EXPECT_EQ(row.downloads, 7u);
    EXPECT_EQ(row.next_announce, seconds(800));
}

TEST(AnnounceSchedule, JitterStaysWithinATenthAndAboveAMinute) {
    TimePoint const now{hours(1000)};
    std::set<Duration> waits;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        for (auto const asked : {seconds(60), seconds(1800)}) {
            AnnounceSchedule schedule(seed);
            schedule.merge({{"a"}}, now);
            schedule.start(now);
            auto const jobs = schedule.due(now);
            AnnounceResponse response;
            response.interval = asked;
            schedule.succeeded(jobs.at(0).tracker, now, jobs[0].event, response);
            auto const wait = *schedule.next() - now;
            EXPECT_GE(wait, std::max<Duration>(seconds(60), asked * 9 / 10));
            EXPECT_LE(wait, asked * 11 / 10);
            waits.insert(wait);
        }
    }

    EXPECT_GT(waits.size(), 200u);
}

// Whatever trackers answer and whatever is asked of the schedule, a tracker that answers is left alone for a minute,
// completed aside.
TEST(AnnounceSchedule, NoTrackerThatAnswersIsAskedTwiceWithinAMinuteUnderAnyLie) {
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        AnnounceSchedule schedule(seed);
        TimePoint now{hours(1000)};
        schedule.merge({{"a", "b"}, {"c"}, {"d", "e"}}, now);
        schedule.start(now);
        std::map<AnnounceSchedule::Id, TimePoint> last;
        std::vector<AnnounceSchedule::Job> open;
        for (int step = 0; step < 2000; ++step) {
            for (auto const& job : schedule.due(now)) {
                if (auto const before = last.find(job.tracker); before != last.end()) {
                    EXPECT_GE(now - before->second, seconds(60));
                }
                last[job.tracker] = now;
                open.push_back(job);
            }
            now += milliseconds(random() % 5000);
            if (random() % 10 == 0) schedule.urgent();
            if (random() % 10 == 0) schedule.announce_now(now);
            if (open.empty() || random() % 3 == 0) continue;
            auto const job = open.back();
            open.pop_back();
            if (random() % 2 == 0) {
                AnnounceFailure failure;
                if (random() % 2 == 0) failure.retry_in = seconds(static_cast<int>(random() % 100) - 50);
                schedule.failed(job.tracker, now, failure);
            } else {
                AnnounceResponse response;
                if (random() % 2 == 0) response.interval = seconds(static_cast<int>(random() % 300) - 100);
                if (random() % 2 == 0) response.min_interval = seconds(static_cast<int>(random() % 300) - 100);
                schedule.succeeded(job.tracker, now, job.event, response);
            }
        }
        EXPECT_GE(last.size(), 1u);
    }
}

}  // namespace
}  // namespace rqfs::torrent
