#include "tests/sim/simulated_swarm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

constexpr std::uint64_t kSeeds = 12;

struct Figures {
    double start, start_90, seek, seek_90, stall, waste, rate;
};

double quantile(std::vector<double> values, double share) {
    std::ranges::sort(values);
    return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

Figures measure(char const* name, SimulatedSwarm::Scenario const& scenario) {
    std::vector<double> starts, seeks;
    Figures sum{};
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        auto const result = SimulatedSwarm(scenario, seed).run();
        starts.push_back(result.start);
        seeks.push_back(result.seek);
        sum.stall += result.stall / kSeeds;
        sum.waste += result.waste / kSeeds;
        sum.rate += result.rate / kSeeds;
        std::printf("  seed %2u: start %.2f s, seek %.2f s, stall %.2f s, duplicate and late %.2f %%\n",
                    static_cast<unsigned>(seed), result.start, result.seek, result.stall, 100 * result.waste);
    }
    sum.start = quantile(starts, 0.5), sum.start_90 = quantile(starts, 0.9);
    sum.seek = quantile(seeks, 0.5), sum.seek_90 = quantile(seeks, 0.9);
    std::printf(
        "%-12s start p50 %.2f p90 %.2f | seek p50 %.2f p90 %.2f | stall mean %.2f s | duplicate and late %.2f %% | "
        "%.1f Mbit/s\n",
        name, sum.start, sum.start_90, sum.seek, sum.seek_90, sum.stall, 100 * sum.waste, sum.rate * 8e-6);
    return sum;
}

TEST(Streaming, OverManyModestPeersStartsAndSeeksInTwoSecondsWithoutStall) {
    auto const figures = measure("default", {});

    EXPECT_LE(figures.start, 2.0);
    EXPECT_LE(figures.seek, 2.5);
    EXPECT_LE(figures.stall, 0.2);
    EXPECT_LE(figures.waste, 0.025);
}

TEST(Streaming, OverFewPeersThatBarelySufficeStillPlays) {
    auto const figures = measure("tight", {.peers = 12, .peer_bytes = 100e3});

    // The model that the design was drawn from has 2.4, 3.4, 0.17 s and 0.9 % here; recorded: 1.9, 3.3, 0.02 s and 1.4
    // %.
    EXPECT_LE(figures.start, 2.4);
    EXPECT_LE(figures.seek, 3.8);
    EXPECT_LE(figures.stall, 0.2);
    EXPECT_LE(figures.waste, 0.025);
}

TEST(Streaming, IsTheSameAgainForTheSameSeed) {
    auto const once = SimulatedSwarm({.seconds = 25}, 5).run();
    auto const again = SimulatedSwarm({.seconds = 25}, 5).run();

    EXPECT_EQ(once.start, again.start);
    EXPECT_EQ(once.rate, again.rate);
    EXPECT_EQ(once.waste, again.waste);
}

}  // namespace
}  // namespace rqfs::tests
