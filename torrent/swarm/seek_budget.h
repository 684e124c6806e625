#pragma once

#include "torrent/units.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace rqfs::torrent {

// How many requests may be taken back because readers go elsewhere. A person who seeks never meets this limit; a
// program that seeks thousands of times a second would otherwise make as many requests and cancels of every block in
// flight.
//
// Counts the cancels of one torrent. Pure; one a torrent, owned by Download.
class SeekBudget {
public:
    // So many at a stretch: eight seeks in a swarm of 20 MB/s, which has 500 blocks in flight. After that what a second
    // allows: 34 KB/s of requests and cancels.
    static constexpr double kAtOnce = 4'000;
    static constexpr double kPerSecond = 1'000;
    // However much was taken back, the next seek waits no longer than this for it.
    static constexpr std::chrono::milliseconds kLongestWait{500};

    void cancelled(std::size_t requests, TimePoint now) {
        refill(now);
        left_ = std::max(left_ - static_cast<double>(requests),
                         -kPerSecond * std::chrono::duration<double>(kLongestWait).count());
    }
    bool spent(TimePoint now) {
        refill(now);
        return left_ < 0;
    }

private:
    void refill(TimePoint now) {
        std::chrono::duration<double> const passed = now - filled_;
        left_ = std::min(kAtOnce, left_ + std::max(0.0, passed.count()) * kPerSecond);
        filled_ = now;
    }

    double left_ = kAtOnce;  // negative: a debt
    TimePoint filled_{};
};

}  // namespace rqfs::torrent
