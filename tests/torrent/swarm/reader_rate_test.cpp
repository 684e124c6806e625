#include "torrent/swarm/reader_rate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TimePoint const kStart(1000h);
constexpr std::uint64_t kChunk = 128u << 10;

// Reads chunk after chunk; each takes `waiting`, then the reader does something else for `pause`.
TimePoint read_for(ReaderRate& rate, TimePoint now, Duration length, Duration waiting, Duration pause) {
    for (auto const end = now + length; now < end; now += pause) {
        rate.waiting(true, now);
        rate.consumed(kChunk, now);
        now += waiting;
        rate.waiting(false, now);
    }
    return now;
}

// One that never stopped reading, each chunk waited for so long.
struct Greedy {
    explicit Greedy(Duration waiting, double film = 0) {
        if (film > 0) rate.film(film);
        now = read_for(rate, kStart, 40s, waiting, 0ms);
        EXPECT_TRUE(rate.greedy());
    }

    ReaderRate rate{false, kStart};
    TimePoint now;
};

TEST(ReaderRate, IsAFilmsAtFirst) {
    ReaderRate const rate(false, kStart);

    EXPECT_FALSE(rate.greedy());
    EXPECT_EQ(rate.rate(), ReaderRate::kUnknown);
}

TEST(ReaderRate, AKnownCopierIsGreedyFromTheStart) { EXPECT_TRUE(ReaderRate(true, kStart).greedy()); }

TEST(ReaderRate, APlayerThatFillsItsBufferIsNotGreedyForThirtySeconds) {
    ReaderRate rate(false, kStart);

    read_for(rate, kStart, 29s, 100ms, 0ms);

    EXPECT_FALSE(rate.greedy());
}

TEST(ReaderRate, WhoNeverStopsReadingIsGreedyAfterThirtySeconds) {
    ReaderRate rate(false, kStart);

    read_for(rate, kStart, 31s, 100ms, 0ms);

    EXPECT_TRUE(rate.greedy());
}

TEST(ReaderRate, WhoPausesBetweenReadsIsPaced) {
    ReaderRate rate(false, kStart);

    read_for(rate, kStart, 60s, 10ms, 90ms);

    EXPECT_FALSE(rate.greedy());
}

TEST(ReaderRate, BetweenTheThresholdsTheClassStays) {
    ReaderRate paced(false, kStart);
    ReaderRate greedy(true, kStart);

    read_for(paced, kStart, 60s, 90ms, 10ms);
    read_for(greedy, kStart, 60s, 90ms, 10ms);

    EXPECT_FALSE(paced.greedy());
    EXPECT_TRUE(greedy.greedy());
}

TEST(ReaderRate, AGreedyReaderThatPausesBecomesPaced) {
    auto [rate, now] = Greedy(100ms);

    read_for(rate, now, 12s, 10ms, 90ms);

    EXPECT_FALSE(rate.greedy());
}

TEST(ReaderRate, AfterASeekAReaderCountsAsPacedAgain) {
    auto [rate, now] = Greedy(100ms);

    rate.sought(now);
    EXPECT_FALSE(rate.greedy());
    now = read_for(rate, now, 29s, 100ms, 0ms);
    EXPECT_FALSE(rate.greedy());
    read_for(rate, now, 3s, 100ms, 0ms);

    EXPECT_TRUE(rate.greedy());
}

TEST(ReaderRate, ASeekDoesNotMakeAPlayerOfACopier) {
    ReaderRate rate(true, kStart);

    rate.sought(kStart + 1s);

    EXPECT_TRUE(rate.greedy());
}

TEST(ReaderRate, WhoIsGivenLessThanItsFilmIsAPlayerHoweverLongItWaits) {
    ReaderRate rate(false, kStart);
    rate.film(3e6);

    read_for(rate, kStart, 600s, 50ms, 0ms);  // 2.6e6 a second

    EXPECT_FALSE(rate.greedy());
}

TEST(ReaderRate, WhoIsGivenMoreThanItsFilmAndNeverStopsIsGreedyAfterThirtySeconds) {
    ReaderRate rate(false, kStart);
    rate.film(2e6);

    auto const now = read_for(rate, kStart, 29s, 50ms, 0ms);
    EXPECT_FALSE(rate.greedy());
    read_for(rate, now, 2s, 50ms, 0ms);

    EXPECT_TRUE(rate.greedy());
}

TEST(ReaderRate, ACopierOfAFilmIsOneHoweverLittleIsLeftToIt) {
    auto [rate, now] = Greedy(50ms, 2e6);

    read_for(rate, now, 600s, 1s, 0ms);

    EXPECT_TRUE(rate.greedy());
}

TEST(ReaderRate, AfterASeekWhatWasGivenBeforeDoesNotCount) {
    auto [rate, now] = Greedy(25ms, 2e6);

    rate.sought(now);
    read_for(rate, now, 600s, 100ms, 0ms);  // 1.3e6 a second

    EXPECT_FALSE(rate.greedy());
}

TEST(ReaderRate, WhatAPlayerHadInPlentyDoesNotCountWhenItIsInNeed) {
    ReaderRate rate(false, kStart);
    rate.film(2e6);
    auto const now = read_for(rate, kStart, 60s, 10ms, 10ms);  // 6.6e6 a second

    read_for(rate, now, 600s, 100ms, 0ms);

    EXPECT_FALSE(rate.greedy());
}

