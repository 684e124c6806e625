#pragma once

#include "torrent/units.h"

#include <algorithm>
#include <cstdint>

namespace rqfs::torrent {

// How many bytes may be asked for a second time to save a deadline: a share of what arrives, with a burst.
//
// Pure; owned by PiecePicker.
class HedgeBudget {
public:
    static constexpr double kShare = 0.02;  // simulated: of these a half is for nothing, and 5 % wins nothing
    static constexpr double kBurst = 64.0 * kBlockBytes;
    static constexpr double kStart = 32.0 * kBlockBytes;  // the first piece of a film may be hedged too

    void received(std::uint32_t bytes) { bytes_ = std::min(kBurst, bytes_ + kShare * bytes); }
    bool affords(std::uint32_t bytes) const { return bytes_ >= bytes; }
    // Goes below zero for copies that need no budget, down to one burst.
    void spend(std::uint32_t bytes) { bytes_ = std::max(-kBurst, bytes_ - bytes); }

private:
    double bytes_ = kStart;
};

}  // namespace rqfs::torrent
