#include "torrent/net/local_networks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

Address at(std::string const& text) { return Address::parse(text).value(); }

LocalNetwork network(unsigned interface, std::string const& address, unsigned bits) {
    return {interface, at(address), bits};
}

TEST(LocalNetworks, ANetworkHoldsTheAddressesOfItsPrefix) {
    EXPECT_TRUE(network(1, "192.168.1.5", 24).contains(at("192.168.1.255")));
    EXPECT_FALSE(network(1, "192.168.1.5", 24).contains(at("192.168.2.5")));
    EXPECT_TRUE(network(1, "10.1.128.5", 17).contains(at("10.1.255.1")));
    EXPECT_FALSE(network(1, "10.1.128.5", 17).contains(at("10.1.127.1")));
    EXPECT_TRUE(network(1, "2a00:1:2:3::1", 64).contains(at("2a00:1:2:3:4::9")));
    EXPECT_FALSE(network(1, "2a00:1:2:3::1", 64).contains(at("2a00:1:2:4::1")));
    EXPECT_FALSE(network(1, "192.168.1.5", 24).contains(at("2a00::1")));
    EXPECT_FALSE(network(1, "192.168.1.5", 0).contains(at("8.8.8.8"))) << "a prefix of nothing says nothing";
}

TEST(LocalNetworks, ANeighbourIsOnTheNetworkOfTheInterfaceItSpokeThrough) {
    std::vector const networks{network(1, "192.168.1.5", 24), network(2, "10.0.0.5", 8), network(2, "2a00:1::5", 64)};

    EXPECT_TRUE(is_neighbour(networks, at("192.168.1.7"), 1));
    EXPECT_FALSE(is_neighbour(networks, at("192.168.1.7"), 2));
    EXPECT_TRUE(is_neighbour(networks, at("10.200.0.7"), 2));
    EXPECT_TRUE(is_neighbour(networks, at("2a00:1::9"), 2));
    EXPECT_TRUE(is_neighbour(networks, at("10.200.0.7")));
    EXPECT_FALSE(is_neighbour(networks, at("192.168.2.7")));
}

TEST(LocalNetworks, IPv4AddressesOfTheInternetAreNobodysNeighbours) {
    std::vector const networks{network(1, "20.0.0.5", 24)};

    EXPECT_FALSE(is_neighbour(networks, at("20.0.0.6"), 1));
    EXPECT_TRUE(senders(networks, false).empty());
}

TEST(LocalNetworks, EachInterfaceSendsFromTheAddressThatOthersCanDial) {
    std::vector const networks{network(1, "fe80::1", 64), network(1, "2a00:1::5", 64), network(2, "fe80::2", 64),
                               network(3, "10.0.0.5", 8), network(3, "10.0.0.6", 8)};

    EXPECT_EQ(senders(networks, true), (std::vector{networks[1], networks[2]}));
    EXPECT_EQ(senders(networks, false), (std::vector{networks[3]}));
}

TEST(LocalNetworks, LoopbackIsNone) {
    std::vector<Endpoint> const listening{{at("127.0.0.1"), 1}, {at("::1"), 1}};

    EXPECT_TRUE(local_networks(listening).empty());
}

TEST(LocalNetworks, OnlyWhereWeListenAreNetworks) {
    std::vector<Endpoint> const everywhere{{at("0.0.0.0"), 1}, {at("::"), 1}};
    auto const all = local_networks(everywhere);

    EXPECT_TRUE(local_networks({}).empty());
    for (auto const& one : all) {
        std::vector<Endpoint> const there{{one.address, 1}};
        for (auto const& network : local_networks(there)) EXPECT_EQ(network.address, one.address);
    }
}

}  // namespace
}  // namespace rqfs::torrent
