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

}  // namespace
}  // namespace rqfs::torrent
