#include "tests/sim/streaming/competitors.h"
#include "tests/sim/streaming/figures.h"
#include "tests/sim/streaming/rqfs_streamer.h"
#include "tests/sim/streaming/scenario.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

// Prints the table as it goes. `RQFS_RECORD=1 test_streaming` writes this machine's figures into recorded_figures.txt;
// they are the same on every machine, so only a change of the engine or of the scenarios changes them.
namespace rqfs::tests {
namespace {

constexpr std::uint64_t kSeeds = 12;

std::unique_ptr<Streamer> make_rqfs(torrent::PieceLayout const& layout, Scenario const&, std::uint64_t seed) {
    return std::make_unique<RqfsStreamer>(layout, seed);
}

void compare_with_recorded(Scenario const& scenario, Figures const& ours) {
    RecordedFigures recorded(RECORDED_FIGURES);
    if (std::getenv("RQFS_RECORD") != nullptr) recorded.record(scenario.name, ours);
    for (std::string const& worse : recorded.worse(scenario.name, ours)) ADD_FAILURE() << worse << "\n" << ours.seeds();
}

void compare_with_others(Scenario const& scenario, Figures const& ours) {
    for (auto const& [name, make] : competitors()) {
        auto const theirs = measure(name, scenario, make, kSeeds);
        std::printf("%s\n", theirs.row().c_str());
        EXPECT_LT(ours.start, theirs.start) << name << "\n" << ours.seeds();
        EXPECT_LT(ours.seek, theirs.seek) << name << "\n" << ours.seeds();
        EXPECT_LT(ours.waited, theirs.waited) << name << "\n" << ours.seeds();
    }
}

// Ahead of everybody, no more than a seventh worse than recorded, and nobody banned who did nothing.
Figures judge(Scenario const& scenario) {
    auto const ours = measure("rqfs", scenario, make_rqfs, kSeeds);
    std::printf("%s\n%s\n%s\n", scenario.name.c_str(), table_head().c_str(), ours.row().c_str());
    EXPECT_EQ(ours.honest_banned, 0u) << ours.seeds();
    compare_with_others(scenario, ours);
    compare_with_recorded(scenario, ours);
    return ours;
}

TEST(Streaming, OverManyModestPeersStartsAndSeeksInTwoSecondsWithoutStall) {
    auto const ours = judge(default_scenario());

    EXPECT_LE(ours.start, 2.0) << ours.seeds();
    EXPECT_LE(ours.seek, 2.5) << ours.seeds();
    EXPECT_LE(ours.stall, 0.2) << ours.seeds();
    EXPECT_LE(ours.waste, 0.025) << ours.seeds();
}

TEST(Streaming, OverFewPeersThatBarelySufficeIsAheadOfOthers) { judge(barely_enough()); }

TEST(Streaming, OverManySlowPeersIsAheadOfOthers) { judge(many_slow_peers()); }

TEST(Streaming, OfLargePiecesIsAheadOfOthers) { judge(large_pieces()); }

TEST(Streaming, OverPeersThatLackPiecesIsAheadOfOthers) { judge(incomplete_peers()); }

TEST(Streaming, OfAFilmThatTakesAllCapacityIsAheadOfOthers) { judge(film_at_capacity()); }

TEST(Streaming, OverUnequalSeedsWithDeepBuffersNeitherStallsNorWastes) {
    auto const ours = judge(unequal_seeds());

    EXPECT_LE(ours.seek, 2.5) << ours.seeds();
    EXPECT_LE(ours.stall, 0.01) << ours.seeds();
    EXPECT_LE(ours.waste, 0.025) << ours.seeds();
}

TEST(Streaming, OverPeersThatChokeInTurnsAndComeAndGoHardlyStalls) {
    auto const ours = judge(leeching_swarm());

    EXPECT_LE(ours.seek, 2.5) << ours.seeds();
    EXPECT_LE(ours.stall, 0.2) << ours.seeds();
}

TEST(Streaming, GoesOnWhenEverySecondPeerIsNoGoodAndShowsWhoLies) {
    auto const ours = judge(hostile_swarm());

    EXPECT_LE(ours.stall, 0.5) << ours.seeds();
    EXPECT_GE(ours.liars_banned, kSeeds) << ours.seeds();
}

TEST(Streaming, IsTheSameAgainForTheSameSeed) {
    auto scenario = leeching_swarm();
    scenario.seconds = 25;

    auto const once = SimulatedSwarm(scenario, make_rqfs, 5).run();
    auto const again = SimulatedSwarm(scenario, make_rqfs, 5).run();

    EXPECT_EQ(once.start, again.start);
    EXPECT_EQ(once.rate, again.rate);
    EXPECT_EQ(once.waste, again.waste);
}

}  // namespace
}  // namespace rqfs::tests
