#include "torrent/swarm/demand.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TimePoint const kStart(1000h);
constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kChunk = 128 * kKiB;  // as the kernel reads

// A torrent with something before and after the file, so that offsets in the file are not offsets in the torrent.
class Film {
public:
    explicit Film(std::uint64_t bytes = 1000 * kMiB, std::uint32_t piece = 1u << 20, bool copier = false)
        : layout(before + bytes + 10 * kMiB, piece),
          where{before, before + bytes},
          have(layout.pieces()),
          demand(layout, where, copier, kStart) {}

    std::vector<Wish> wishes() const { return demand.wishes(have, 5e6, now); }
    PieceIndex piece(std::uint64_t offset) const { return layout.piece_at(where.begin + offset); }
    std::optional<Wish> wish(std::uint64_t offset) const {
        for (auto const& wish : wishes())
            if (wish.piece == piece(offset)) return wish;
        return std::nullopt;
    }
    void give(std::uint64_t begin, std::uint64_t end) {
        auto const pieces = layout.pieces({where.begin + begin, where.begin + end});
        for (auto p = pieces.first; p < pieces.end; ++p)
            if (!have.test(p)) have.set(p);
    }
    // A read that is answered.
    void read(std::uint64_t begin, std::uint64_t size = kChunk, Duration waiting = Duration::zero()) {
        auto const ticket = demand.read_started({begin, begin + size}, now);
        now += waiting;
        demand.read_ended(ticket, now);
    }
    // Reads on from `begin` what is there by then, piece edges included, at `rate` bytes a second.
    void play(std::uint64_t begin, std::uint64_t bytes, double rate) {
        give(begin, begin + bytes);
        for (auto at = begin; at < begin + bytes; at += kChunk) {
            read(at);
            now += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(kChunk / rate));
        }
    }
    // The last offset in the file up to which everything from `begin` is wished for.
    std::uint64_t window_end(std::uint64_t begin) const {
        std::set<PieceIndex> wished;
        for (auto const& wish : wishes()) wished.insert(wish.piece);
        auto p = piece(begin);
        while (p.value() < layout.pieces() && (wished.contains(p) || have.test(p))) ++p;
        return p.value() < layout.pieces() ? layout.begin(p) - where.begin : where.size();
    }

    static constexpr std::uint64_t before = 12'345;
    PieceLayout layout;
    ByteRange where;
    Bitfield have;
    Demand demand;
    TimePoint now = kStart;
};

TEST(Demand, NothingIsWantedBeforeTheFirstRead) {
    Film film;

    EXPECT_TRUE(film.wishes().empty());
    EXPECT_EQ(film.demand.next_change(kStart), TimePoint::max());
    EXPECT_FALSE(film.demand.blocked());
}

TEST(Demand, ABlockedReadIsWantedNowAndFirst) {
    Film film;
    film.demand.read_started({50 * kMiB, 50 * kMiB + kChunk}, film.now);

    auto const wishes = film.wishes();

    ASSERT_FALSE(wishes.empty());
    EXPECT_EQ(wishes.front().piece, film.piece(50 * kMiB));
    EXPECT_EQ(wishes.front().urgency, Urgency::blocked_player);
    EXPECT_LE(wishes.front().deadline, film.now);
    EXPECT_TRUE(film.demand.blocked());
}

TEST(Demand, AReadOverAPiecesEdgeWantsBothPieces) {
    Film film;
    auto const edge = film.layout.begin(PieceIndex(51)) - film.where.begin;
    film.demand.read_started({edge - 1, edge + 1}, film.now);

    EXPECT_EQ(film.wish(edge - 1)->urgency, Urgency::blocked_player);
    EXPECT_EQ(film.wish(edge)->urgency, Urgency::blocked_player);
}

TEST(Demand, ACopiersBlockedReadIsACopiers) {
    Film film(1000 * kMiB, 1u << 20, true);
    film.demand.read_started({0, kChunk}, film.now);

    EXPECT_TRUE(film.demand.greedy());
    EXPECT_EQ(film.wish(0)->urgency, Urgency::blocked_copier);
    EXPECT_EQ(film.wish(2 * kMiB)->urgency, Urgency::copier);
}

