#include "torrent/tracker/announce_schedule.h"

#include "tests/torrent/tracker/outcome.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
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
        schedule.ended(job, now, over_v4(response));
    }
    void fail(AnnounceSchedule::Job const& job, bool reached = false) {
        AnnounceFailure failure;
        failure.what = "no";
        failure.reached = reached;
        schedule.ended(job, now, over_v4(failure));
    }
    AnnounceResponse reply(seconds interval = seconds(1800)) {
        AnnounceResponse response;
        response.interval = interval;
        return response;
    }
    AnnounceFailure no_answer() {
        AnnounceFailure failure;
        failure.what = "no";
        failure.reached = false;
        return failure;
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

    EXPECT_EQ(first.events[false], AnnounceEvent::started);
    EXPECT_EQ(second.events[false], AnnounceEvent::none);
}

TEST_F(AnnounceScheduleTest, IsSilentBeforeStartAndAfterStop) {
    schedule.merge({{"a"}}, now);
    EXPECT_TRUE(schedule.due(now).empty());
    schedule.start(now);
    succeed(only_job());

    auto const told = schedule.stop();
    now += hours(48);

    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].tracker, 0u);
    EXPECT_EQ(told[0].events[false], AnnounceEvent::stopped);
    EXPECT_TRUE(schedule.due(now).empty());
    EXPECT_FALSE(schedule.next());
}

TEST_F(AnnounceScheduleTest, TellsStoppedOnlyToTrackersThatHeardStarted) {
    schedule.merge({{"dead"}, {"alive"}}, now);
    schedule.start(now);
    fail(only_job());
    succeed(only_job());

    auto const told = schedule.stop();

    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].tracker, 1u);
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
    schedule.ended(only_job(), now, over_v4(later));
    AnnounceFailure never;
    never.never = true;
    schedule.ended(only_job(), now, over_v4(never));

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

    EXPECT_EQ(first.events[false], AnnounceEvent::completed);
    EXPECT_EQ(second.events[false], AnnounceEvent::completed);
    EXPECT_EQ(only_job().events[false], AnnounceEvent::none);
}

TEST_F(AnnounceScheduleTest, ATrackerThatNeverHeardStartedIsNotToldCompleted) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    fail(only_job());

    schedule.completed();
    now += seconds(60);

    EXPECT_EQ(only_job().events[false], AnnounceEvent::started);
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
    EXPECT_EQ(only_job().events[false], AnnounceEvent::none);
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
    schedule.ended(job, now, over_v4(response));
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

