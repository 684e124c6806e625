#include "torrent/net/ip_filter.h"

#include "torrent/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

Address at(std::string_view text) { return Address::parse(text).value(); }

IpFilter filter_of(std::vector<std::pair<std::string, std::string>> const& ranges) {
    IpFilter::Builder builder;
    for (auto const& [first, last] : ranges) builder.add(at(first), at(last));
    return std::move(builder).build();
}

TEST(IpFilter, BlocksNobodyWhenItIsEmpty) {
    IpFilter const filter;

    EXPECT_TRUE(filter.empty());
    EXPECT_FALSE(filter.blocks(at("0.0.0.0")));
    EXPECT_FALSE(filter.blocks(at("::")));
}

TEST(IpFilter, BlocksARangeWithBothItsEnds) {
    auto const filter = filter_of({{"1.2.3.4", "1.2.3.9"}, {"2a00::10", "2a00::1f"}});

    for (auto const* const inside : {"1.2.3.4", "1.2.3.7", "1.2.3.9", "2a00::10", "2a00::1f"})
        EXPECT_TRUE(filter.blocks(at(inside))) << inside;
    for (auto const* const outside : {"1.2.3.3", "1.2.3.10", "2a00::f", "2a00::20", "::", "255.255.255.255"})
        EXPECT_FALSE(filter.blocks(at(outside))) << outside;
}

TEST(IpFilter, TakesAMappedAddressForTheOneInIt) {
    auto const filter = filter_of({{"1.2.3.4", "1.2.3.9"}, {"::ffff:5.0.0.0", "::ffff:5.0.0.9"}});

    EXPECT_TRUE(filter.blocks(at("::ffff:1.2.3.5")));
    EXPECT_TRUE(filter.blocks(at("5.0.0.3")));
    EXPECT_FALSE(filter.blocks(at("::1.2.3.5")));
}

TEST(IpFilter, AllOfIPv6DoesNotBlockIPv4) {
    auto const filter = filter_of({{"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}});

    EXPECT_TRUE(filter.blocks(at("2a00::1")));
    EXPECT_FALSE(filter.blocks(at("1.2.3.4")));
}

TEST(IpFilter, BlocksTheVeryFirstAndTheVeryLastAddress) {
    std::string const last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    auto const filter =
        filter_of({{"0.0.0.0", "0.0.0.0"}, {"255.255.255.255", "255.255.255.255"}, {"::", "::"}, {last, last}});

    for (auto const& end : {std::string("0.0.0.0"), std::string("255.255.255.255"), std::string("::"), last})
        EXPECT_TRUE(filter.blocks(at(end))) << end;
    for (auto const* const next : {"0.0.0.1", "255.255.255.254", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"})
        EXPECT_FALSE(filter.blocks(at(next))) << next;
}

TEST(IpFilter, MakesOneOfRangesThatOverlapTouchOrHoldEachOther) {
    auto const filter = filter_of({{"1.0.0.20", "1.0.0.29"},
                                   {"1.0.0.0", "1.0.0.9"},
                                   {"1.0.0.10", "1.0.0.19"},
                                   {"1.0.0.5", "1.0.0.6"},
                                   {"1.0.0.31", "1.0.0.31"},
                                   {"1.0.0.31", "1.0.0.31"}});

    EXPECT_EQ(filter.ranges(), 2u);
    EXPECT_TRUE(filter.blocks(at("1.0.0.29")));
    EXPECT_FALSE(filter.blocks(at("1.0.0.30")));
    EXPECT_TRUE(filter.blocks(at("1.0.0.31")));
}

TEST(IpFilter, MergesUpToTheLastAddressWithoutGoingRound) {
    auto const filter = filter_of(
        {{"255.255.255.0", "255.255.255.255"}, {"255.255.255.255", "255.255.255.255"}, {"0.0.0.0", "0.0.0.0"}});

    EXPECT_EQ(filter.ranges(), 2u);
    EXPECT_FALSE(filter.blocks(at("0.0.0.1")));
}

// A made-up filter in a small corner of the address space agrees about each of its addresses with a table of them.
TEST(IpFilter, AgreesWithATableOfAllAddresses) {
    constexpr std::size_t kAddresses = 512;
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        std::mt19937 random(seed);
        bool const v6 = seed % 2 == 0;
        auto const address = [&](std::size_t number) {
            auto const high = static_cast<std::uint8_t>(number >> 8);
            auto const low = static_cast<std::uint8_t>(number);
            // At the very end of IPv4, and across a byte of IPv6.
            if (!v6) return Address::v4({255, 255, static_cast<std::uint8_t>(254 + high), low});
            return Address::v6({0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low});
        };
        std::bitset<kAddresses> table;
        IpFilter::Builder builder;
        auto const ranges = random() % 40;
        for (std::uint32_t i = 0; i < ranges; ++i) {
            auto const first = random() % kAddresses;
            auto const last = std::min<std::size_t>(kAddresses - 1, first + random() % 30);
            builder.add(address(first), address(last));
            for (auto number = std::size_t{first}; number <= last; ++number) table.set(number);
        }

        auto const filter = std::move(builder).build();

        std::size_t runs = 0;
        for (std::size_t number = 0; number < kAddresses; ++number) {
            ASSERT_EQ(filter.blocks(address(number)), table.test(number)) << "seed " << seed << " " << number;
            runs += table.test(number) && (number == 0 || !table.test(number - 1));
        }
        ASSERT_EQ(filter.ranges(), runs) << "seed " << seed;
    }
}

TEST(IpFilter, AMillionRangesOfIPv4TakeHalfOfSixteenMegabytes) {
    IpFilter::Builder builder;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        auto const value = i * 4096;
        auto const address =
            Address::v4({static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
                         static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
        builder.add(address, address);
    }

    auto const filter = std::move(builder).build();

    EXPECT_EQ(filter.ranges(), 1'000'000u);
    EXPECT_EQ(filter.memory_bytes(), 8'000'000u);
}

}  // namespace
}  // namespace rqfs::torrent
