#include "torrent/net/default_router.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

namespace rqfs::torrent {
namespace {

static_assert(std::endian::native == std::endian::little, "the table's addresses below are those of such a machine");

constexpr char kColumns[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
constexpr char kWired[] = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
constexpr char kWireless[] = "wlan0\t00000000\tFE00000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n";
constexpr char kNetwork[] = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
constexpr char kTunnel[] = "tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0\n";

TEST(DefaultRouter, TheRouteWithTheLowestMetricDecides) {
    EXPECT_EQ(default_gateway(std::string(kColumns) + kWireless + kNetwork + kWired)->text(), "192.168.1.1");
}

TEST(DefaultRouter, ANamedInterfaceHasItsOwn) {
    EXPECT_EQ(default_gateway(std::string(kColumns) + kWireless + kWired, "wlan0")->text(), "10.0.0.254");
    EXPECT_FALSE(default_gateway(std::string(kColumns) + kWireless + kWired, "eth1"));
}

TEST(DefaultRouter, RoutesWithoutAGatewayAreNone) {
    EXPECT_FALSE(default_gateway(std::string(kColumns) + kNetwork + kTunnel));
    EXPECT_FALSE(default_gateway(kColumns));
    EXPECT_FALSE(default_gateway(""));
}

TEST(DefaultRouter, WhatIsNoTableIsPassedOver) {
    EXPECT_FALSE(default_gateway("x\ny z\neth0\t00000000\tQQQQ\t0003\t0\t0\t100\t00000000\n"));
    EXPECT_FALSE(default_gateway("x\neth0\t00000000\t0101A8C0\t0003\n"));
}

}  // namespace
}  // namespace rqfs::torrent