TEST(Demand, WhoIsAheadOfItsFilmGivesWayUntilItIsNot) {
    Film film;
    film.demand.hint({{}, {}, 1000s, true});  // 1.05e6 bytes a second
    std::uint64_t at = 0;
    for (; at < 30 * kMiB; at += kChunk) film.read(at, kChunk, 60ms);
    film.demand.read_started({at, at + kChunk}, film.now);

    EXPECT_FALSE(film.demand.greedy());
    EXPECT_EQ(film.wish(at)->urgency, Urgency::blocked_copier);
    EXPECT_EQ(film.wish(at + 2 * kMiB)->urgency, Urgency::copier);
    film.now += 10s;
    EXPECT_EQ(film.wish(at)->urgency, Urgency::blocked_player);
    EXPECT_EQ(film.wish(at + 2 * kMiB)->urgency, Urgency::player);
}

TEST(Demand, TellsWhetherTheLastReadWentOnOrWentElsewhere) {
    Film film;
    film.read(0);
    EXPECT_EQ(film.demand.last_move(), ReadCursors::Kind::jump);
    film.read(kChunk);
    EXPECT_EQ(film.demand.last_move(), ReadCursors::Kind::sequential);
    film.read(500 * kMiB);
    EXPECT_EQ(film.demand.last_move(), ReadCursors::Kind::jump);
    film.read(700 * kMiB, 0);
    EXPECT_EQ(film.demand.last_move(), ReadCursors::Kind::sequential) << "an empty read goes nowhere";
    film.read(1000 * kMiB - kChunk);
    EXPECT_EQ(film.demand.last_move(), ReadCursors::Kind::probe);
}

TEST(Demand, TheReadThatWaitsLongestComesFirst) {
    Film film;
    film.demand.read_started({kMiB - kChunk, kMiB}, film.now);
    film.demand.read_started({kMiB, kMiB + kChunk}, film.now + 1s);
    film.now += 2s;

    auto const wishes = film.wishes();

    EXPECT_EQ(wishes[0].piece, film.piece(kMiB - kChunk));
    EXPECT_EQ(wishes[1].piece, film.piece(kMiB));
}

TEST(Demand, AReadOfAPlaceThatWasLeftComesAfterTheOneThatTheReaderWentTo) {
    Film film;
    film.demand.read_started({50 * kMiB, 50 * kMiB + kChunk}, film.now);
    film.demand.read_started({20 * kMiB, 20 * kMiB + kChunk}, film.now + 1s);
    film.now += 2s;

    EXPECT_EQ(film.wishes()[0].piece, film.piece(20 * kMiB));
    EXPECT_EQ(film.wish(50 * kMiB)->urgency, Urgency::player);
}

TEST(Demand, AReadThatWaitsForSecondsIsWaitedForBySomebody) {
    Film film;
    film.demand.read_started({50 * kMiB, 50 * kMiB + kChunk}, film.now);
    film.demand.read_started({20 * kMiB, 20 * kMiB + kChunk}, film.now + 1s);
    film.now += 5s;

    EXPECT_EQ(film.wishes()[0].piece, film.piece(50 * kMiB));
    EXPECT_EQ(film.wish(50 * kMiB)->urgency, Urgency::blocked_player);
}

TEST(Demand, AnAnsweredReadIsNoLongerBlocked) {
    Film film;
    auto const one = film.demand.read_started({0, kChunk}, film.now);
    auto const other = film.demand.read_started({kChunk, 2 * kChunk}, film.now);

    film.demand.read_ended(one, film.now);
    EXPECT_TRUE(film.demand.blocked());
    film.demand.read_ended(other, film.now);

    EXPECT_FALSE(film.demand.blocked());
    EXPECT_EQ(film.wish(0)->urgency, Urgency::player);
}

