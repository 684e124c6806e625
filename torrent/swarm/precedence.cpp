#include "torrent/swarm/precedence.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace rqfs::torrent {

namespace {

constexpr double kSpare = 1.5;               // of the rate that is played: what was lacking is caught up with, too
constexpr double kShare = 1.0 / 7;           // as much as the picker leaves to copies beside players
constexpr std::uint64_t kLeast = 16u << 10;  // bytes a second: a block
constexpr std::chrono::duration<double> kHalfLife{60};

}  // namespace

void Precedence::need(InfoHash const& torrent, double bytes_per_second) {
    if (bytes_per_second > 0)
        needs_[torrent] = bytes_per_second;
    else
        needs_.erase(torrent);
}

void Precedence::received(std::uint64_t total_bytes, TimePoint now) {
    received_.add(total_bytes - std::min(total_bytes, received_.total()), now);
    std::chrono::duration<double> const passed = now - noted_;
    noted_ = now;
    capacity_ = std::max(capacity_ * std::exp2(-passed / kHalfLife), received_.rate(now));
}

std::uint64_t Precedence::allowance(InfoHash const& torrent) const {
    if (needs_.empty() || needs_.contains(torrent)) return 0;
    double needed = 0;
    for (auto const& [other, bytes_per_second] : needs_) needed += kSpare * bytes_per_second;
    auto const left = std::max(capacity_ * kShare, capacity_ - needed);
    return std::max(kLeast, static_cast<std::uint64_t>(left));
}

}  // namespace rqfs::torrent
