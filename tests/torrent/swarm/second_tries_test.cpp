#include "torrent/swarm/second_tries.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace rqfs::torrent {
namespace {

PeerHandle const kAlice(1);
PeerHandle const kBob(2);
PieceIndex const kPiece(7);

BlockAddress block(std::uint32_t number, PieceIndex piece = kPiece) { return {piece, BlockIndex(number)}; }

TEST(SecondTries, ThereIsNoneBeforeAPieceFailed) {
    SecondTries const tries;

    EXPECT_FALSE(tries.is_one(kPiece));
    EXPECT_FALSE(tries.sent(block(0), kAlice));
}

TEST(SecondTries, KnowWhoSentWhichBlockOfThePieceThatFailed) {
    SecondTries tries;

    tries.failed(kPiece, {kAlice, kBob});

    EXPECT_TRUE(tries.is_one(kPiece));
    EXPECT_TRUE(tries.sent(block(0), kAlice));
    EXPECT_TRUE(tries.sent(block(1), kBob));
    EXPECT_FALSE(tries.sent(block(1), kAlice));
    EXPECT_FALSE(tries.sent(block(2), kAlice));
    EXPECT_FALSE(tries.is_one(PieceIndex(8)));
}

TEST(SecondTries, APieceThatFailsTwiceHasNoneAnyMore) {
    SecondTries tries;

    for (int failure = 1; failure <= 3; ++failure) {
        tries.failed(kPiece, {kAlice, kBob});
        EXPECT_EQ(tries.is_one(kPiece), failure == 1);
    }

    EXPECT_FALSE(tries.sent(block(0), kAlice));
}

TEST(SecondTries, WhatPassedIsForgotten) {
    SecondTries tries;
    tries.failed(kPiece, {kAlice});
    tries.failed(kPiece, {kAlice});

    tries.passed(kPiece);
    tries.failed(kPiece, {kBob});

    EXPECT_TRUE(tries.is_one(kPiece)) << "it was lost and fails for the first time again";
    EXPECT_TRUE(tries.sent(block(0), kBob));
}

TEST(SecondTries, WhoSentADisputedBlockHasSentItToo) {
    SecondTries tries;
    tries.failed(kPiece, {kAlice, kAlice});

    tries.disputed(block(1), kBob);
    tries.disputed(block(0, PieceIndex(8)), kBob);

    EXPECT_TRUE(tries.sent(block(1), kBob));
    EXPECT_TRUE(tries.sent(block(1), kAlice));
    EXPECT_FALSE(tries.sent(block(0), kBob));
    EXPECT_FALSE(tries.is_one(PieceIndex(8))) << "a dispute is none without a failure";
}

TEST(SecondTries, TheOldestIsForgottenFirst) {
    SecondTries tries;

    for (std::uint32_t piece = 0; piece <= limit::kBadPieceReceipts; ++piece) tries.failed(PieceIndex(piece), {kAlice});

    EXPECT_FALSE(tries.is_one(PieceIndex(0)));
    EXPECT_TRUE(tries.is_one(PieceIndex(1)));
    EXPECT_TRUE(tries.is_one(PieceIndex(limit::kBadPieceReceipts)));
}

TEST(SecondTries, HoldABoundedNumberOfBlocks) {
    SecondTries tries;
    std::vector<PeerHandle> const senders(limit::kBadBlockReceipts / 2, kAlice);

    for (std::uint32_t piece = 0; piece < 3; ++piece) tries.failed(PieceIndex(piece), senders);

    EXPECT_FALSE(tries.is_one(PieceIndex(0)));
    EXPECT_TRUE(tries.is_one(PieceIndex(1)));
    EXPECT_TRUE(tries.is_one(PieceIndex(2)));
}

}  // namespace
}  // namespace rqfs::torrent