TEST(Demand, PiecesThatAreHereAreNotWanted) {
    Film film;
    film.demand.read_started({0, kChunk}, film.now);
    film.give(0, 3 * kMiB);

    for (auto const& wish : film.wishes()) EXPECT_FALSE(film.have.test(wish.piece));
    EXPECT_FALSE(film.wishes().empty());
}

TEST(Demand, ReadsBeyondTheEndAreCut) {
    Film film(10 * kMiB);

    film.demand.read_started({10 * kMiB - 1, 11 * kMiB}, film.now);
    film.demand.read_started({20 * kMiB, 21 * kMiB}, film.now);

    for (auto const& wish : film.wishes()) EXPECT_LE(wish.piece, film.piece(10 * kMiB - 1));
}

TEST(Demand, AnEmptyFileWantsNothing) {
    Film film(0);

    film.read(0);

    EXPECT_TRUE(film.wishes().empty());
}

TEST(Demand, TheFirstWindowIsFourMebibytes) {
    Film film;
    film.read(100 * kMiB);

    EXPECT_GE(film.window_end(100 * kMiB), 104 * kMiB);
    EXPECT_LE(film.window_end(100 * kMiB), 106 * kMiB);
}

TEST(Demand, OrTwoLargePieces) {
    Film film(4000 * kMiB, 16u << 20);
    film.read(1000 * kMiB);

    EXPECT_GE(film.window_end(1000 * kMiB), 1032 * kMiB);
    EXPECT_LE(film.window_end(1000 * kMiB), 1056 * kMiB);
}

TEST(Demand, TheWindowDoublesWithEveryQuarterMebibyteReadInOrder) {
    Film film;
    film.read(100 * kMiB);
    film.read(100 * kMiB + kChunk);
    EXPECT_LE(film.window_end(100 * kMiB), 106 * kMiB);
    film.read(100 * kMiB + 2 * kChunk);

    EXPECT_GE(film.window_end(100 * kMiB), 108 * kMiB);
    EXPECT_LE(film.window_end(100 * kMiB), 110 * kMiB);
}

TEST(Demand, TheWindowGrowsToTwentySecondsOfTheRate) {
    Film film;
    film.play(100 * kMiB, 60 * kMiB, 2e6);
    auto const position = 160 * kMiB;

    auto const window = static_cast<double>(film.window_end(position) - position);

    EXPECT_NEAR(film.demand.rate(), 2e6, 1e5);
    EXPECT_NEAR(window, 40e6, 3e6);
}

TEST(Demand, TheWindowIsAtLeastEightAndAtMostFortyEightMebibytes) {
    Film slow;
    slow.play(100 * kMiB, 10 * kMiB, 100e3);
    Film fast;
    fast.play(100 * kMiB, 500 * kMiB, 20e6);

    EXPECT_NEAR(static_cast<double>(slow.window_end(110 * kMiB) - 110 * kMiB), 8.0 * kMiB, 1.1 * kMiB);
    EXPECT_NEAR(static_cast<double>(fast.window_end(600 * kMiB) - 600 * kMiB), 48.0 * kMiB, 1.1 * kMiB);
}

TEST(Demand, AHealthyReaderLooksAMinuteAhead) {
    Film film;
    film.play(100 * kMiB, 60 * kMiB, 1e6);
    film.give(160 * kMiB, 200 * kMiB);

    auto const window = static_cast<double>(film.window_end(160 * kMiB) - 160 * kMiB);

    EXPECT_NEAR(window, 60e6, 4e6);
}

TEST(Demand, AtMostNinetySixMebibytesAhead) {
    Film film;
    film.play(100 * kMiB, 200 * kMiB, 5e6);
    film.give(300 * kMiB, 500 * kMiB);

    auto const wishes = film.wishes();

    EXPECT_TRUE(wishes.empty() || wishes.front().piece < film.piece(310 * kMiB));
    film.have.clear(film.piece(380 * kMiB));
    EXPECT_FALSE(film.wish(405 * kMiB));
}

