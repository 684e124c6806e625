#include "torrent/net/lsd_schedule.h"

#include "torrent/net/lsd_message.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

InfoHash hash(int number) {
    std::array<std::byte, InfoHash::kBytes> bytes{};
    bytes[0] = static_cast<std::byte>(number);
    return InfoHash(bytes);
}

TEST(LsdSchedule, ATorrentIsAnnouncedAtOnceAndThenEveryFiveMinutes) {
    LsdSchedule schedule;
    EXPECT_FALSE(schedule.next());

    schedule.add(hash(1), kStart);

    EXPECT_EQ(schedule.next(), kStart);
    EXPECT_EQ(schedule.take(kStart), (std::vector{hash(1)}));
    EXPECT_EQ(schedule.next(), kStart + 5min);
    EXPECT_TRUE(schedule.take(kStart + 5min - 1s).empty());
    EXPECT_EQ(schedule.take(kStart + 5min), (std::vector{hash(1)}));
}

TEST(LsdSchedule, AnotherOneWaitsUntilAMinuteHasPassed) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    schedule.take(kStart);

    schedule.add(hash(2), kStart + 5s);

    EXPECT_EQ(schedule.next(), kStart + 1min);
    EXPECT_TRUE(schedule.take(kStart + 59s).empty());
    EXPECT_EQ(schedule.take(kStart + 1min), (std::vector{hash(2)}));
}

TEST(LsdSchedule, ManyShareAPacketAndTheRestTheNext) {
    LsdSchedule schedule;
    for (int i = 0; i < 30; ++i) schedule.add(hash(i), kStart + std::chrono::seconds(i));

    EXPECT_EQ(schedule.take(kStart + 1min).size(), LsdMessage::kInfoHashes);
    EXPECT_EQ(schedule.next(), kStart + 2min);
    EXPECT_EQ(schedule.take(kStart + 2min).size(), 30 - LsdMessage::kInfoHashes);
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
    schedule.take(kStart);

    schedule.remove(hash(1));
    schedule.add(hash(1), kStart + 2min);

    EXPECT_EQ(schedule.next(), kStart + 5min);
}

TEST(LsdSchedule, InANewNetworkEverythingIsAnnouncedAMinuteAfterTheLastTime) {
    LsdSchedule schedule;
    schedule.add(hash(1), kStart);
    schedule.take(kStart);

    schedule.announce_all();

    EXPECT_EQ(schedule.next(), kStart + 1min);
}

TEST(LsdSchedule, TheLimitsHoldWhateverIsAddedAndRemoved) {
    std::mt19937 random(3);
    LsdSchedule schedule;
    std::map<InfoHash, TimePoint> said;
    std::optional<TimePoint> last;
    for (auto now = kStart; now < kStart + 10h; now += 7s) {
        auto const torrent = hash(static_cast<int>(random() % 80));
        if (random() % 3 == 0)
            schedule.remove(torrent);
        else
            schedule.add(torrent, now);
        auto const taken = schedule.take(now);
        ASSERT_LE(taken.size(), LsdMessage::kInfoHashes);
        if (taken.empty()) continue;
        ASSERT_TRUE(!last || now - *last >= 1min);
        last = now;
        for (auto const& each : taken) {
            auto const before = said.find(each);
            ASSERT_TRUE(before == said.end() || now - before->second >= 5min);
            said[each] = now;
        }
    }
    EXPECT_GE(said.size(), 70u);
}

}  // namespace
}  // namespace rqfs::torrent
