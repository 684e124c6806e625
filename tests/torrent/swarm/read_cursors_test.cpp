#include "torrent/swarm/read_cursors.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <random>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using Kind = ReadCursors::Kind;

TimePoint const kStart(1000h);
constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kFile = 1000 * kMiB;
constexpr std::uint64_t kZone = 8 * kMiB;
constexpr std::uint64_t kWindow = 4 * kMiB;

class Reader {
public:
    Kind read(std::uint64_t begin, std::uint64_t size = 128 * kKiB) {
        auto const move = cursors.read({begin, std::min(begin + size, kFile)}, kWindow, now);
        advance += move.advance;
        return move.kind;
    }
    Kind run(std::uint64_t begin, std::uint64_t size) {
        auto const kind = read(begin);
        for (auto at = begin + 128 * kKiB; at < begin + size; at += 128 * kKiB) read(at);
        return kind;
    }

    ReadCursors cursors{kFile, kZone};
    TimePoint now = kStart;
    std::uint64_t advance = 0;
};

TEST(ReadCursors, NothingIsActiveBeforeAReadIs) {
    Reader reader;

    EXPECT_TRUE(reader.cursors.active(kStart).empty());
    EXPECT_FALSE(reader.cursors.random());
    EXPECT_FALSE(reader.cursors.next_change(kStart));
}

TEST(ReadCursors, ReadsInOrderMoveOneCursor) {
    Reader reader;

    reader.run(0, 10 * kMiB);

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 1u);
    EXPECT_EQ(active[0].position, 10 * kMiB);
    EXPECT_EQ(active[0].start, 0u);
    EXPECT_EQ(active[0].sequential, 10 * kMiB - 128 * kKiB);
    EXPECT_EQ(reader.advance, 10 * kMiB);
}

TEST(ReadCursors, TheKernelsReorderingIsOneStream) {
    Reader reader;
    std::array<std::uint64_t, 8> const order{0, 2, 1, 4, 3, 7, 5, 6};

    for (auto const chunk : order) reader.read(chunk * 128 * kKiB);

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 1u);
    EXPECT_EQ(active[0].position, kMiB);
    EXPECT_EQ(reader.advance, kMiB);
}

TEST(ReadCursors, WithinAMebibyteIsTheSameStreamBeyondIsNot) {
    Reader reader;
    reader.run(100 * kMiB, 4 * kMiB);

    EXPECT_EQ(reader.read(105 * kMiB), Kind::sequential);
    EXPECT_EQ(reader.read(104 * kMiB + 128 * kKiB), Kind::sequential);
    EXPECT_EQ(reader.read(106 * kMiB + 128 * kKiB + 1), Kind::jump);
}

TEST(ReadCursors, ReadingTheSameTwiceMovesNothing) {
    Reader reader;
    reader.read(0);
    reader.advance = 0;

    EXPECT_EQ(reader.read(0), Kind::sequential);
    EXPECT_EQ(reader.advance, 0u);
}

TEST(ReadCursors, ALookAtTheTailMovesNothing) {
    Reader reader;
    reader.run(0, kMiB);

    EXPECT_EQ(reader.read(kFile - 128 * kKiB), Kind::probe);

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 1u);
    EXPECT_EQ(active[0].position, kMiB);
}

TEST(ReadCursors, ALookAtTheTailBeforeAnythingElseIsOneToo) {
    Reader reader;

    EXPECT_EQ(reader.read(kFile - 128 * kKiB), Kind::probe);

    EXPECT_TRUE(reader.cursors.active(reader.now).empty());
    EXPECT_EQ(reader.read(0), Kind::jump);
}

TEST(ReadCursors, AnIndexReadFromTheTailKeepsTheFilmsPlaceToo) {
    Reader reader;
    reader.run(0, kMiB);

    EXPECT_EQ(reader.read(kFile - 2 * kMiB), Kind::probe);
    EXPECT_EQ(reader.read(kFile - 2 * kMiB + 128 * kKiB), Kind::probe);

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 2u);
    EXPECT_EQ(active[0].start, kFile - 2 * kMiB);
    EXPECT_EQ(active[1].position, kMiB);
    EXPECT_EQ(reader.cursors.next_change(reader.now), reader.now + 10s + Duration(1));
    EXPECT_EQ(reader.cursors.active(reader.now + 11s).size(), 1u);
}