TEST(Demand, DeadlinesFollowTheRate) {
    Film film;
    film.play(100 * kMiB, 60 * kMiB, 2e6);
    auto const position = 160 * kMiB;

    for (std::uint64_t ahead = 2; ahead < 30; ++ahead) {
        auto const wish = film.wish(position + ahead * kMiB);
        ASSERT_TRUE(wish);
        auto const needed = static_cast<double>(film.layout.begin(wish->piece) - film.where.begin - position);
        auto const seconds = std::chrono::duration<double>(wish->deadline - film.now).count();
        EXPECT_NEAR(seconds, needed / film.demand.rate(), 0.05) << ahead;
        EXPECT_LE(seconds, needed / film.demand.rate());
        EXPECT_EQ(wish->urgency, Urgency::player);
    }
}

TEST(Demand, AGreedyReadersDeadlinesFollowTheTorrentsGoodput) {
    Film film(1000 * kMiB, 1u << 20, true);
    film.read(0);

    auto const at = [&](double goodput) {
        for (auto const& wish : film.demand.wishes(film.have, goodput, film.now))
            if (wish.piece == film.piece(3 * kMiB)) return wish.deadline - film.now;
        return Duration::max();
    };

    EXPECT_NEAR(std::chrono::duration<double>(at(10e6)).count(), 0.28, 0.05);
    EXPECT_NEAR(std::chrono::duration<double>(at(2e6)).count(), 1.5, 0.2);
}

TEST(Demand, HeadAndTailOfALargeFileAreWantedWithTheFirstRead) {
    Film film;
    film.demand.read_started({0, kChunk}, film.now);

    auto const head = film.wish(7 * kMiB);
    auto const tail = film.wish(995 * kMiB);
    auto const end = film.wish(1000 * kMiB - 1);

    ASSERT_TRUE(head);
    ASSERT_TRUE(tail);
    ASSERT_TRUE(end);
    EXPECT_EQ(head->deadline, film.now + 2s);
    EXPECT_EQ(tail->deadline, film.now + 3s);
    EXPECT_EQ(end->deadline, film.now + 500ms);
    EXPECT_FALSE(film.wish(990 * kMiB));
    EXPECT_FALSE(film.wish(12 * kMiB));
}

TEST(Demand, TheTailNeverFallsDueBeforeTheNextSecondsOfTheFilm) {
    Film film;
    film.play(0, 10 * kMiB, 1.25e6);
    film.now += 5s;

    auto const wishes = film.wishes();

    EXPECT_GE(film.wish(1000 * kMiB - 1)->deadline, film.now + 3s);
    EXPECT_EQ(wishes.front().piece, film.piece(11 * kMiB));
}

TEST(Demand, OnePieceOfTheTailIsEnoughWhenPiecesAreLarge) {
    Film film(4000 * kMiB, 16u << 20);
    film.read(0);

    EXPECT_TRUE(film.wish(4000 * kMiB - 1));
    EXPECT_FALSE(film.wish(4000 * kMiB - 33 * kMiB));
}

TEST(Demand, OfASmallFileOnlyTheWindowIsWanted) {
    Film film(15 * kMiB);
    film.read(0);

    EXPECT_FALSE(film.wish(15 * kMiB - 1));
}

TEST(Demand, ACopierWantsNoTail) {
    Film film(1000 * kMiB, 1u << 20, true);
    film.read(0);

    EXPECT_FALSE(film.wish(1000 * kMiB - 1));
}

TEST(Demand, WhoStartsInTheMiddleWantsNeitherHeadNorTail) {
    Film film;
    film.read(500 * kMiB);

    EXPECT_FALSE(film.wish(0));
    EXPECT_FALSE(film.wish(1000 * kMiB - 1));
}

