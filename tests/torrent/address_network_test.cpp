#include "torrent/address_network.h"

#include <gtest/gtest.h>

#include <string_view>

namespace rqfs::torrent {
namespace {

Address address(std::string_view text) { return Address::parse(text).value(); }

TEST(AddressNetwork, AHouseholdIsOneIPv4Address) {
    EXPECT_EQ(household_of(address("1.2.3.4")), address("1.2.3.4"));
    EXPECT_NE(household_of(address("1.2.3.4")), household_of(address("1.2.3.5")));
}

TEST(AddressNetwork, AHouseholdIsA64OfIPv6) {
    EXPECT_EQ(household_of(address("2001:db8:1111:2222:3333:4444:5555:6666")), address("2001:db8:1111:2222::"));
    EXPECT_NE(household_of(address("2001:db8:1:2::1")), household_of(address("2001:db8:1:3::1")));
}

TEST(AddressNetwork, ANetworkIsA24OfIPv4) {
    EXPECT_EQ(network_of(address("1.2.3.4")), address("1.2.3.0"));
    EXPECT_NE(network_of(address("1.2.3.4")), network_of(address("1.2.4.4")));
}

TEST(AddressNetwork, ANetworkIsA64OfIPv6) {
    EXPECT_EQ(network_of(address("2001:db8:1111:2222:3333:4444:5555:6666")), address("2001:db8:1111:2222::"));
    EXPECT_NE(network_of(address("2001:db8:1:2::1")), network_of(address("2001:db8:1:3::1")));
}

TEST(AddressNetwork, ASiteIsA24OfIPv4) {
    EXPECT_EQ(site_of(address("1.2.3.4")), address("1.2.3.0"));
    EXPECT_NE(site_of(address("1.2.3.4")), site_of(address("1.2.4.4")));
}

TEST(AddressNetwork, ASiteIsA48OfIPv6) {
    EXPECT_EQ(site_of(address("2001:db8:1111:2222:3333:4444:5555:6666")), address("2001:db8:1111::"));
    EXPECT_NE(site_of(address("2001:db8:1::1")), site_of(address("2001:db8:2::1")));
}

TEST(AddressNetwork, OfAFamilyIsNeverOneOfTheOther) {
    EXPECT_NE(household_of(address("0.0.0.0")), household_of(address("::")));
    EXPECT_NE(network_of(address("0.0.0.1")), network_of(address("::1")));
    EXPECT_NE(site_of(address("0.0.0.1")), site_of(address("::1")));
}

}  // namespace
}  // namespace rqfs::torrent
