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
constexpr std::chrono::seconds kFree{10};  // without limits: twice what the rate is measured over
constexpr double kTrialEnds = 0.8;         // of the capacity at its begin, after 19 s: the rates follow within 5 s
constexpr double kUseless = 0.5;           // of what the others gave up, that nobody received instead
constexpr std::chrono::minutes kRest{1};

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
    auto const rate = received_.rate(now);
    auto const decayed = capacity_ * std::exp2(-passed / kHalfLife);
    if (!needs_.empty()) limited_ = now;
    if (now - limited_ > kFree) {
        trial_.reset();
        rest_until_ = {};
        capacity_ = std::max(decayed, rate);
    } else {
        try_less(decayed, rate, now);
    }
}

void Precedence::try_less(double decayed, double rate, TimePoint now) {
    if (now < rest_until_) {
        capacity_ = std::max(capacity_, rate);
        return;
    }
    if (!trial_) trial_ = Trial{capacity_, rate};
    capacity_ = std::max(decayed, rate);
    if (capacity_ > kTrialEnds * trial_->capacity) return;
    if (trial_->rate - rate > kUseless * (trial_->capacity - capacity_)) {
        capacity_ = trial_->capacity;
        rest_until_ = now + kRest;
    }
    trial_.reset();
}

std::uint64_t Precedence::allowance(InfoHash const& torrent) const {
    if (needs_.empty() || needs_.contains(torrent)) return 0;
    double needed = 0;
    for (auto const& [other, bytes_per_second] : needs_) needed += kSpare * bytes_per_second;
    auto const left = std::max(capacity_ * kShare, capacity_ - needed);
    return std::max(kLeast, static_cast<std::uint64_t>(left));
}

}  // namespace rqfs::torrent
