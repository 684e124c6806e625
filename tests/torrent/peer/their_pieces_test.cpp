#include "torrent/peer/their_pieces.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <vector>

namespace rqfs::torrent {
namespace {

std::vector<std::byte> const kFirstAndLast{std::byte{0x80}, std::byte{0x40}};

TEST(TheirPieces, TakeABitfield) {
    TheirPieces pieces(10);

    ASSERT_TRUE(pieces.set_bitfield(kFirstAndLast));

    EXPECT_TRUE(pieces.pieces().test(PieceIndex(0)));
    EXPECT_TRUE(pieces.pieces().test(PieceIndex(9)));
    EXPECT_EQ(pieces.pieces().count(), 2u);
    EXPECT_FALSE(pieces.all());
}

TEST(TheirPieces, SayWhatIsNews) {
    TheirPieces pieces(10);

    EXPECT_TRUE(pieces.add(3).value());
    EXPECT_FALSE(pieces.add(3).value());
    EXPECT_TRUE(pieces.remove(3).value());
    EXPECT_FALSE(pieces.remove(3).value());
    EXPECT_FALSE(pieces.add(10));
    EXPECT_FALSE(pieces.remove(10));
}

TEST(TheirPieces, AreEmptyButRememberedUntilTheLayoutIsKnown) {
    TheirPieces pieces(std::nullopt);
    ASSERT_TRUE(pieces.set_bitfield(kFirstAndLast));
    EXPECT_FALSE(pieces.add(4).value());
    EXPECT_FALSE(pieces.remove(0).value());
    EXPECT_EQ(pieces.pieces().size(), 0u);

    ASSERT_TRUE(pieces.layout_known(10));

    EXPECT_EQ(pieces.pieces().count(), 2u);
    EXPECT_TRUE(pieces.pieces().test(PieceIndex(4)));
    EXPECT_TRUE(pieces.pieces().test(PieceIndex(9)));
}

TEST(TheirPieces, OfASeedAreAllWhateverTheirNumber) {
    TheirPieces pieces(std::nullopt);
    pieces.set_all();
    EXPECT_TRUE(pieces.all());

    ASSERT_TRUE(pieces.layout_known(13));

    EXPECT_EQ(pieces.pieces().count(), 13u);
}

TEST(TheirPieces, AreCheckedWhenTheLayoutIsKnown) {
    for (std::uint32_t const pieces_in_torrent : {8u, 9u, 17u}) {
        TheirPieces pieces(std::nullopt);
        ASSERT_TRUE(pieces.set_bitfield(kFirstAndLast));

        EXPECT_FALSE(pieces.layout_known(pieces_in_torrent)) << pieces_in_torrent;
    }
}

TEST(TheirPieces, HavesAreCheckedWhenTheLayoutIsKnown) {
    for (std::uint32_t const beyond : {10u, 15u, 16u, 2'000'000u}) {
        TheirPieces pieces(std::nullopt);
        ASSERT_TRUE(pieces.add(beyond));

        EXPECT_FALSE(pieces.layout_known(10)) << beyond;
    }
}

TEST(TheirPieces, AreBoundedBeforeTheLayoutIsKnown) {
    TheirPieces pieces(std::nullopt);

    EXPECT_TRUE(pieces.add(limit::kPieces - 1));
    EXPECT_FALSE(pieces.add(limit::kPieces));
    EXPECT_FALSE(pieces.set_bitfield(std::vector<std::byte>(limit::kPieces / 8 + 1)));
}

}  // namespace
}  // namespace rqfs::torrent
