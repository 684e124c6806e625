#include "torrent/recent_addresses.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace rqfs::torrent {
namespace {

Address address(std::uint8_t number) { return Address::v4({20, 0, 0, number}); }

TEST(RecentAddresses, KeepsWhatWasPutThere) {
    RecentAddresses<int> recent(2);

    recent.touch(address(1), 10) = 11;

    ASSERT_NE(recent.find(address(1)), nullptr);
    EXPECT_EQ(*recent.find(address(1)), 11);
    EXPECT_EQ(recent.find(address(2)), nullptr);
}

TEST(RecentAddresses, MakesAnEntryOnlyWhereThereIsNone) {
    RecentAddresses<int> recent(2);
    recent.touch(address(1), 10);

    EXPECT_EQ(recent.touch(address(1), 20), 10);
    EXPECT_EQ(recent.size(), 1u);
}

TEST(RecentAddresses, ForgetTheOneThatWasTouchedLongestAgo) {
    RecentAddresses<int> recent(3);
    for (std::uint8_t i = 1; i <= 3; ++i) recent.touch(address(i), i);
    recent.touch(address(1), 0);

    recent.touch(address(4), 4);

    EXPECT_EQ(recent.find(address(2)), nullptr);
    EXPECT_NE(recent.find(address(1)), nullptr);
    EXPECT_NE(recent.find(address(3)), nullptr);
    EXPECT_NE(recent.find(address(4)), nullptr);
}

TEST(RecentAddresses, LookingIsNotTouching) {
    RecentAddresses<int> recent(2);
    recent.touch(address(1), 1);
    recent.touch(address(2), 2);
    recent.find(address(1));

    recent.touch(address(3), 3);

    EXPECT_EQ(recent.find(address(1)), nullptr);
    EXPECT_NE(recent.find(address(2)), nullptr);
}

TEST(RecentAddresses, AreAtMostSoMany) {
    RecentAddresses<int> recent(16);

    for (int i = 0; i < 10'000; ++i)
        recent.touch(Address::v4({21, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}), i);

    EXPECT_EQ(recent.size(), 16u);
}

}  // namespace
}  // namespace rqfs::torrent