TEST(Demand, ALookAtTheTailIsWantedWhileItWaitsAndTheFilmGoesOn) {
    Film film;
    film.read(0);
    auto const ticket = film.demand.read_started({990 * kMiB + 2 * kMiB, 992 * kMiB + kChunk}, film.now);

    EXPECT_EQ(film.wishes().front().piece, film.piece(992 * kMiB));
    EXPECT_TRUE(film.wish(3 * kMiB));
    film.demand.read_ended(ticket, film.now);

    EXPECT_NE(film.wish(992 * kMiB).value_or(Wish{}).urgency, Urgency::blocked_player);
    EXPECT_TRUE(film.wish(3 * kMiB));
}

TEST(Demand, AnIndexAtTheEndIsReadOnToTheEnd) {
    Film film(2000 * kMiB);
    film.read(0);
    film.read(1994 * kMiB);
    film.demand.read_started({1994 * kMiB + kChunk, 1994 * kMiB + 2 * kChunk}, film.now);

    EXPECT_EQ(film.wishes().front().piece, film.piece(1994 * kMiB + kChunk));
    EXPECT_LE(film.wish(1996 * kMiB)->deadline, film.now + 3s);
    EXPECT_TRUE(film.wish(3 * kMiB));
}

TEST(Demand, AfterASeekOnlyTheNewPlaceIsWanted) {
    Film film;
    film.play(100 * kMiB, 30 * kMiB, 2e6);
    ASSERT_TRUE(film.wish(140 * kMiB));

    film.demand.read_started({600 * kMiB, 600 * kMiB + kChunk}, film.now);

    EXPECT_FALSE(film.wish(131 * kMiB));
    EXPECT_TRUE(film.wish(603 * kMiB));
    EXPECT_FALSE(film.wish(610 * kMiB));
}

TEST(Demand, ASeekIntoTheTailOfAFilmWhoseIndexIsKnownIsASeek) {
    Film film(150 * kMiB, 16u << 20);
    film.demand.hint({{{0, 1000}, {150 * kMiB - 60 * kKiB, 150 * kMiB}}, {}, 150s, true});
    film.play(0, 50 * kMiB, 1e6);
    ASSERT_TRUE(film.wish(70 * kMiB));

    film.demand.read_started({137 * kMiB, 137 * kMiB + kChunk}, film.now);

    EXPECT_EQ(film.demand.last_move(), ReadCursors::Kind::jump);
    EXPECT_EQ(film.wishes().front().piece, film.piece(137 * kMiB));
    EXPECT_TRUE(film.wish(149 * kMiB)) << "there is a window";
    EXPECT_FALSE(film.wish(70 * kMiB)) << "and none at the old place";
}

TEST(Demand, WhoPlaysAndReadsOnInTheTailHasSoughtThereThoughTheIndexIsNotKnown) {
    Film film(150 * kMiB, 16u << 20);
    film.play(0, 50 * kMiB, 1e6);

    film.read(137 * kMiB);
    film.demand.read_started({137 * kMiB + kChunk, 137 * kMiB + 2 * kChunk}, film.now);

    EXPECT_EQ(film.demand.last_move(), ReadCursors::Kind::settle);
    EXPECT_FALSE(film.wish(70 * kMiB));
}

TEST(Demand, ACopiersSeekIntoTheTailMakesItAPlayersAgain) {
    Film film;
    film.demand.hint({{{990 * kMiB, 991 * kMiB}}, {}, 1000s, true});
    for (std::uint64_t at = 0; at < 400 * kMiB; at += kChunk) film.read(at, kChunk, 20ms);
    ASSERT_TRUE(film.demand.greedy());

    film.demand.read_started({995 * kMiB, 995 * kMiB + kChunk}, film.now);

    EXPECT_FALSE(film.demand.greedy());
}

TEST(Demand, WhoWantsOnlyItsReadsHasEachOfThemWaitedFor) {
    Film film;
    film.demand.want_only_reads();
    film.demand.read_started({0, kChunk}, film.now);
    film.demand.read_started({5 * kMiB, 5 * kMiB + kChunk}, film.now);

    auto const wishes = film.wishes();

    ASSERT_EQ(wishes.size(), 2u);
    EXPECT_EQ(wishes[0].urgency, Urgency::blocked_player);
    EXPECT_EQ(wishes[1].urgency, Urgency::blocked_player);
    EXPECT_TRUE(film.wish(5 * kMiB));
}

