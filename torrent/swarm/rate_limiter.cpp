#include "torrent/swarm/rate_limiter.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace rqfs::torrent {

namespace {

// engine: quantum = rate / 20, at least a block, so that one block passes a full bucket whole.
constexpr double kQuantaPerSecond = 20;
// Longer waits are asked for again: keeps arithmetic in range at limits of a few bytes a second.
constexpr std::chrono::hours kLongestDelay{1};

}  // namespace

void RateLimiter::set_limit(std::uint64_t bytes_per_second) {
    if (limit_ == 0) started_ = false;
    limit_ = bytes_per_second;
    tokens_ = std::min(tokens_, bucket_bytes());
}

bool RateLimiter::unlimited() const { return limit_ == 0 && (parent_ == nullptr || parent_->unlimited()); }

double RateLimiter::bucket_bytes() const {
    return std::max(double{kBlockBytes}, static_cast<double>(limit_) / kQuantaPerSecond);
}

double RateLimiter::grain_bytes() const {
    return std::clamp(static_cast<double>(limit_) / kQuantaPerSecond, 1.0, double{kBlockBytes});
}

void RateLimiter::refill(TimePoint now) {
    if (!started_) {
        started_ = true;
        tokens_ = bucket_bytes();
        filled_ = now;
        return;
    }
    if (now <= filled_) return;
    auto const elapsed = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(bucket_bytes(), tokens_ + elapsed * static_cast<double>(limit_));
    filled_ = now;
}

// Rounded up, so that after the wait the bytes are really there.
Duration RateLimiter::time_for(double bytes) const {
    if (bytes <= 0) return Duration::zero();
    auto const nanoseconds = std::ceil(bytes / static_cast<double>(limit_) * 1e9) + 1;
    auto const longest = std::chrono::duration_cast<std::chrono::nanoseconds>(kLongestDelay);
    if (nanoseconds >= static_cast<double>(longest.count())) return longest;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

std::size_t RateLimiter::available(TimePoint now) {
    auto const above = parent_ == nullptr ? std::numeric_limits<std::size_t>::max() : parent_->available(now);
    if (limit_ == 0 || above == 0) return above;
    refill(now);
    if (tokens_ < grain_bytes()) return 0;
    return std::min(above, static_cast<std::size_t>(tokens_));
}

void RateLimiter::take(std::size_t bytes, TimePoint now) {
    if (parent_ != nullptr) parent_->take(bytes, now);
    if (limit_ == 0) return;
    refill(now);
    tokens_ -= static_cast<double>(bytes);
}

Duration RateLimiter::delay(TimePoint now) {
    auto const above = parent_ == nullptr ? Duration::zero() : parent_->delay(now);
    if (limit_ == 0) return above;
    refill(now);
    return std::max(above, time_for(grain_bytes() - tokens_));
}

Duration RateLimiter::reserve(std::size_t bytes, TimePoint now) {
    auto const above = parent_ == nullptr ? Duration::zero() : parent_->reserve(bytes, now);
    if (limit_ == 0) return above;
    refill(now);
    tokens_ -= static_cast<double>(bytes);
    return std::max(above, time_for(-tokens_));
}

void RateLimiter::give_back(std::size_t bytes, TimePoint now) {
    if (parent_ != nullptr) parent_->give_back(bytes, now);
    if (limit_ == 0) return;
    refill(now);
    tokens_ = std::min(bucket_bytes(), tokens_ + static_cast<double>(bytes));
}

}  // namespace rqfs::torrent
