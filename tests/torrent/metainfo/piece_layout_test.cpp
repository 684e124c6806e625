#include "torrent/metainfo/piece_layout.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace rqfs::torrent {
namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

struct Shape {
    std::uint64_t total_bytes;
    std::uint32_t piece_bytes;
};

// Around every edge: one byte, one block, one piece, exact multiples, and one less and one more of each.
std::vector<Shape> shapes() {
    std::vector<Shape> all;
    for (std::uint32_t const piece : {1u, 2u, 16383u, 16384u, 16385u, 32768u, 40000u, 65536u})
        for (std::uint64_t const pieces : {1u, 2u, 3u, 7u})
            for (int const change : {-1, 0, 1}) {
                auto const total = piece * pieces + static_cast<std::uint64_t>(change);
                if (total >= 1) all.push_back({total, piece});
            }
    return all;
}

TEST(PieceLayout, IsEmptyWhenMadeWithoutATorrent) {
    PieceLayout const layout;

    EXPECT_EQ(layout.pieces(), 0u);
    EXPECT_EQ(layout.total_bytes(), 0u);
    EXPECT_FALSE(layout.piece(0));
    EXPECT_FALSE(layout.block(0, 0, 16384));
}

TEST(PieceLayout, CoversTheTorrentWithPiecesOneAfterTheOther) {
    for (auto const [total, piece_bytes] : shapes()) {
        PieceLayout const layout(total, piece_bytes);

        std::uint64_t end = 0;
        for (std::uint32_t i = 0; i < layout.pieces(); ++i) {
            PieceIndex const piece(i);
            ASSERT_EQ(layout.begin(piece), end);
            ASSERT_EQ(layout.range(piece).begin, end);
            ASSERT_EQ(layout.range(piece).size(), layout.bytes(piece));
            ASSERT_GE(layout.bytes(piece), 1u);
            ASSERT_TRUE(layout.bytes(piece) == piece_bytes || i + 1 == layout.pieces());
            end = layout.range(piece).end;
        }

        EXPECT_EQ(end, total) << total << " in pieces of " << piece_bytes;
    }
}

TEST(PieceLayout, CoversEveryPieceWithBlocksOneAfterTheOther) {
    for (auto const [total, piece_bytes] : shapes()) {
        PieceLayout const layout(total, piece_bytes);
        for (std::uint32_t i = 0; i < layout.pieces(); ++i) {
            std::uint32_t end = 0;
            for (std::uint32_t b = 0; b < layout.blocks(PieceIndex(i)); ++b) {
                BlockAddress const block{PieceIndex(i), BlockIndex(b)};
                ASSERT_EQ(layout.begin(block), end);
                ASSERT_TRUE(layout.bytes(block) == kBlockBytes || b + 1 == layout.blocks(block.piece));
                end += layout.bytes(block);
            }

            ASSERT_EQ(end, layout.bytes(PieceIndex(i))) << total << " in pieces of " << piece_bytes;
        }
    }
}

TEST(PieceLayout, FindsThePieceOfEveryByte) {
    for (auto const [total, piece_bytes] : shapes()) {
        PieceLayout const layout(total, piece_bytes);
        for (std::uint32_t i = 0; i < layout.pieces(); ++i) {
            auto const range = layout.range(PieceIndex(i));

            ASSERT_EQ(layout.piece_at(range.begin), PieceIndex(i));
            ASSERT_EQ(layout.piece_at(range.end - 1), PieceIndex(i));
        }
    }
}

