#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace rqfs::tests {

// Random numbers that are the same with every standard library, whose own distributions differ.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    double normal() {
        double const radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }
    double exponential(double mean) { return -mean * std::log(1 - uniform()); }
    std::uint64_t number() { return engine_(); }

private:
    std::mt19937_64 engine_;
};

}  // namespace rqfs::tests