TEST(ReaderRate, LargePiecesThatComeTooSeldomMakeNoCopierOfAPlayer) {
    ReaderRate rate(false, kStart);
    rate.film(200e3);

    for (auto now = kStart; now < kStart + 1000s;) {
        now = read_for(rate, now, 100s, 100s, 0ms);
        now = read_for(rate, now, 127ms, 1ms, 0ms);  // the rest of its 16 MiB

        EXPECT_FALSE(rate.greedy()) << std::chrono::duration<double>(now - kStart).count();
    }
}

TEST(ReaderRate, WhoIsGivenSecondsMoreThanItsFilmIsAheadOfIt) {
    ReaderRate rate(false, kStart);
    rate.film(1e6);

    auto now = read_for(rate, kStart, 7s, 65ms, 0ms);  // 2.0e6 a second
    EXPECT_FALSE(rate.ahead(now)) << "players begin with that";
    now = read_for(rate, now, 2s, 65ms, 0ms);

    EXPECT_TRUE(rate.ahead(now));
    EXPECT_FALSE(rate.greedy()) << "nor is it a copier for certain";
}

TEST(ReaderRate, WhoIsAheadOfItsFilmIsSoForAsLongAsItCanDoWithout) {
    ReaderRate rate(false, kStart);
    rate.film(1e6);
    auto const now = read_for(rate, kStart, 10s, 65ms, 0ms);

    EXPECT_TRUE(rate.ahead(now + 2s));
    EXPECT_FALSE(rate.ahead(now + 3s));
}

TEST(ReaderRate, WhoIsGivenItsFilmIsNeverAheadOfIt) {
    ReaderRate rate(false, kStart);
    rate.film(2e6);

    EXPECT_FALSE(rate.ahead(read_for(rate, kStart, 600s, 65ms, 0ms)));
}

TEST(ReaderRate, OfAFileThatIsNoFilmNobodyIsAhead) {
    ReaderRate rate(false, kStart);

    EXPECT_FALSE(rate.ahead(read_for(rate, kStart, 20s, 1ms, 0ms)));
}

TEST(ReaderRate, APlayerThatPausedIsNotAheadForWhatItHadBefore) {
    ReaderRate rate(false, kStart);
    rate.film(1e6);
    auto now = read_for(rate, kStart, 12s, 65ms, 0ms);
    ASSERT_TRUE(rate.ahead(now));

    now = read_for(rate, now, 10s, 65ms, 65ms);  // as much as it plays, and pauses
    EXPECT_FALSE(rate.ahead(now));
    now = read_for(rate, now, 7s, 65ms, 0ms);  // a scene that takes twice as much

    EXPECT_FALSE(rate.ahead(now));
}

TEST(ReaderRate, AfterASeekNobodyIsAhead) {
    ReaderRate rate(false, kStart);
    rate.film(1e6);
    auto const now = read_for(rate, kStart, 12s, 65ms, 0ms);

    rate.sought(now);

    EXPECT_FALSE(rate.ahead(now));
}

TEST(ReaderRate, AKnownCopierIsOneHoweverLittleItIsGiven) {
    ReaderRate rate(true, kStart);
    rate.film(3e6);

    read_for(rate, kStart, 600s, 200ms, 0ms);

    EXPECT_TRUE(rate.greedy());
}

TEST(ReaderRate, OneLongWaitIsGreedyWhenItEnds) {
    ReaderRate rate(false, kStart);

    rate.waiting(true, kStart);
    rate.waiting(false, kStart + 50s);

    EXPECT_TRUE(rate.greedy());
}

TEST(ReaderRate, FollowsASteadyReader) {
    for (auto const pause : {30ms, 100ms, 250ms, 500ms}) {
        ReaderRate rate(false, kStart);

        read_for(rate, kStart, 60s, 0ms, pause);

        auto const expected = static_cast<double>(kChunk) / std::chrono::duration<double>(pause).count();
        EXPECT_NEAR(rate.rate(), expected, expected * 0.1) << pause.count();
    }
}

TEST(ReaderRate, TheFirstTwoSecondsDoNotCount) {
    ReaderRate rate(false, kStart);
    auto const now = read_for(rate, kStart, 1900ms, 1ms, 0ms);

    read_for(rate, now + 100ms, 20s, 0ms, 100ms);

    EXPECT_NEAR(rate.rate(), 1.31e6, 0.15e6);
}

TEST(ReaderRate, APauseOfThePlayerIsNotASlowFilm) {
    ReaderRate rate(false, kStart);
    auto const now = read_for(rate, kStart, 60s, 0ms, 50ms);
    auto const before = rate.rate();

    read_for(rate, now + 10min, 5s, 0ms, 50ms);

    EXPECT_NEAR(rate.rate(), before, before * 0.1);
}

TEST(ReaderRate, StaysWithinItsLimits) {
    ReaderRate slow(false, kStart);
    ReaderRate fast(false, kStart);

    read_for(slow, kStart, 200s, 0ms, 9s);
    for (auto now = kStart; now < kStart + 60s; now += 1ms) fast.consumed(10'000'000, now);

    EXPECT_GE(slow.rate(), ReaderRate::kLeast);
    EXPECT_LE(slow.rate(), 200e3);
    EXPECT_EQ(fast.rate(), ReaderRate::kMost);
}

}  // namespace
}  // namespace rqfs::torrent
