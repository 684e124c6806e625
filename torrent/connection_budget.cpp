#include "torrent/connection_budget.h"

#include <algorithm>

namespace rqfs::torrent {

void ConnectionBudget::refill(TimePoint now) {
    auto const seconds = std::chrono::duration<double>(now - refilled_).count();
    if (seconds <= 0) return;
    refilled_ = now;
    dials_ = std::min<double>(limit::kDialsPerSecond, dials_ + std::min(seconds, 1.0) * limit::kDialsPerSecond);
}

bool ConnectionBudget::may_dial(TimePoint now, bool hurried) {
    refill(now);
    auto const kept_dials = hurried ? 0 : limit::kDialsPerSecond / 2.0;
    auto const kept_slots = hurried ? 0 : limit::kHalfOpen / 4;
    return dials_ >= 1 + kept_dials && half_open_ + kept_slots < limit::kHalfOpen && connected_ + half_open_ < limit_;
}

ConnectionBudget::Slot ConnectionBudget::take_dial(TimePoint now) {
    refill(now);
    dials_ -= 1;
    return Slot(half_open_);
}

}  // namespace rqfs::torrent