TEST(Demand, NothingBeforeTheNewPlaceIsWanted) {
    Film film(1000 * kMiB, 16u << 10);
    film.read(100 * kMiB);

    film.read(600 * kMiB);

    EXPECT_TRUE(film.wish(600 * kMiB));
    EXPECT_FALSE(film.wish(600 * kMiB - 32 * kKiB));
}

TEST(Demand, LargePiecesAreDueEarlierByTheTimeTheirHashTakes) {
    Film film(4000 * kMiB, 64u << 20);
    film.read(1000 * kMiB);
    auto const next = film.layout.begin(film.piece(1064 * kMiB)) - film.where.begin - (1000 * kMiB + kChunk);

    auto const seconds = std::chrono::duration<double>(film.wish(1064 * kMiB)->deadline - film.now).count();

    EXPECT_NEAR(seconds, static_cast<double>(next) / film.demand.rate() - 0.067 - 0.010, 0.001);
}

TEST(Demand, APlayerOfTwoTracksKeepsTwoWindows) {
    Film film;
    for (std::uint64_t i = 0; i < 20; ++i) {
        film.read(100 * kMiB + i * kChunk);
        film.now += 100ms;
        film.read(500 * kMiB + i * kChunk);
        film.now += 100ms;
    }

    EXPECT_TRUE(film.wish(107 * kMiB));
    EXPECT_TRUE(film.wish(507 * kMiB));
    film.now += 11s;

    EXPECT_FALSE(film.wish(107 * kMiB));
    EXPECT_TRUE(film.wish(507 * kMiB));
}

TEST(Demand, RandomAccessWantsItsPieceAndOneMore) {
    Film film;
    for (std::uint64_t i = 1; i <= 3; ++i) film.read(i * 100 * kMiB, 4 * kKiB);
    film.demand.read_started({600 * kMiB, 600 * kMiB + 4 * kKiB}, film.now);

    auto const wishes = film.wishes();

    EXPECT_LE(wishes.size(), 3u);
    EXPECT_EQ(wishes.front().piece, film.piece(600 * kMiB));
}

TEST(Demand, AnIdleReaderWantsNothing) {
    Film film;
    film.read(0);
    EXPECT_LE(film.demand.next_change(film.now), film.now + 60s);

    film.now += 59s;
    EXPECT_FALSE(film.wishes().empty());
    film.now += 1s;

    EXPECT_TRUE(film.wishes().empty());
    EXPECT_EQ(film.demand.next_change(film.now), TimePoint::max());
}

TEST(Demand, AnIdleReaderThatReadsAgainIsServedAgain) {
    Film film;
    film.play(100 * kMiB, 10 * kMiB, 2e6);
    film.now += 1h;

    film.demand.read_started({110 * kMiB, 110 * kMiB + kChunk}, film.now);

    EXPECT_GT(film.window_end(110 * kMiB), 118 * kMiB);
}

TEST(Demand, AReadThatWaitsForLongIsNotIdle) {
    Film film;
    film.demand.read_started({100 * kMiB, 100 * kMiB + kChunk}, film.now);

    film.now += 5min;

    EXPECT_EQ(film.wishes().front().urgency, Urgency::blocked_player);
    EXPECT_GT(film.demand.next_change(film.now), film.now);
}

MediaHints index_at(std::vector<ByteRange> first, std::vector<ByteRange> later = {},
                    std::chrono::milliseconds film = {}) {
    return {std::move(first), std::move(later), film, true};
}

