#include "torrent/connection_budget.h"

#include <algorithm>

namespace rqfs::torrent {

void ConnectionBudget::refill(TimePoint now) {
    auto const seconds = std::chrono::duration<double>(now - refilled_).count();
    if (seconds <= 0) return;
    refilled_ = now;
    dials_ = std::min<double>(limit::kDialsPerSecond, dials_ + std::min(seconds, 1.0) * limit::kDialsPerSecond);
}

bool ConnectionBudget::may_dial(TimePoint now) {
    refill(now);
    return dials_ >= 1 && half_open_ < limit::kHalfOpen && connected_ + half_open_ < limit_;
}

ConnectionBudget::Slot ConnectionBudget::take_dial(TimePoint now) {
    refill(now);
    dials_ -= 1;
    return Slot(half_open_);
}

}  // namespace rqfs::torrent
