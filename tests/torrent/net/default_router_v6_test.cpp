#include "torrent/net/default_router_v6.h"

#include <gtest/gtest.h>

#include <string>

namespace rqfs::torrent {
namespace {

std::string const kAny(32, '0');

std::string route(std::string const& gateway, std::string const& metric, std::string const& flags,
                  std::string const& device, std::string const& prefix = "00") {
    return kAny + " " + prefix + " " + kAny + " 00 " + gateway + " " + metric + " 00000001 00000000 " + flags +
           "     " + device + "\n";
}

std::string const kWired = route("fe800000000000000000000000000001", "00000064", "00450003", "eth0");
std::string const kWireless = route("fe800000000000000000000000000002", "00000258", "00450003", "wlan0");
std::string const kNetwork = route(kAny, "00000100", "00000001", "eth0", "40");
std::string const kTunnel = route(kAny, "00000010", "00000001", "tun0");
std::string const kNone = route(kAny, "ffffffff", "00200200", "lo");

TEST(DefaultRouterV6, TheRouteWithTheLowestMetricDecides) {
    auto const gateway = default_gateway_v6(kNone + kWireless + kNetwork + kTunnel + kWired + kNone);

    ASSERT_TRUE(gateway);
    EXPECT_EQ(gateway->address.text(), "fe80::1");
    EXPECT_EQ(gateway->device, "eth0");
}

TEST(DefaultRouterV6, ANamedInterfaceHasItsOwn) {
    EXPECT_EQ(default_gateway_v6(kWired + kWireless, "wlan0")->address.text(), "fe80::2");
    EXPECT_FALSE(default_gateway_v6(kWired + kWireless, "eth1"));
}

TEST(DefaultRouterV6, RoutesWithoutAGatewayAreNone) {
    EXPECT_FALSE(default_gateway_v6(kNetwork + kTunnel + kNone));
    EXPECT_FALSE(default_gateway_v6(route("fe800000000000000000000000000001", "00000064", "00000003", "eth0", "40")));
    EXPECT_FALSE(default_gateway_v6(""));
}

TEST(DefaultRouterV6, WhatIsNoTableIsPassedOver) {
    EXPECT_FALSE(default_gateway_v6("x\ny z\n" + kWired.substr(0, 90)));
    EXPECT_FALSE(default_gateway_v6(route("fe80", "00000064", "00450003", "eth0")));
    EXPECT_FALSE(default_gateway_v6(route(std::string(32, 'q'), "00000064", "00450003", "eth0")));
    EXPECT_FALSE(default_gateway_v6(route("fe800000000000000000000000000001", "metric", "00450003", "eth0")));
}

}  // namespace
}  // namespace rqfs::torrent
