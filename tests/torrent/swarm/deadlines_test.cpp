#include "torrent/swarm/deadlines.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace rqfs::torrent {
namespace {

TimePoint at(int seconds) { return TimePoint(std::chrono::seconds(1000 + seconds)); }

Wish wish(std::uint32_t piece, int seconds, Urgency urgency = Urgency::player) {
    return {PieceIndex(piece), at(seconds), urgency};
}

std::vector<std::uint32_t> pieces(Deadlines const& deadlines) {
    std::vector<std::uint32_t> found;
    for (Wish const& merged : deadlines.merged()) found.push_back(merged.piece.value());
    return found;
}

TEST(Deadlines, AreInOrderOfUrgencyThenDeadlineThenPiece) {
    Deadlines deadlines;
    deadlines.set(ReaderId(1), {wish(1, 9), wish(2, 1, Urgency::copier), wish(4, 3), wish(3, 3)});

    EXPECT_EQ(pieces(deadlines), (std::vector<std::uint32_t>{3, 4, 1, 2}));
}

TEST(Deadlines, MergeToTheEarliestAndMostUrgent) {
    Deadlines deadlines;
    deadlines.set(ReaderId(1), {wish(1, 5, Urgency::copier)});
    deadlines.set(ReaderId(2), {wish(1, 8, Urgency::blocked_player)});

    auto const merged = deadlines.merged();

    ASSERT_EQ(merged.size(), 1u);
    EXPECT_EQ(merged[0].deadline, at(5));
    EXPECT_EQ(merged[0].urgency, Urgency::blocked_player);
}

TEST(Deadlines, TellWhatCopiersWaitForThoughAPlayerWantsItToo) {
    Deadlines deadlines;
    deadlines.set(ReaderId(1), {wish(1, 5, Urgency::blocked_copier), wish(2, 5, Urgency::copier)});
    deadlines.set(ReaderId(2), {wish(1, 8), wish(3, 8, Urgency::blocked_player)});

    EXPECT_EQ(deadlines.copiers_wait(), std::vector{PieceIndex(1)});
}

TEST(Deadlines, OfAReaderReplaceWhatItWishedBefore) {
    Deadlines deadlines;
    deadlines.set(ReaderId(1), {wish(1, 5)});

    deadlines.set(ReaderId(1), {wish(2, 5)});

    EXPECT_EQ(pieces(deadlines), std::vector<std::uint32_t>{2});
}

TEST(Deadlines, AreGoneWithTheReaderOrThePiece) {
    Deadlines deadlines;
    deadlines.set(ReaderId(1), {wish(1, 5), wish(2, 6)});
    deadlines.set(ReaderId(2), {wish(1, 5)});

    deadlines.fulfilled(PieceIndex(1));
    EXPECT_EQ(pieces(deadlines), std::vector<std::uint32_t>{2});
    deadlines.drop(ReaderId(1));

    EXPECT_TRUE(deadlines.empty());
}

TEST(Deadlines, OfNothingAreNoReader) {
    Deadlines deadlines;
    deadlines.set(ReaderId(1), {wish(1, 5)});

    deadlines.set(ReaderId(1), {});

    EXPECT_TRUE(deadlines.empty());
}

}  // namespace
}  // namespace rqfs::torrent