TEST(PieceLayout, NamesOnlyPiecesThatExist) {
    PieceLayout const layout(100'000, 16384);

    EXPECT_EQ(layout.pieces(), 7u);
    EXPECT_EQ(layout.piece(0), PieceIndex(0));
    EXPECT_EQ(layout.piece(6), PieceIndex(6));
    for (std::uint64_t const number : {std::uint64_t{7}, std::uint64_t{1} << 31, std::uint64_t{1} << 32, kHuge})
        EXPECT_FALSE(layout.piece(number)) << number;
}

TEST(PieceLayout, KnowsABlockOnlyByItsExactPlaceAndLength) {
    PieceLayout const layout(3 * 40'000 + 5, 40'000);  // pieces of 16384 + 16384 + 7232 bytes, the last of 5

    EXPECT_EQ(layout.block(0, 0, 16384), (BlockAddress{PieceIndex(0), BlockIndex(0)}));
    EXPECT_EQ(layout.block(2, 32768, 7232), (BlockAddress{PieceIndex(2), BlockIndex(2)}));
    EXPECT_EQ(layout.block(3, 0, 5), (BlockAddress{PieceIndex(3), BlockIndex(0)}));
}

TEST(PieceLayout, RefusesBlocksThatAreNotOurs) {
    PieceLayout const layout(3 * 40'000 + 5, 40'000);
    struct Wrong {
        std::uint64_t piece, begin, length;
    };

    for (auto const& [piece, begin, length] : std::vector<Wrong>{{0, 0, 16383},
                                                                 {0, 0, 16385},
                                                                 {0, 0, 0},
                                                                 {0, 0, kHuge},
                                                                 {0, 1, 16384},
                                                                 {0, 16383, 16384},
                                                                 {0, 32768, 16384},
                                                                 {0, 32768, 7231},
                                                                 {0, 40'000, 1},
                                                                 {0, 49'152, 1},
                                                                 {3, 0, 4},
                                                                 {3, 0, 6},
                                                                 {3, 16384, 5},
                                                                 {4, 0, 16384},
                                                                 {kHuge, 0, 16384},
                                                                 {0, kHuge, 16384},
                                                                 {0, 1ull << 32, 16384},
                                                                 {1ull << 32, 0, 16384},
                                                                 {0, kHuge - 16383, 16384}})
        EXPECT_FALSE(layout.block(piece, begin, length)) << piece << ' ' << begin << ' ' << length;
}

TEST(PieceLayout, AcceptsExactlyTheBlocksItMakes) {
    for (auto const [total, piece_bytes] : shapes()) {
        PieceLayout const layout(total, piece_bytes);
        for (std::uint32_t i = 0; i < layout.pieces(); ++i)
            for (std::uint32_t b = 0; b < layout.blocks(PieceIndex(i)); ++b) {
                BlockAddress const block{PieceIndex(i), BlockIndex(b)};

                ASSERT_EQ(layout.block(i, layout.begin(block), layout.bytes(block)), block);
                ASSERT_FALSE(layout.block(i, layout.begin(block), layout.bytes(block) + 1));
                ASSERT_FALSE(layout.block(i, layout.begin(block) + 1, layout.bytes(block)));
            }
    }
}

TEST(PieceLayout, FindsThePiecesThatARangeTouches) {
    PieceLayout const layout(25, 10);
    for (std::uint64_t begin = 0; begin < 25; ++begin)
        for (std::uint64_t end = begin + 1; end <= 25; ++end) {
            auto const pieces = layout.pieces(ByteRange{begin, end});

            ASSERT_EQ(pieces.first.value(), begin / 10);
            ASSERT_EQ(pieces.end.value(), (end + 9) / 10);
        }
}

TEST(PieceLayout, FindsNoPiecesInAnEmptyRange) {
    PieceLayout const layout(25, 10);

    for (std::uint64_t const at : {0u, 10u, 24u, 25u}) {
        auto const pieces = layout.pieces(ByteRange{at, at});
        EXPECT_EQ(pieces.first, pieces.end);
    }
}

TEST(PieceLayout, HoldsTheLargestTorrentThereMayBe) {
    std::uint64_t const total = (std::uint64_t{1} << 48) - 1;
    PieceLayout const layout(total, 536'854'528);

    EXPECT_EQ(layout.pieces(), 524'305u);
    EXPECT_EQ(layout.range(PieceIndex(524'304)).end, total);
    EXPECT_EQ(layout.blocks(PieceIndex(0)), 32'767u);
    EXPECT_EQ(layout.piece_at(total - 1), PieceIndex(524'304));
}

}  // namespace
}  // namespace rqfs::torrent
