#include "torrent/swarm/precedence.h"

#include <gtest/gtest.h>

#include <algorithm>
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

    precedence.received(10'000'000, kNow + 40s);
    precedence.need(hash(1), 200e3);

    EXPECT_NEAR(static_cast<double>(precedence.allowance(hash(3))), 1e6 / std::sqrt(2) - 300e3, 60e3);
}

// A copy beside a player, for a while: at every moment each receives what the swarms and the way in allow.
class Neighbours {
public:
    void pass(Duration how_long, double player_swarm, double way_in) {
        for (auto const end = now + how_long; now < end; now += 100ms) {
            auto const allowed = static_cast<double>(precedence.allowance(hash(2)));
            copy = std::min({kCopySwarm, allowed > 0 ? allowed : kCopySwarm, way_in});
            player = std::min(player_swarm, way_in - copy);
            least_copy = std::min(least_copy, copy);
            total += static_cast<std::uint64_t>((copy + player) / 10);
            precedence.received(total, now);
        }
    }

    static constexpr double kCopySwarm = 10e6;
    Precedence precedence;
    TimePoint now = kNow;
    std::uint64_t total = 0;
    double copy = 0;
    double player = 0;
    double least_copy = kCopySwarm;
};

TEST(Precedence, APlayerWhoseOwnSwarmIsSlowTakesLittleFromTheOthers) {
    Neighbours neighbours;
    neighbours.pass(30s, 1e6, 20e6);

    neighbours.precedence.need(hash(1), 1e6);
    neighbours.pass(10min, 1e6, 20e6);

    EXPECT_GE(neighbours.least_copy, 0.65 * Neighbours::kCopySwarm);
}

TEST(Precedence, OnALinkThatHasBecomeSlowerPlayersHaveWhatTheyPlay) {
    Neighbours neighbours;
    neighbours.pass(30s, 1e6, 20e6);

    neighbours.precedence.need(hash(1), 1e6);
    neighbours.pass(3min, 1.5e6, 5e6);

    EXPECT_GE(neighbours.player, 1e6);
    EXPECT_GE(neighbours.copy, 2e6);
}

TEST(Precedence, NeedsThatComeAndGoDoNotAddUp) {
    Neighbours neighbours;
    neighbours.pass(30s, 1e6, 20e6);

    for (int i = 0; i < 60; ++i) {
        neighbours.precedence.need(hash(1), 1e6);
        neighbours.pass(9s, 1e6, 20e6);
        neighbours.precedence.need(hash(1), 0);
        neighbours.pass(1s, 1e6, 20e6);
    }

    EXPECT_GE(neighbours.least_copy, 0.6 * Neighbours::kCopySwarm);
}

}  // namespace
}  // namespace rqfs::torrent
