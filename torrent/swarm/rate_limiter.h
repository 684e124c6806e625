#pragma once

#include "torrent/units.h"

#include <cstddef>
#include <cstdint>

namespace rqfs::torrent {

// A token bucket: how many payload bytes may pass now. Limiters form a tree (torrent -> session): what passes one
// counts in all above it.
//
// Pure; time is an argument and may stand still, but an earlier time than the last one counts as the last one. A parent
// outlives its children. The bucket holds max(16 KiB, 1/20 s of the rate), so over any span t at most bucket + rate * t
// pass, however small the rate. Two ways to use it, not to be mixed within one tree:
//   - available() / take() / delay(): whoever asks first gets what is there (one reader of many sockets);
//   - reserve(): takers are served in the order they asked, each for its size, so that equal takers get equal shares.
class RateLimiter {
public:
    explicit RateLimiter(RateLimiter* parent = nullptr) : parent_(parent) {}

    // 0: unlimited. A debt stays a debt in bytes and is paid at the new rate.
    void set_limit(std::uint64_t bytes_per_second);
    std::uint64_t limit() const { return limit_; }
    // Neither this one nor one above it limits anything: nothing needs to be asked.
    bool unlimited() const;

    // Bytes that may pass now: 0, or at least a grain (1/20 s of the rate, at most 16 KiB), so that nobody is woken for
    // single bytes.
    std::size_t available(TimePoint now);
    // These bytes passed. More than available() makes a debt that is paid before anything else passes: a block is never
    // cut.
    void take(std::size_t bytes, TimePoint now);
    // Until available() says more than 0; zero when it does.
    Duration delay(TimePoint now);

    // Takes the bytes at once, as a debt if need be, and says how long to wait before they may pass.
    Duration reserve(std::size_t bytes, TimePoint now);
    // Of what was reserved these did not pass after all (the peer left).
    void give_back(std::size_t bytes, TimePoint now);

private:
    double bucket_bytes() const;
    double grain_bytes() const;
    void refill(TimePoint now);
    Duration time_for(double bytes) const;

    RateLimiter* parent_;
    std::uint64_t limit_ = 0;  // bytes a second
    double tokens_ = 0;        // bytes; negative: a debt
    TimePoint filled_{};       // when tokens_ was true
    bool started_ = false;
};

}  // namespace rqfs::torrent
