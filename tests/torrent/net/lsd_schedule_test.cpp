#include "torrent/net/lsd_schedule.h"

#include "torrent/net/lsd_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

InfoHash hash(int number) {
    std::array<std::byte, InfoHash::kBytes> bytes{};
    bytes[0] = static_cast<std::byte>(number);
    bytes[1] = static_cast<std::byte>(number >> 8);
    return InfoHash(bytes);
}

// What is announced from `from` on until `until`, with its time, as a loop does that sleeps until next().
using Announced = std::vector<std::pair<Duration, std::vector<InfoHash>>>;
Announced run(LsdSchedule& schedule, TimePoint until) {
    Announced all;
    for (auto next = schedule.next(); next && *next <= until; next = schedule.next())
        all.emplace_back(*next - kStart, schedule.take(*next));
    return all;
}

TEST(LsdSchedule, ATorrentIsAnnouncedAtOnceTwiceMoreSoonAndThenEveryFiveMinutes) {
    LsdSchedule schedule;
    EXPECT_FALSE(schedule.next());

    schedule.add(hash(1), kStart);

    std::vector const one{hash(1)};
    EXPECT_EQ(run(schedule, kStart + 12min),
              (Announced{{0s, one}, {2s, one}, {6s, one}, {5min + 6s, one}, {10min + 6s, one}}));
}

TEST(LsdSchedule, NothingIsSaidBeforeItsTime) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    run(schedule, kStart + 1min);

    EXPECT_TRUE(schedule.take(kStart + 5min).empty());
    EXPECT_FALSE(schedule.take(kStart + 5min + 6s).empty());
}

TEST(LsdSchedule, ARemovedOneIsForgottenWhenOthersAreSaid) {
    LsdSchedule schedule;
    for (int i = 0; i < 10; ++i) schedule.add(hash(i), kStart);
    run(schedule, kStart + 1min);
    for (int i = 1; i < 10; ++i) schedule.remove(hash(i));

    run(schedule, kStart + 12min);

    EXPECT_EQ(schedule.remembered(), 1u);
}

TEST(LsdSchedule, TheLastOneIsForgottenFiveMinutesAfterItWasSaid) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    run(schedule, kStart + 1min);

    schedule.remove(hash(1));

    EXPECT_EQ(run(schedule, kStart + 1h), (Announced{{5min + 6s, {}}}));
    EXPECT_EQ(schedule.remembered(), 0u);
    EXPECT_FALSE(schedule.next());
}

TEST(LsdSchedule, ANewOneDoesNotWaitForTheMinuteOfTheOthers) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    run(schedule, kStart + 9s);

    schedule.add(hash(2), kStart + 10s);

    EXPECT_EQ(run(schedule, kStart + 10s), (Announced{{10s, {hash(2)}}}));
}

TEST(LsdSchedule, ANewOneGoesBeforeTheThousandThatAreThere) {
    LsdSchedule schedule;
    for (int i = 0; i < 1'000; ++i) schedule.add(hash(i), kStart);
    run(schedule, kStart + 20min);
    auto const now = schedule.next().value();

    schedule.add(hash(5'000), now);

    auto const first = schedule.take(now);
    ASSERT_FALSE(first.empty());
    EXPECT_EQ(first.front(), hash(5'000));
}

TEST(LsdSchedule, AThousandAreAllSaidEveryFiveMinutesASecondBetweenDatagrams) {
    LsdSchedule schedule;
    for (int i = 0; i < 1'000; ++i) schedule.add(hash(i), kStart);

    auto const all = run(schedule, kStart + 1h);

    std::map<InfoHash, Duration> said;
    Duration longest{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto const& [when, hashes] = all[i];
        EXPECT_LE(hashes.size(), LsdMessage::kInfoHashes);
        if (i > 0) {
            EXPECT_GE(when - all[i - 1].first, 1s);
        }
        for (auto const& each : hashes) {
            if (auto const before = said.find(each); before != said.end())
                longest = std::max(longest, when - before->second);
            said[each] = when;
        }
    }
    EXPECT_EQ(said.size(), 1'000u);
    EXPECT_LE(longest, 7min);
    EXPECT_LE(all.size(), 42u * 3u + 42u * 13u) << "datagrams are full";
}

TEST(LsdSchedule, WhoSpeaksInTheSameMinuteSharesDatagrams) {
    LsdSchedule schedule;
    for (int i = 0; i < 30; ++i) {
        schedule.add(hash(i), kStart + std::chrono::seconds(i));
        run(schedule, kStart + std::chrono::seconds(i));
    }
    run(schedule, kStart + 3min);

    auto const all = run(schedule, kStart + 6min + 30s);

    std::size_t said = 0;
    for (auto const& [when, hashes] : all) said += hashes.size();
    EXPECT_EQ(said, 30u);
    EXPECT_LE(all.size(), 3u);
}

TEST(LsdSchedule, WhomSomebodyWaitsForIsSaidAgainBeforeOthersButNotTwiceInAMinute) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    run(schedule, kStart + 30s);

    schedule.hurry(hash(1));
    schedule.hurry(hash(1));
    schedule.hurry(hash(2));

    EXPECT_EQ(run(schedule, kStart + 5min), (Announced{{1min + 6s, {hash(1)}}}));
}

TEST(LsdSchedule, ARemovedTorrentIsSilent) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    schedule.remove(hash(1));

    EXPECT_FALSE(schedule.next());
    EXPECT_TRUE(schedule.take(kStart + 1h).empty());
}

TEST(LsdSchedule, RemovingAndAddingAgainIsNoAnnounce) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    run(schedule, kStart + 1min);

    schedule.remove(hash(1));
    schedule.add(hash(1), kStart + 2min);

    EXPECT_EQ(schedule.next(), kStart + 5min + 6s);
}

TEST(LsdSchedule, InANewNetworkEverythingIsAnnouncedAMinuteAfterTheLastTime) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    run(schedule, kStart + 30s);

    schedule.announce_all();

    EXPECT_EQ(schedule.next(), kStart + 1min + 6s);
}

TEST(LsdSchedule, TheLimitsHoldWhateverIsAddedRemovedAndHurried) {
    std::mt19937 random(3);
    LsdSchedule schedule;
    std::map<InfoHash, std::vector<TimePoint>> said;
    std::optional<TimePoint> last;
    for (auto now = kStart; now < kStart + 10h; now += 700ms) {
        auto const torrent = hash(static_cast<int>(random() % 80));
        if (auto const what = random() % 30; what == 0)
            schedule.remove(torrent);
        else if (what == 1)
            schedule.hurry(torrent);
        else if (what < 4)
            schedule.add(torrent, now);
        auto const taken = schedule.take(now);
        ASSERT_LE(taken.size(), LsdMessage::kInfoHashes);
        if (taken.empty()) continue;
        ASSERT_TRUE(!last || now - *last >= 1s);
        last = now;
        for (auto const& each : taken) {
            auto& times = said[each];
            times.push_back(now);
            // Any of these may be a torrent's first announces anew, after five minutes of absence.
            ASSERT_TRUE(times.size() <= 3 || now - times[times.size() - 4] >= 1min);
        }
    }
    EXPECT_GE(said.size(), 70u);
}

}  // namespace
}  // namespace rqfs::torrent