TEST(ReadCursors, WhoReadsTheIndexFirstGoesOnAtTheHeadAsIfItHadNotLeft) {
    Reader reader;
    reader.run(0, 512 * kKiB);
    reader.run(kFile - 2 * kMiB, 512 * kKiB);

    EXPECT_EQ(reader.read(512 * kKiB), Kind::sequential);

    EXPECT_EQ(reader.cursors.active(reader.now).front().position, 640 * kKiB);
    EXPECT_GE(reader.cursors.active(reader.now).front().sequential, 512 * kKiB);
}

TEST(ReadCursors, WhoHasPlayedAndReadsOnInTheTailHasGoneThere) {
    Reader reader;
    reader.run(0, 20 * kMiB);

    EXPECT_EQ(reader.read(kFile - 4 * kMiB), Kind::probe);
    EXPECT_EQ(reader.read(kFile - 4 * kMiB + 128 * kKiB), Kind::settle);

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 1u);
    EXPECT_EQ(active[0].start, kFile - 4 * kMiB);
    EXPECT_EQ(reader.read(kFile - 4 * kMiB + 256 * kKiB), Kind::sequential);
}

TEST(ReadCursors, WhereTheIndexIsKnownAReadBesideItIsAJump) {
    for (auto const place : {kMiB, kFile - 4 * kMiB}) {
        Reader reader;
        reader.run(300 * kMiB, kMiB);
        reader.cursors.index_at({{0, 1000}, {kFile - 100 * kKiB, kFile}});

        EXPECT_EQ(reader.read(place), Kind::jump);

        auto const active = reader.cursors.active(reader.now);
        ASSERT_EQ(active.size(), 1u);
        EXPECT_EQ(active[0].start, place);
    }
}

TEST(ReadCursors, ALookAtAKnownIndexMovesNothing) {
    Reader reader;
    reader.run(300 * kMiB, 20 * kMiB);
    reader.cursors.index_at({{kFile - 100 * kKiB, kFile}});

    EXPECT_EQ(reader.read(kFile - 128 * kKiB), Kind::probe) << "the kernel reads more than is asked for";

    EXPECT_EQ(reader.cursors.active(reader.now).front().position, 320 * kMiB);
}

TEST(ReadCursors, ALargeReadInTheTailIsAJump) {
    Reader reader;
    reader.run(0, kMiB);

    EXPECT_EQ(reader.read(kFile - 4 * kMiB, kMiB), Kind::jump);
}

TEST(ReadCursors, AJumpLeavesTheOldPlaceAtOnce) {
    Reader reader;
    reader.run(0, 20 * kMiB);

    EXPECT_EQ(reader.read(500 * kMiB), Kind::jump);

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 1u);
    EXPECT_EQ(active[0].position, 500 * kMiB + 128 * kKiB);
    EXPECT_EQ(active[0].sequential, 0u);
}

TEST(ReadCursors, AShortJumpInsideTheWindowKeepsItsSize) {
    Reader reader;
    reader.run(100 * kMiB, 20 * kMiB);

    EXPECT_EQ(reader.read(123 * kMiB), Kind::jump);

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 1u);
    EXPECT_EQ(active[0].sequential, 20 * kMiB - 128 * kKiB);
    EXPECT_EQ(active[0].start, 123 * kMiB);
}

TEST(ReadCursors, APlayerThatAlternatesKeepsBothPlaces) {
    Reader reader;
    for (std::uint64_t i = 0; i < 10; ++i) {
        reader.read(100 * kMiB + i * 128 * kKiB);
        reader.read(200 * kMiB + i * 128 * kKiB);
        reader.now += 1s;
    }

    auto const active = reader.cursors.active(reader.now);
    ASSERT_EQ(active.size(), 2u);
    EXPECT_EQ(active[0].position, 200 * kMiB + 10 * 128 * kKiB);
    EXPECT_EQ(active[1].position, 100 * kMiB + 10 * 128 * kKiB);
    EXPECT_FALSE(reader.cursors.random());
}

