#include "torrent/bitfield.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace rqfs::torrent {
namespace {

std::vector<std::byte> bytes(std::vector<int> const& values) {
    std::vector<std::byte> all;
    for (int const value : values) all.push_back(static_cast<std::byte>(value));
    return all;
}

TEST(Bitfield, IsEmptyWhenMadeOfNothing) {
    Bitfield const field;

    EXPECT_EQ(field.size(), 0u);
    EXPECT_TRUE(field.all());
    EXPECT_TRUE(field.none());
    EXPECT_TRUE(field.bytes().empty());
}

TEST(Bitfield, HoldsAllOrNoneForEverySize) {
    for (std::uint32_t pieces = 0; pieces <= 70; ++pieces) {
        Bitfield const none(pieces);
        Bitfield const all(pieces, true);

        EXPECT_EQ(none.count(), 0u);
        EXPECT_TRUE(none.none());
        EXPECT_EQ(all.count(), pieces);
        EXPECT_TRUE(all.all());
        EXPECT_EQ(all.bytes().size(), (pieces + 7) / 8);
        EXPECT_TRUE(Bitfield::parse(all.bytes(), pieces)) << "spare bits are zero";
        for (std::uint32_t i = 0; i < pieces; ++i) {
            EXPECT_TRUE(all.test(PieceIndex(i)));
            EXPECT_FALSE(none.test(PieceIndex(i)));
        }
    }
}

TEST(Bitfield, PutsPieceZeroIntoTheHighBitOfTheFirstByte) {
    Bitfield field(10);

    field.set(PieceIndex(0));
    field.set(PieceIndex(9));

    EXPECT_EQ(std::vector<std::byte>(field.bytes().begin(), field.bytes().end()), bytes({0x80, 0x40}));
}

TEST(Bitfield, ReadsWhatAPeerSent) {
    auto const field = Bitfield::parse(bytes({0b10100000, 0b01000000}), 10);

    ASSERT_TRUE(field);
    EXPECT_EQ(field->count(), 3u);
    EXPECT_TRUE(field->test(PieceIndex(0)) && field->test(PieceIndex(2)) && field->test(PieceIndex(9)));
}

TEST(Bitfield, RefusesEveryOtherLength) {
    for (std::uint32_t pieces = 0; pieces <= 40; ++pieces)
        for (std::size_t length = 0; length <= 8; ++length)
            EXPECT_EQ(Bitfield::parse(std::vector<std::byte>(length), pieces).has_value(), length == (pieces + 7) / 8)
                << pieces << " pieces, " << length << " bytes";
}

TEST(Bitfield, RefusesEverySpareBit) {
    for (std::uint32_t pieces = 1; pieces <= 16; ++pieces)
        for (std::uint32_t bit = 0; bit < (pieces + 7) / 8 * 8; ++bit) {
            std::vector<std::byte> raw((pieces + 7) / 8);
            raw[bit / 8] = std::byte{0x80} >> (bit % 8);

            EXPECT_EQ(Bitfield::parse(raw, pieces).has_value(), bit < pieces) << pieces << " pieces, bit " << bit;
        }
}

TEST(Bitfield, CountsAndRemembersLikeASet) {
    std::mt19937 random(11);
    Bitfield field(77);
    std::set<std::uint32_t> expected;
    for (int step = 0; step < 5'000; ++step) {
        auto const piece = static_cast<std::uint32_t>(random() % 77);
        if (random() % 2 == 0) {
            field.set(PieceIndex(piece));
            expected.insert(piece);
        } else {
            field.clear(PieceIndex(piece));
            expected.erase(piece);
        }

        ASSERT_EQ(field.count(), expected.size()) << "step " << step;
        ASSERT_EQ(field.test(PieceIndex(piece)), expected.contains(piece)) << "step " << step;
    }
    for (std::uint32_t i = 0; i < 77; ++i) EXPECT_EQ(field.test(PieceIndex(i)), expected.contains(i));
    EXPECT_EQ(Bitfield::parse(field.bytes(), 77).value(), field);
}

TEST(Bitfield, TellsSizesApartWhoseBytesAreEqual) { EXPECT_NE(Bitfield(9), Bitfield(10)); }

}  // namespace
}  // namespace rqfs::torrent
