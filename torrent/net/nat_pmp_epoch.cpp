#include "torrent/net/nat_pmp_epoch.h"

#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace {

// RFC 6886, 3.6: clocks go wrong by up to an eighth, and seconds are rounded on either side.
constexpr int kSlow = 7, kRight = 8;
constexpr std::chrono::seconds kSlack{2};

}  // namespace

void NatPmpEpoch::answered(std::uint32_t seconds, TimePoint now) {
    if (last_) {
        auto const least = std::chrono::seconds(last_->seconds) + (now - last_->at) * kSlow / kRight;
        if (std::chrono::seconds(seconds) + kSlack < least) lost_ = true;
    }
    last_ = Answer{seconds, now};
}

bool NatPmpEpoch::take_lost() { return std::exchange(lost_, false); }

}  // namespace rqfs::torrent