TEST(Demand, AKnownIndexIsWantedInsteadOfHeadAndTail) {
    Film film;
    film.read(0);
    ASSERT_TRUE(film.wish(999 * kMiB));

    film.demand.hint(index_at({{700 * kMiB, 703 * kMiB}}, {{900 * kMiB, 900 * kMiB + 1}}));

    EXPECT_FALSE(film.wish(999 * kMiB));
    EXPECT_EQ(film.wish(700 * kMiB)->urgency, Urgency::player);
    EXPECT_EQ(film.wish(702 * kMiB)->deadline, film.now + 500ms);
    EXPECT_EQ(film.wish(900 * kMiB)->deadline, film.now + 3s);
    EXPECT_FALSE(film.wish(704 * kMiB));
}

TEST(Demand, AnIndexThatIsOnlyGuessedLeavesHeadAndTailWanted) {
    Film film;
    film.read(0);

    film.demand.hint({{{700 * kMiB, 700 * kMiB + 16}}, {}, {}, false});

    EXPECT_TRUE(film.wish(700 * kMiB));
    EXPECT_TRUE(film.wish(999 * kMiB));
}

TEST(Demand, AnIndexHoldsUpNobodyWhoPlaysAlready) {
    Film film;
    film.demand.hint(index_at({{700 * kMiB, 703 * kMiB}}));

    film.play(0, 4 * kMiB, 1e6);

    EXPECT_EQ(film.wish(700 * kMiB)->deadline, film.now + 2s);
}

TEST(Demand, WhatIsHereOfAnIndexIsNotWanted) {
    Film film;
    film.read(0);
    film.give(701 * kMiB, 702 * kMiB);

    film.demand.hint(index_at({{700 * kMiB, 703 * kMiB}}));

    EXPECT_FALSE(film.wish(701 * kMiB));
    EXPECT_TRUE(film.wish(700 * kMiB));
}

TEST(Demand, CopiersAndReadersThatJumpAboutDoNotPayForAnIndex) {
    Film copied(1000 * kMiB, 1u << 20, true);
    copied.read(0);
    copied.demand.hint(index_at({{700 * kMiB, 703 * kMiB}}));
    Film scanned;
    scanned.demand.hint(index_at({{700 * kMiB, 703 * kMiB}}));
    for (std::uint64_t at = 100; at < 600; at += 100) scanned.read(at * kMiB);

    EXPECT_FALSE(copied.wish(700 * kMiB));
    EXPECT_FALSE(scanned.wish(700 * kMiB));
}

TEST(Demand, AnIndexIsNotWantedBeforeTheFirstReadNorByAnIdleReader) {
    Film film;
    film.demand.hint(index_at({{700 * kMiB, 703 * kMiB}}));
    EXPECT_TRUE(film.wishes().empty());

    film.read(0);
    film.now += Demand::kIdle;

    EXPECT_TRUE(film.wishes().empty());
}

TEST(Demand, ItsDurationIsAFilmsFirstRate) {
    Film film(1000 * kMiB);
    film.demand.hint(index_at({}, {}, 500s));

    EXPECT_DOUBLE_EQ(film.demand.rate(), 1000.0 * kMiB / 500);
}

TEST(Demand, AFilmIsPlayedNoSlowerThanItsDurationSays) {
    Film film(1000 * kMiB);
    film.demand.hint(index_at({}, {}, 500s));

    film.play(0, 20 * kMiB, 0.5e6);

    EXPECT_DOUBLE_EQ(film.demand.rate(), 1000.0 * kMiB / 500);
}

TEST(Demand, AFilmThatIsPlayedFasterThanItsDurationSaysHasTheFasterRate) {
    Film film(1000 * kMiB);
    film.demand.hint(index_at({}, {}, 2000s));

    film.play(0, 60 * kMiB, 1.5e6);

    EXPECT_GT(film.demand.rate(), 1.2e6);
}

