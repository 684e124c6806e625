#include "torrent/session_context.h"

#include "tests/torrent/engine/connections_fixture.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace rqfs::torrent {
namespace {

class SessionContextTest : public ConnectionsFixture {
protected:
    std::uint16_t port_for(char const* address) const { return context.port_for(Address::parse(address).value()); }
};

TEST_F(SessionContextTest, ThePortThatTheRouterTranslatesIsForThoseBeyondIt) {
    listening_ports = {6881, 7000};
    announced_ports = {50'000, 7000};

    EXPECT_EQ(port_for("41.0.0.1"), 50'000);
    EXPECT_EQ(port_for("192.168.1.7"), 6881);
    EXPECT_EQ(port_for("2a00::1"), 7000);
    EXPECT_EQ(port_for("fd00::1"), 7000);
}

TEST_F(SessionContextTest, StrangersInSpecialRangesReachUsBeyondTheRouter) {
    listening_ports = {6881, 7000};
    announced_ports = {50'000, 50'001};

    for (char const* stranger : {"100.64.3.4", "198.18.0.9", "240.0.0.9", "10.9.8.7", "192.168.2.7"})
        EXPECT_EQ(port_for(stranger), 50'000) << stranger;
    for (char const* stranger : {"2001:0:1::9", "fd11::1"}) EXPECT_EQ(port_for(stranger), 50'001) << stranger;
}

TEST_F(SessionContextTest, BehindAProxyNobodyButTheUserMakesUsDialTheLocalNetwork) {
    auto const neighbour = Endpoint::parse("192.168.1.7:6881").value();
    EXPECT_TRUE(context.may_dial(neighbour, AddressSource::resume));

    settings.proxy = "socks5://41.0.0.1:1080";

    EXPECT_FALSE(context.may_dial(neighbour, AddressSource::resume));
    EXPECT_FALSE(context.may_dial(neighbour, AddressSource::magnet));
    EXPECT_TRUE(context.may_dial(neighbour, AddressSource::user));
}

}  // namespace
}  // namespace rqfs::torrent
