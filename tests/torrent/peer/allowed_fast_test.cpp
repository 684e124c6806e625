#include "torrent/peer/allowed_fast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace rqfs::torrent {
namespace {

InfoHash hash_of_aa() {
    std::array<std::byte, InfoHash::kBytes> bytes;
    bytes.fill(std::byte{0xaa});
    return InfoHash(bytes);
}

std::vector<std::uint32_t> numbers(std::vector<PieceIndex> const& pieces) {
    std::vector<std::uint32_t> out;
    for (auto const piece : pieces) out.push_back(piece.value());
    return out;
}

TEST(AllowedFast, GivesTheSetOfBep6) {
    auto const set = allowed_fast_set(Address::v4({80, 4, 4, 200}), hash_of_aa(), 1313, 9);

    EXPECT_THAT(numbers(set), testing::ElementsAre(1059, 431, 808, 1217, 287, 376, 1188, 353, 508));
}

TEST(AllowedFast, GivesNeighboursOfANetworkTheSameSet) {
    EXPECT_EQ(allowed_fast_set(Address::v4({80, 4, 4, 200}), hash_of_aa(), 1313, 9),
              allowed_fast_set(Address::v4({80, 4, 4, 7}), hash_of_aa(), 1313, 9));
}

TEST(AllowedFast, GivesEveryPieceOnceWhenThereAreFewerThanAsked) {
    auto set = numbers(allowed_fast_set(Address::v4({1, 2, 3, 4}), hash_of_aa(), 3, 10));

    EXPECT_THAT(set, testing::UnorderedElementsAre(0, 1, 2));
}

TEST(AllowedFast, IsEmptyWithoutPieces) {
    EXPECT_TRUE(allowed_fast_set(Address::v4({1, 2, 3, 4}), hash_of_aa(), 0, 10).empty());
}

TEST(AllowedFast, IsEmptyForIpv6) {
    EXPECT_TRUE(allowed_fast_set(Address::parse("fd00::1").value(), hash_of_aa(), 1313, 9).empty());
}

}  // namespace
}  // namespace rqfs::torrent
