#include "tests/sim/streaming/figures.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

namespace rqfs::tests {

namespace {

constexpr double kWorse = 1.15;
// Differences that nobody would notice, and that a figure near zero has by chance.
constexpr double kSecondsNobodyNotices = 0.05;
constexpr double kShareNobodyNotices = 0.002;

using Result = SimulatedSwarm::Result;

std::vector<double> sorted(std::vector<Result> const& runs, double Result::*figure) {
    std::vector<double> values;
    for (Result const& run : runs) values.push_back(run.*figure);
    std::ranges::sort(values);
    return values;
}

double quantile(std::vector<Result> const& runs, double Result::*figure, double share) {
    auto const values = sorted(runs, figure);
    auto const place = static_cast<std::size_t>(share * static_cast<double>(values.size()));
    return values[std::min(values.size() - 1, place)];
}

double mean(std::vector<Result> const& runs, double Result::*figure) {
    double sum = 0;
    for (Result const& run : runs) sum += run.*figure;
    return sum / static_cast<double>(runs.size());
}

template <class... Values>
std::string format(char const* pattern, Values... values) {
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(), pattern, values...);
    return text.data();
}

}  // namespace

std::string table_head() {
    return "| who                 | start p50  p90 | seek p50  p90  worst | stall | waited | twice or late | abandoned "
           "| "
           "bad | unread | Mbit/s |";
}

std::string Figures::row() const {
    return format(
        "| %-19s | %6.2f %7.2f | %6.2f %6.2f %6.2f | %5.2f | %6.2f | %11.2f %% | %7.2f %% | %3.0f %% | %4.0f %% | "
        "%6.1f |",
        who.c_str(), start, start_90, seek, seek_90, worst_seek, stall, waited, 100 * waste, 100 * abandoned,
        100 * failed, 100 * unread, 8e-6 * rate);
}

std::string Figures::seeds() const {
    std::string lines;
    for (std::size_t seed = 0; seed < runs.size(); ++seed)
        lines += format(
            "\n  seed %2zu: start %.2f s, seek %.2f s (worst %.2f), stall %.2f s, twice or late %.2f %%, bad %.2f %%",
            seed, runs[seed].start, runs[seed].seek, runs[seed].worst_seek, runs[seed].stall, 100 * runs[seed].waste,
            100 * runs[seed].failed);
    return who + lines + "\n";
}

Figures measure(std::string who, Scenario const& scenario, SimulatedSwarm::MakeStreamer const& make,
                std::uint64_t seeds) {
    Figures figures;
    figures.who = std::move(who);
    for (std::uint64_t seed = 0; seed < seeds; ++seed)
        figures.runs.push_back(SimulatedSwarm(scenario, make, seed).run());
    auto const& runs = figures.runs;
    figures.start = quantile(runs, &Result::start, 0.5);
    figures.start_90 = quantile(runs, &Result::start, 0.9);
    figures.seek = quantile(runs, &Result::seek, 0.5);
    figures.seek_90 = quantile(runs, &Result::seek, 0.9);
    figures.worst_seek = quantile(runs, &Result::worst_seek, 1);
    figures.stall = mean(runs, &Result::stall);
    figures.waited = mean(runs, &Result::waited);
    figures.waste = mean(runs, &Result::waste);
    figures.abandoned = mean(runs, &Result::abandoned);
    figures.failed = mean(runs, &Result::failed);
    figures.unread = mean(runs, &Result::unread);
    figures.rate = mean(runs, &Result::rate);
    for (Result const& run : runs) {
        figures.honest_banned += run.honest_banned;
        figures.liars_banned += run.liars_banned;
    }
    return figures;
}

std::map<std::string, double> RecordedFigures::of(Figures const& figures) {
    return {{"start", figures.start},
            {"seek", figures.seek},
            {"stall", figures.stall},
            {"waited", figures.waited},
            {"waste", figures.waste},
            {"abandoned", figures.abandoned},
            {"bad", figures.failed}};
}

RecordedFigures::RecordedFigures(std::string path) : path_(std::move(path)) {
    std::ifstream file(path_);
    std::string scenario, figure;
    double value = 0;
    while (file >> scenario >> figure >> value) recorded_[scenario + " " + figure] = value;
}

std::vector<std::string> RecordedFigures::worse(std::string const& scenario, Figures const& figures) const {
    std::vector<std::string> worse;
    for (auto const& [name, value] : of(figures)) {
        auto const known = recorded_.find(scenario + " " + name);
        if (known == recorded_.end()) {
            worse.push_back(scenario + ": no " + name + " is recorded in " + path_);
            continue;
        }
        bool const is_share = name == "waste" || name == "abandoned" || name == "bad";
        auto const tolerance = is_share ? kShareNobodyNotices : kSecondsNobodyNotices;
        if (value > known->second * kWorse + tolerance)
            worse.push_back(
                format("%s: %s is %.4f, recorded %.4f", scenario.c_str(), name.c_str(), value, known->second));
    }
    return worse;
}

void RecordedFigures::record(std::string const& scenario, Figures const& figures) {
    for (auto const& [name, value] : of(figures)) recorded_[scenario + " " + name] = value;
    std::ofstream file(path_);
    for (auto const& [name, value] : recorded_) file << name << format(" %.4f\n", value);
}

}  // namespace rqfs::tests
