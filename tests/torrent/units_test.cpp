#include "torrent/units.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace rqfs::torrent {
namespace {

static_assert(!std::is_convertible_v<PieceIndex, FileIndex>);
static_assert(!std::is_constructible_v<PieceIndex, FileIndex>);
static_assert(!std::is_convertible_v<std::uint32_t, PieceIndex>);
static_assert(!std::is_convertible_v<PieceIndex, std::uint32_t>);

TEST(Units, StepsAndOrdersIndices) {
    PieceIndex piece(3);

    EXPECT_EQ(piece.next(), PieceIndex(4));
    EXPECT_EQ((++piece).value(), 4u);
    EXPECT_LT(PieceIndex(3), piece);
    EXPECT_EQ(PieceIndex().value(), 0u);
}

TEST(Units, KnowsEmptyRanges) {
    EXPECT_TRUE(ByteRange{}.empty());
    EXPECT_TRUE((ByteRange{5, 5}.empty()));
    EXPECT_TRUE((ByteRange{5, 4}.empty()));
    EXPECT_FALSE((ByteRange{5, 6}.empty()));
    EXPECT_EQ((ByteRange{5, 16}.size()), 11u);
}

TEST(Units, OrdersBlocksByPieceThenByBlock) {
    EXPECT_LT((BlockAddress{PieceIndex(1), BlockIndex(9)}), (BlockAddress{PieceIndex(2), BlockIndex(0)}));
    EXPECT_LT((BlockAddress{PieceIndex(2), BlockIndex(0)}), (BlockAddress{PieceIndex(2), BlockIndex(1)}));
}

TEST(Units, HashesIndicesAndBlocks) {
    std::unordered_set<PieceIndex> const pieces{PieceIndex(1), PieceIndex(2), PieceIndex(1)};
    std::unordered_set<BlockAddress> const blocks{{PieceIndex(1), BlockIndex(2)}, {PieceIndex(2), BlockIndex(1)}};

    EXPECT_EQ(pieces.size(), 2u);
    EXPECT_EQ(blocks.size(), 2u);
    EXPECT_TRUE(blocks.contains({PieceIndex(2), BlockIndex(1)}));
}

}  // namespace
}  // namespace rqfs::torrent
