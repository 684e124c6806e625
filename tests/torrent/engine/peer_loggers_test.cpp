#include "torrent/peer_loggers.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>

namespace rqfs::torrent {
namespace {

PeerLoggers::Logger logger() { return std::make_shared<spdlog::logger>("test"); }
Endpoint peer(std::size_t port) { return {Address::v4({10, 0, 0, 1}), static_cast<std::uint16_t>(port)}; }

TEST(PeerLoggers, GivesAPeerItsOwnAndAllOthersTheCommonOne) {
    PeerLoggers loggers;
    auto const own = logger();
    auto const common = logger();

    EXPECT_TRUE(loggers.set(peer(1), own));

    EXPECT_EQ(loggers.of(peer(1), peer(99), common), own) << "by the address where it listens";
    EXPECT_EQ(loggers.of(peer(99), peer(1), common), own) << "by the address it speaks from";
    EXPECT_EQ(loggers.of(peer(2), peer(3), common), common);
}

TEST(PeerLoggers, ForgetsWhatIsTakenBack) {
    PeerLoggers loggers;
    auto const common = logger();
    loggers.set(peer(1), logger());
    EXPECT_TRUE(loggers.contains(peer(1)));

    EXPECT_TRUE(loggers.set(peer(1), nullptr));

    EXPECT_FALSE(loggers.contains(peer(1)));
    EXPECT_EQ(loggers.of(peer(1), peer(1), common), common);
    EXPECT_TRUE(loggers.set(peer(1), nullptr)) << "twice is harmless";
}

TEST(PeerLoggers, KeepsNoMoreThanItsLimitButChangesThoseItHas) {
    PeerLoggers loggers;
    auto const changed = logger();
    for (std::size_t port = 1; port <= limit::kPeerLogLevels; ++port) EXPECT_TRUE(loggers.set(peer(port), logger()));

    EXPECT_FALSE(loggers.set(peer(limit::kPeerLogLevels + 1), logger()));
    EXPECT_TRUE(loggers.set(peer(1), changed));
    EXPECT_TRUE(loggers.set(peer(2), nullptr));
    EXPECT_TRUE(loggers.set(peer(limit::kPeerLogLevels + 1), logger()));

    EXPECT_EQ(loggers.of(peer(1), peer(1), logger()), changed);
}

}  // namespace
}  // namespace rqfs::torrent
