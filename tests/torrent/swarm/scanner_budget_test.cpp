#include "torrent/swarm/scanner_budget.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

constexpr std::uint32_t kPiece = 1u << 20;

TEST(ScannerBudget, AllowsAsManyPiecesAsFit) {
    ScannerBudget budget;
    for (std::uint32_t i = 0; i < 8; ++i) EXPECT_TRUE(budget.take(FileIndex(0), PieceIndex(i), kPiece, 8u << 20));

    EXPECT_FALSE(budget.take(FileIndex(0), PieceIndex(8), kPiece, 8u << 20));
}

TEST(ScannerBudget, CountsAPieceOnce) {
    ScannerBudget budget;
    for (std::uint32_t i = 0; i < 4; ++i) budget.take(FileIndex(0), PieceIndex(i), kPiece, 4u << 20);

    EXPECT_TRUE(budget.take(FileIndex(0), PieceIndex(2), kPiece, 4u << 20));
    EXPECT_FALSE(budget.take(FileIndex(0), PieceIndex(9), kPiece, 4u << 20));
}

TEST(ScannerBudget, IsOfEachFile) {
    ScannerBudget budget;
    for (std::uint32_t i = 0; i < 4; ++i) budget.take(FileIndex(0), PieceIndex(i), kPiece, 4u << 20);

    EXPECT_TRUE(budget.take(FileIndex(1), PieceIndex(4), kPiece, 4u << 20));
}

TEST(ScannerBudget, AllowsFourPiecesHoweverLarge) {
    ScannerBudget budget;
    for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(budget.take(FileIndex(0), PieceIndex(i), kPiece, 1));

    EXPECT_FALSE(budget.take(FileIndex(0), PieceIndex(4), kPiece, 1));
}

TEST(ScannerBudget, OfZeroIsNoLimit) {
    ScannerBudget budget;
    for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_TRUE(budget.take(FileIndex(0), PieceIndex(i), kPiece, 0));
}

}  // namespace
}  // namespace rqfs::torrent