TEST_F(AnnounceScheduleTest, AFamilyThatFailedIsTriedAgainAloneAndHearsWhatItMissed) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    schedule.ended(only_job(), now, over_v4_not_v6(reply(), no_answer()));
    EXPECT_TRUE(schedule.due(now).empty());
    EXPECT_EQ(wait(), milliseconds(17'500));

    now += milliseconds(17'500);
    auto const again = only_job();
    EXPECT_EQ(schedule.status(now)[0].state, "working") << "over the other family it does";
    schedule.ended(again, now, over(true, reply()));

    EXPECT_EQ(again.only_v6, true);
    EXPECT_EQ(again.events[true], AnnounceEvent::started);
    EXPECT_EQ(wait(), seconds(1800) - milliseconds(17'500)) << "the other family's turn stays where it was";
    now += wait();
    auto const both = only_job();
    EXPECT_FALSE(both.only_v6);
    EXPECT_EQ(both.events, (PerFamily<AnnounceEvent>{}));
}

TEST_F(AnnounceScheduleTest, AFamilyThatGoesOnFailingBacksOffAndHarmsNothing) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.start(now);
    schedule.ended(only_job(), now, over_v4_not_v6(reply(), no_answer()));

    std::size_t alone = 0;
    std::size_t over_ipv4 = 0;
    for (auto const end = now + hours(24); now < end; now += seconds(1)) {
        for (auto const& job : schedule.due(now)) {
            EXPECT_EQ(url_of(job), "a");
            if (job.only_v6 == true) {
                ++alone;
                schedule.ended(job, now, over(true, no_answer()));
            } else if (job.only_v6 == false) {
                ++over_ipv4;
                schedule.ended(job, now, over_v4(reply()));
            } else {
                ++over_ipv4;
                schedule.ended(job, now, over_v4_not_v6(reply(), no_answer()));
            }
            EXPECT_EQ(schedule.status(now)[0].state, "working");
        }
    }

    EXPECT_EQ(over_ipv4, 47u);
    EXPECT_LE(alone, 40u);
    EXPECT_GE(alone, 24u);
    auto const families = schedule.status(now)[0].families;
    ASSERT_EQ(families.size(), 2u);
    EXPECT_EQ(families[0].state, "working");
    EXPECT_EQ(families[1].state, "failed");
    EXPECT_EQ(families[1].message, "no");
}

TEST_F(AnnounceScheduleTest, EachFamilyThatHeardOfUsHearsCompletedAndStopped) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    AnnounceOutcome both;
    both.families = {reply(), reply()};
    both.all = reply();
    schedule.ended(only_job(), now, both);
    schedule.completed();
    auto const told = only_job();
    EXPECT_EQ(told.events, (PerFamily<AnnounceEvent>{AnnounceEvent::completed, AnnounceEvent::completed}));
    schedule.ended(told, now, over_v4_not_v6(reply(), no_answer()));

    now += wait();
    auto const once_more = only_job();
    schedule.ended(once_more, now, over(true, reply()));

    EXPECT_EQ(once_more.only_v6, true);
    EXPECT_EQ(once_more.events[true], AnnounceEvent::completed);
    auto const stopped = schedule.stop();
    ASSERT_EQ(stopped.size(), 1u);
    EXPECT_FALSE(stopped[0].only_v6);
}

TEST_F(AnnounceScheduleTest, OnlyTheFamilyThatHeardStartedHearsStopped) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    schedule.ended(only_job(), now, over_v4_not_v6(reply(), no_answer()));

    EXPECT_EQ(schedule.stop().at(0).only_v6, false);
}

TEST_F(AnnounceScheduleTest, AFamilyThatIsGoneIsNotTriedAgain) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    schedule.ended(only_job(), now, over_v4_not_v6(reply(), no_answer()));
    now += wait();
    auto const again = only_job();
    AnnounceOutcome nowhere;
    nowhere.all = no_answer();

    schedule.ended(again, now, nowhere);

    EXPECT_EQ(schedule.status(now)[0].state, "working");
    EXPECT_EQ(wait(), seconds(1800) - milliseconds(17'500));
}

TEST_F(AnnounceScheduleTest, AnAskedTrackerIsAnnouncedToWhateverItsTurn) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.start(now);
    succeed(only_job());

    auto const refused = schedule.ask(1, now);

    EXPECT_FALSE(refused);
    auto const job = only_job();
    EXPECT_EQ(url_of(job), "b");
    EXPECT_EQ(job.events[false], AnnounceEvent::started);
    succeed(job);
    EXPECT_EQ(wait(), seconds(1800)) << "the rounds go on with the first";
}

// Whoever waits for what comes of it must not take the last answer for it.
TEST_F(AnnounceScheduleTest, AnAskedTrackerIsShownAsAnnouncingBeforeItsAnnounceBegins) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    fail(only_job());

    EXPECT_FALSE(schedule.ask(0, now));

    EXPECT_EQ(schedule.status(now).front().state, "announcing");
    fail(only_job());
    EXPECT_EQ(schedule.status(now).front().state, "failed");
}

TEST_F(AnnounceScheduleTest, AskingNoSoonerThanTheMinIntervalSaysWhen) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    EXPECT_FALSE(schedule.ask(0, now));
    auto const job = only_job();
    EXPECT_FALSE(schedule.ask(0, now)) << "it is being asked";
    succeed(job, seconds(1800), seconds(900));
    now += milliseconds(100'500);

    EXPECT_EQ(schedule.ask(0, now), "a may be asked again in 800 s");
    EXPECT_TRUE(schedule.due(now).empty());
    now += milliseconds(799'500);
    EXPECT_FALSE(schedule.ask(0, now));
    EXPECT_EQ(only_job().events[false], AnnounceEvent::none);
}

TEST_F(AnnounceScheduleTest, AskingWhileOneFamilyIsTriedAgainAsksBothAfterwards) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    schedule.ended(only_job(), now, over_v4_not_v6(reply(), no_answer()));
    now += minutes(2);
    auto const again = only_job();

    EXPECT_FALSE(schedule.ask(0, now));
    EXPECT_TRUE(schedule.due(now).empty());
    schedule.ended(again, now, over(true, no_answer()));

    EXPECT_FALSE(only_job().only_v6);
}