TEST(ReadCursors, AJumpElsewhereLeavesBothPlacesOfAnAlternatingPlayer) {
    Reader reader;
    for (std::uint64_t i = 0; i < 5; ++i) {
        reader.read(100 * kMiB + i * 128 * kKiB);
        reader.read(200 * kMiB + i * 128 * kKiB);
    }

    reader.read(700 * kMiB);

    EXPECT_EQ(reader.cursors.active(reader.now).size(), 1u);
}

TEST(ReadCursors, ThreePlacesAreKeptAtMost) {
    Reader reader;
    for (std::uint64_t round = 0; round < 5; ++round)
        for (std::uint64_t place = 1; place <= 3; ++place, reader.now += 1s)
            reader.read(place * 100 * kMiB + round * 128 * kKiB);

    EXPECT_EQ(reader.cursors.active(reader.now).size(), limit::kCursorsPerReader);
    EXPECT_EQ(reader.read(500 * kMiB), Kind::jump);
    EXPECT_EQ(reader.read(200 * kMiB + 5 * 128 * kKiB), Kind::sequential);
    EXPECT_EQ(reader.read(100 * kMiB + 5 * 128 * kKiB), Kind::jump);
}

TEST(ReadCursors, APlaceLeftForTenSecondsIsForgotten) {
    Reader reader;
    reader.run(100 * kMiB, kMiB);
    reader.read(500 * kMiB);

    reader.now += 11s;

    EXPECT_EQ(reader.read(101 * kMiB), Kind::jump);
}

TEST(ReadCursors, TheLastPlaceIsNeverForgotten) {
    Reader reader;
    reader.run(100 * kMiB, kMiB);

    reader.now += 1h;

    EXPECT_EQ(reader.read(101 * kMiB), Kind::sequential);
}

TEST(ReadCursors, ThreeJumpsInASecondAreRandomAccess) {
    Reader reader;
    reader.read(100 * kMiB);
    reader.now += 300ms;
    reader.read(300 * kMiB);
    EXPECT_FALSE(reader.cursors.random());
    reader.now += 300ms;
    reader.read(200 * kMiB);

    EXPECT_TRUE(reader.cursors.random());
}

TEST(ReadCursors, SlowJumpsAreNot) {
    Reader reader;
    for (std::uint64_t i = 1; i < 9; ++i, reader.now += 600ms) reader.read(i * 100 * kMiB);

    EXPECT_FALSE(reader.cursors.random());
}

TEST(ReadCursors, ReadingOnEndsRandomAccess) {
    Reader reader;
    for (std::uint64_t i = 1; i < 5; ++i) reader.read(i * 100 * kMiB);
    ASSERT_TRUE(reader.cursors.random());

    reader.read(400 * kMiB + 128 * kKiB);
    EXPECT_TRUE(reader.cursors.random());
    reader.read(400 * kMiB + 256 * kKiB);

    EXPECT_FALSE(reader.cursors.random());
}

TEST(ReadCursors, SurviveAnyReads) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random(seed);
        Reader reader;
        for (int step = 0; step < 2000; ++step) {
            reader.now += std::chrono::milliseconds(random() % 3000);
            auto const begin = random() % 4 == 0 ? kFile - 1 - random() % kMiB : random() % kFile;
            reader.read(begin, 1 + random() % (2 * kMiB));

            auto const active = reader.cursors.active(reader.now);
            ASSERT_LE(active.size(), limit::kCursorsPerReader);
            for (auto const& cursor : active) {
                ASSERT_LE(cursor.start, cursor.position);
                ASSERT_LE(cursor.position, kFile);
            }
            auto const next = reader.cursors.next_change(reader.now);
            ASSERT_TRUE(!next || *next > reader.now);
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
