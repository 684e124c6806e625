#include "torrent/swarm/precedence.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1000h};

InfoHash hash(int n) { return InfoHash::parse(std::string(39, '0') + std::to_string(n)).value(); }

// A session that has received 1 MB/s for a while.
Precedence busy() {
    Precedence precedence;
    for (int i = 0; i <= 100; ++i) precedence.received(static_cast<std::uint64_t>(i) * 100'000, kNow + i * 100ms);
    return precedence;
}

TEST(Precedence, LimitsNobodyWhileNoPlayerLacksAnything) {
    auto precedence = busy();
    precedence.need(hash(1), 1e6);
    precedence.need(hash(1), 0);

    EXPECT_EQ(precedence.allowance(hash(1)), 0u);
    EXPECT_EQ(precedence.allowance(hash(2)), 0u);
}

TEST(Precedence, LeavesPlayersHalfAsMuchAgainAsTheyPlay) {
    auto precedence = busy();
    precedence.need(hash(1), 200e3);
    precedence.need(hash(2), 200e3);

    EXPECT_NEAR(static_cast<double>(precedence.allowance(hash(3))), 1e6 - 600e3, 50e3);
    EXPECT_EQ(precedence.allowance(hash(1)), 0u) << "those with players are not limited";
}

TEST(Precedence, LeavesTheOthersASeventhAtLeast) {
    auto precedence = busy();
    precedence.need(hash(1), 5e6);

    EXPECT_NEAR(static_cast<double>(precedence.allowance(hash(3))), 1e6 / 7, 10e3);
    EXPECT_EQ(Precedence().allowance(hash(3)), 0u);
}

TEST(Precedence, ForgetsATorrentThatLeft) {
    auto precedence = busy();
    precedence.need(hash(1), 5e6);

    precedence.left(hash(1));

    EXPECT_EQ(precedence.allowance(hash(3)), 0u);
}

TEST(Precedence, RemembersWhatTheWayInCanCarry) {
    auto precedence = busy();
    precedence.need(hash(1), 200e3);

    precedence.received(10'000'000, kNow + 40s);

    EXPECT_NEAR(static_cast<double>(precedence.allowance(hash(3))), 1e6 / std::sqrt(2) - 300e3, 60e3);
}

}  // namespace
}  // namespace rqfs::torrent