TEST_F(AnnounceScheduleTest, AskingOverridesOurOwnPatienceButNotTheTrackers) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    for (int i = 0; i < 5; ++i) {
        fail(only_job());
        EXPECT_TRUE(schedule.due(now).empty());
        EXPECT_FALSE(schedule.ask(0, now)) << "nobody was reached";
    }
    fail(only_job(), true);
    EXPECT_EQ(schedule.ask(0, now), "a may be asked again in 60 s");
    now += seconds(60);
    EXPECT_FALSE(schedule.ask(0, now));
    AnnounceFailure later;
    later.what = "come back";
    later.retry_in = minutes(10);
    schedule.ended(only_job(), now, over_v4(later));
    EXPECT_EQ(schedule.ask(0, now), "a may be asked again in 600 s");
    now += minutes(10);
    EXPECT_FALSE(schedule.ask(0, now));
    AnnounceFailure never;
    never.what = "banned";
    never.never = true;
    schedule.ended(only_job(), now, over_v4(never));
    now += hours(24);

    EXPECT_EQ(schedule.ask(0, now), "a told us never to ask again: banned");
    EXPECT_TRUE(schedule.due(now).empty());
}

TEST_F(AnnounceScheduleTest, AnUnusableTrackerCannotBeAsked) {
    schedule.merge({{"wss://x"}}, now);
    schedule.unusable(0, "no such kind");
    schedule.start(now);

    EXPECT_EQ(schedule.ask(0, now), "wss://x cannot be asked: no such kind");
}

TEST_F(AnnounceScheduleTest, ArrangesTrackersAndKeepsWhatIsKnownOfThem) {
    schedule.merge({{"a"}, {"b"}, {"c"}}, now);
    schedule.start(now);
    succeed(only_job(), seconds(900));
    schedule.merge({{"d"}}, now);

    schedule.arrange({{"d"}, {"c", "a"}}, now);

    EXPECT_EQ(schedule.tiers(), (Tiers{{"d"}, {"a", "c"}}));
    EXPECT_EQ(schedule.status(now)[1].state, "working");
    EXPECT_EQ(wait(), seconds(900));
    EXPECT_FALSE(schedule.find("b"));
    EXPECT_EQ(schedule.find("c"), 2u);
}

TEST_F(AnnounceScheduleTest, WhenTheWorkingTrackerIsTakenOutAnotherIsFound) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.start(now);
    succeed(only_job());

    schedule.arrange({{"b"}}, now);

    EXPECT_EQ(url_of(only_job()), "b");
}

TEST_F(AnnounceScheduleTest, WhenTheTrackerBeingAskedIsTakenOutTheRoundGoesOn) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.start(now);
    auto const job = only_job();

    schedule.arrange({{"b"}}, now);
    auto const next = only_job();
    succeed(job);

    EXPECT_EQ(url_of(next), "b");
    EXPECT_EQ(schedule.size(), 1u);
    EXPECT_EQ(schedule.status(now)[0].state, "announcing");
}

TEST_F(AnnounceScheduleTest, WithoutTrackersThereIsNothingToDoUntilOneIsAdded) {
    schedule.merge({{"a"}}, now);
    schedule.start(now);
    succeed(only_job());
    schedule.arrange({}, now);
    EXPECT_TRUE(schedule.due(now).empty());
    EXPECT_FALSE(schedule.next());

    schedule.merge({{"b"}}, now);

    EXPECT_EQ(url_of(only_job()), "b");
}