TEST(Demand, WithADurationReadAheadIsTwentySecondsOfFilm) {
    for (auto const bytes_a_second : {0.5, 4.0}) {
        SCOPED_TRACE(bytes_a_second);
        Film film(4000 * kMiB, 256u << 10);
        auto const seconds = std::chrono::duration<double>(4000 / bytes_a_second);
        film.demand.hint(index_at({}, {}, std::chrono::duration_cast<std::chrono::milliseconds>(seconds)));

        film.play(0, 8 * kMiB, bytes_a_second * kMiB);

        auto const ahead = static_cast<double>(film.window_end(8 * kMiB) - 8 * kMiB) / kMiB;
        EXPECT_NEAR(ahead, bytes_a_second * 20, 1);
    }
}

TEST(Demand, ADurationThatNoFilmHasIsNotBelieved) {
    for (auto const duration :
         {std::chrono::milliseconds(0), std::chrono::milliseconds(1), std::chrono::milliseconds(1000h)}) {
        Film film(1000 * kMiB);
        auto const before = film.demand.rate();

        film.demand.hint(index_at({}, {}, duration));

        EXPECT_DOUBLE_EQ(film.demand.rate(), before);
    }
}

TEST(Demand, RangesBeyondTheFileAreNotWanted) {
    Film film(100 * kMiB);
    film.read(0);

    film.demand.hint(index_at({{99 * kMiB, 900 * kMiB}, {200 * kMiB, 201 * kMiB}, {UINT64_MAX - 1, UINT64_MAX}}));

    for (auto const& wish : film.wishes()) EXPECT_LE(film.layout.begin(wish.piece), film.where.end);
}

TEST(Demand, WishesAreBounded) {
    Film film(1000 * kMiB, 16u << 10);
    film.play(100 * kMiB, 100 * kMiB, 5e6);

    auto const wishes = film.wishes();

    EXPECT_EQ(wishes.size(), Demand::kMostWishes);
    EXPECT_EQ(wishes.front().piece, film.piece(200 * kMiB + 16 * kKiB));
}

// However it is read: wishes are missing pieces of the file, each once, most urgent first, and every blocked read is
// among them.
TEST(Demand, KeepsItsPromisesHoweverItIsRead) {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random(seed);
        Film film(1 + random() % (300 * kMiB), static_cast<std::uint32_t>(16 * kKiB << (random() % 8)),
                  random() % 4 == 0);
        std::vector<std::pair<Demand::Ticket, ByteRange>> open;
        std::uint64_t at = 0;
        for (int step = 0; step < 150; ++step) {
            film.now += std::chrono::milliseconds(random() % 1500);
            if (random() % 10 == 0) at = random() % film.where.size();
            if (open.size() < 8) {
                ByteRange const range{at, at + 1 + random() % (2 * kChunk)};
                open.emplace_back(film.demand.read_started(range, film.now), range);
                at = std::min(range.end, film.where.size());
            }
            while (!open.empty() && random() % 3 != 0) {
                film.give(std::min(open.front().second.begin, film.where.size()),
                          std::min(open.front().second.end, film.where.size()));
                film.demand.read_ended(open.front().first, film.now);
                open.erase(open.begin());
            }

            auto const wishes = film.demand.wishes(film.have, static_cast<double>(random() % 10'000'000), film.now);

            ASSERT_LE(wishes.size(), Demand::kMostWishes);
            ASSERT_GT(film.demand.next_change(film.now), film.now);
            auto const pieces = film.layout.pieces(film.where);
            std::set<PieceIndex> wished;
            for (auto const& wish : wishes) {
                ASSERT_TRUE(wished.insert(wish.piece).second);
                ASSERT_FALSE(film.have.test(wish.piece));
                ASSERT_TRUE(pieces.first <= wish.piece && wish.piece < pieces.end);
            }
            ASSERT_TRUE(std::is_sorted(wishes.begin(), wishes.end(), [](auto const& a, auto const& b) {
                return std::tuple(a.urgency, a.deadline) < std::tuple(b.urgency, b.deadline);
            }));
            for (auto const& [ticket, range] : open) {
                auto const end = std::min(range.end, film.where.size());
                if (range.begin >= end) continue;
                auto const first = film.piece(range.begin);
                ASSERT_TRUE(film.have.test(first) || wished.contains(first));
            }
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
