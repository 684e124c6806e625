#include "torrent/swarm/unread_read_ahead.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace rqfs::torrent {
namespace {

constexpr std::uint32_t kPiece = 100;

// Five pieces, the last of 50 bytes.
class ReadAhead : public testing::Test {
protected:
    void fetched(std::uint32_t piece, bool wanted = false) { ahead.fetched(PieceIndex(piece), wanted); }
    void wished(std::uint32_t piece) { ahead.wished(PieceIndex(piece)); }
    void read(std::uint32_t first, std::uint32_t end) { ahead.read({PieceIndex(first), PieceIndex(end)}); }

    UnreadReadAhead ahead{PieceLayout(450, kPiece)};
};

TEST_F(ReadAhead, IsWhatAWindowWishedAndNobodyRead) {
    wished(1);
    wished(4);
    EXPECT_EQ(ahead.bytes(), 0u) << "nothing came yet";

    fetched(1);
    fetched(4);

    EXPECT_EQ(ahead.bytes(), 150u);
}

TEST_F(ReadAhead, IsReadByAnyReadThatTouchesThePiece) {
    for (std::uint32_t piece = 0; piece < 5; ++piece) {
        wished(piece);
        fetched(piece);
    }

    read(1, 3);
    EXPECT_EQ(ahead.bytes(), 250u);
    read(1, 3);
    EXPECT_EQ(ahead.bytes(), 250u) << "once";
    read(2, 2);
    EXPECT_EQ(ahead.bytes(), 250u) << "an empty read";
    read(0, 5);

    EXPECT_EQ(ahead.bytes(), 0u);
}

TEST_F(ReadAhead, IsNothingThatNoReaderWishedOrThatTheUserWants) {
    wished(2);

    fetched(1);
    fetched(2, true);

    EXPECT_EQ(ahead.bytes(), 0u);
}

TEST_F(ReadAhead, OfALostPieceIsGoneUntilItIsFetchedForAWindowAgain) {
    wished(3);
    fetched(3);

    ahead.lost(PieceIndex(3));
    EXPECT_EQ(ahead.bytes(), 0u);
    fetched(3);
    EXPECT_EQ(ahead.bytes(), 0u) << "this time nobody wished for it";
    wished(3);
    fetched(3);

    EXPECT_EQ(ahead.bytes(), 100u);
}

TEST_F(ReadAhead, CountsAPieceOnce) {
    wished(0);
    fetched(0);
    wished(0);
    fetched(0);

    EXPECT_EQ(ahead.bytes(), 100u);
    ahead.lost(PieceIndex(1));
    EXPECT_EQ(ahead.bytes(), 100u) << "one that was not there";
}

}  // namespace
}  // namespace rqfs::torrent