TEST_F(AnnounceScheduleTest, ScrapesWhatWorksAtMostEveryFiveMinutesOrAsTheTrackerWants) {
    schedule.merge({{"a"}, {"b"}}, now);
    schedule.start(now);
    EXPECT_TRUE(schedule.due_scrapes(now).empty());
    succeed(only_job());

    EXPECT_EQ(schedule.due_scrapes(now), std::vector<AnnounceSchedule::Id>{0});
    EXPECT_TRUE(schedule.due_scrapes(now + hours(1)).empty()) << "it is under way";
    ScrapeReply counted;
    counted.counts = {1, 2, 3};
    schedule.scraped(0, now, counted);
    EXPECT_TRUE(schedule.due_scrapes(now + seconds(299)).empty());
    now += seconds(300);
    EXPECT_EQ(schedule.due_scrapes(now).size(), 1u);
    ScrapeReply refused;
    refused.failure = "too often";
    refused.min_interval = hours(1000);
    schedule.scraped(0, now, refused);

    EXPECT_TRUE(schedule.due_scrapes(now + hours(23)).empty());
    EXPECT_EQ(schedule.due_scrapes(now + hours(24)).size(), 1u);
    auto const row = schedule.status(now)[0];
    EXPECT_EQ(row.seeders, 1u);
    EXPECT_EQ(row.downloads, 3u);
    EXPECT_EQ(row.scrape_message, "too often");
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
            schedule.ended(jobs.at(0), now, over_v4(response));
            auto const wait = *schedule.next() - now;
            EXPECT_GE(wait, std::max<Duration>(seconds(60), asked * 9 / 10));
            EXPECT_LE(wait, asked * 11 / 10);
            waits.insert(wait);
        }
    }

    EXPECT_GT(waits.size(), 200u);
}

// Whatever trackers answer over either family and whatever is asked of the schedule, a tracker that answers is left
// alone for a minute over that family, completed aside.
TEST(AnnounceSchedule, NoTrackerThatAnswersIsAskedTwiceWithinAMinuteUnderAnyLie) {
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        AnnounceSchedule schedule(seed);
        TimePoint now{hours(1000)};
        std::vector<std::string> const urls{"a", "b", "c", "d", "e"};
        schedule.merge({{"a", "b"}, {"c"}, {"d", "e"}}, now);
        schedule.start(now);
        std::map<std::pair<AnnounceSchedule::Id, bool>, TimePoint> last;
        std::vector<AnnounceSchedule::Job> open;
        auto const answer = [&]() -> AnnounceResult {
            if (random() % 2 == 0) {
                AnnounceFailure failure;
                if (random() % 2 == 0) failure.retry_in = seconds(static_cast<int>(random() % 100) - 50);
                return failure;
            }
            AnnounceResponse response;
            if (random() % 2 == 0) response.interval = seconds(static_cast<int>(random() % 300) - 100);
            if (random() % 2 == 0) response.min_interval = seconds(static_cast<int>(random() % 300) - 100);
            return response;
        };
        for (int step = 0; step < 2000; ++step) {
            for (auto const& job : schedule.due(now)) {
                for (bool const v6 : {false, true}) {
                    if (job.only_v6 && *job.only_v6 != v6) continue;
                    auto const key = std::pair(job.tracker, v6);
                    if (auto const before = last.find(key); before != last.end()) {
                        ASSERT_GE(now - before->second, seconds(60));
                    }
                    last[key] = now;
                }
                open.push_back(job);
            }
            now += milliseconds(random() % 5000);
            if (random() % 10 == 0) schedule.urgent();
            if (random() % 10 == 0) schedule.announce_now(now);
            if (random() % 10 == 0) {
                if (auto const id = schedule.find(urls[random() % urls.size()])) schedule.ask(*id, now);
            }
            if (random() % 200 == 0) {
                schedule.arrange({{"c", "a", "b"}, {"e", "d"}}, now);
                schedule.arrange({{"a", "b"}, {"c"}, {"d", "e"}}, now);
            }
            if (open.empty() || random() % 3 == 0) continue;
            auto const job = open.back();
            open.pop_back();
            AnnounceOutcome outcome;
            for (bool const v6 : {false, true})
                if (!job.only_v6 || *job.only_v6 == v6) outcome.families[v6] = answer();
            auto const& [v4, v6] = outcome.families;
            outcome.all = v4 && (!v6 || *v4) ? *v4 : *v6;
            schedule.ended(job, now, outcome);
        }
        EXPECT_GE(last.size(), 1u);
    }
}

}  // namespace
}  // namespace rqfs::torrent
