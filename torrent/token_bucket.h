#pragma once

#include "torrent/units.h"

#include <algorithm>
#include <chrono>

namespace rqfs::torrent {

// So many things a second, and a burst after a pause: counts messages or bytes. Pure; an earlier time than the last one
// counts as the last one.
class TokenBucket {
public:
    TokenBucket(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

    double available(TimePoint now) {
        if (now > filled_) {
            auto const seconds = std::chrono::duration<double>(now - filled_).count();
            tokens_ = std::min(burst_, tokens_ + seconds * per_second_);
            filled_ = now;
        }
        return tokens_;
    }
    // May go below zero: what must be sent is sent, and paid back.
    void take(double tokens) { tokens_ -= tokens; }
    // Takes them if they are there.
    bool try_take(double tokens, TimePoint now) {
        if (available(now) < tokens) return false;
        take(tokens);
        return true;
    }
    double burst() const { return burst_; }

private:
    double per_second_;
    double burst_;
    double tokens_;
    TimePoint filled_{};
};

}  // namespace rqfs::torrent
