#pragma once

#include "tests/sim/streaming/scenario.h"
#include "tests/sim/streaming/simulated_swarm.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rqfs::tests {

// What many seeds of one scenario come to. Seconds and shares; start and seek are medians, the others means.
struct Figures {
    std::string who;
    double start = 0, start_90 = 0, seek = 0, seek_90 = 0, worst_seek = 0, stall = 0, waited = 0;
    double waste = 0, abandoned = 0, failed = 0, unread = 0, rate = 0;
    std::uint32_t honest_banned = 0, liars_banned = 0;
    std::vector<SimulatedSwarm::Result> runs;  // by seed

    std::string row() const;    // of the table whose head is table_head()
    std::string seeds() const;  // a line a seed, for failures
};

std::string table_head();
Figures measure(std::string who, Scenario const& scenario, SimulatedSwarm::MakeStreamer const& make,
                std::uint64_t seeds);

// The figures in recorded_figures.txt: a line "scenario figure value" each.
class RecordedFigures {
public:
    static std::map<std::string, double> of(Figures const& figures);

    explicit RecordedFigures(std::string path);
    // What is worse than recorded by more than a seventh, one sentence each; a figure that is not recorded is said too.
    std::vector<std::string> worse(std::string const& scenario, Figures const& figures) const;
    // Writes them down instead of what was recorded for the scenario.
    void record(std::string const& scenario, Figures const& figures);

private:
    std::string path_;
    std::map<std::string, double> recorded_;  // by "scenario figure"
};

}  // namespace rqfs::tests
