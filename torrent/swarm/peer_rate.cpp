#include "torrent/swarm/peer_rate.h"

#include "torrent/settings.h"

#include <algorithm>
#include <cmath>

namespace rqfs::torrent {

namespace {

constexpr double kFast = 2.0;  // seconds of the averages: long enough to smooth blocks, short enough to see a stall
constexpr double kSlow = 10.0;
constexpr double kShortest = 0.5;  // busy seconds that count at least: a burst in the first milliseconds is no rate
constexpr double kShortestRound = 0.01;  // seconds
constexpr double kSilence = 0.3;   // seconds after which silence lowers the rate
constexpr double kLoss = 0.2;      // seconds, likewise; the least time in which Linux sends again without an acknowledgement
constexpr double kSilentTrips = 1.5;  // TCP in slow start sends once a round trip
constexpr double kLatencyWeight = 0.2;
constexpr double kTimeoutLowest = 0.5;   // seconds; libtorrent's adaptive timeout has 2 s, too long under a reader
constexpr double kTimeoutHighest = 20;   // libtorrent piece_timeout
constexpr double kLatencies = 1.3;       // a queue lasts at least so many round trips
constexpr double kMostProgress = 0.9;    // of a block that has not come
constexpr double kGrowth = 2;  // per round trip while its TCP may be in slow start (RFC 5681): less would hold it back
constexpr double kSlowStartRise = 5000;  // bytes a second within a tick below which the rate has settled; libtorrent

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Duration to_duration(double value) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

}  // namespace

void PeerRate::Average::pass(double elapsed, double constant) {
    double const kept = std::exp(-elapsed / constant);
    bytes *= kept;
    seconds = seconds * kept + constant * (1 - kept);
}

double PeerRate::Average::rate() const { return bytes / std::max(seconds, kShortest); }

void PeerRate::pass_until(TimePoint now) {
    if (busy_ && known() && now > counted_until_) {
        double const elapsed = seconds(now - counted_until_);
        fast_.pass(elapsed, kFast);
        slow_.pass(elapsed, kSlow);
    }
    counted_until_ = now;
}

void PeerRate::asked(TimePoint now) {
    if (busy_) return;
    busy_ = true;
    first_of_queue_ = true;
    busy_since_ = now;
    counted_until_ = now;
}

void PeerRate::received(std::uint32_t bytes, TimePoint sent, TimePoint now, Duration transfer) {
    // Its TCP has lost something and is out of slow start; what comes in one go after that is no sign of growth.
    if (known() && seconds(silence(now)) - bytes / fast_.rate() > std::max(kLoss, kSilentTrips * latency()))
        slow_start_ = false;
    pass_until(now);
    TimePoint const before = known() ? std::max(last_received_, sent) : sent;
    if (!known()) fast_.seconds = slow_.seconds = seconds(transfer);
    add(bytes, now);
    if (first_of_queue_) {
        double const sample = std::max(0.0, seconds(now - transfer - sent));
        latency_ = latency_ < 0 ? sample : (1 - kLatencyWeight) * latency_ + kLatencyWeight * sample;
        first_of_queue_ = false;
    }
    double const sample = seconds(now - before);
    if (block_time_ < 0) {
        block_time_ = sample;
        block_deviation_ = sample / 2;
    } else {
        block_deviation_ += 0.1 * (std::abs(sample - block_time_) - block_deviation_);
        block_time_ += 0.1 * (sample - block_time_);
    }
    last_received_ = now;
    adapt_slow_start(now);
}

void PeerRate::received_late(std::uint32_t bytes, TimePoint now) {
    pass_until(now);
    if (known() && busy_) add(bytes, now);
    last_received_ = now;
}

void PeerRate::add(std::uint32_t bytes, TimePoint now) {
    fast_.bytes += bytes;
    slow_.bytes += bytes;
    round_ = round_ * std::exp(-seconds(now - round_at_) / std::max(latency(), kShortestRound)) + bytes;
    round_at_ = now;
}

void PeerRate::adapt_slow_start(TimePoint now) {
    if (!slow_start_) return;
    ++slow_start_depth_;
    if (slow_start_rate_ == 0) {
        slow_start_rate_ = 1;
        slow_start_tick_ = now;
    } else if (now - slow_start_tick_ >= std::chrono::seconds(1)) {
        double const rate_now = fast_.rate();
        slow_start_ = rate_now - slow_start_rate_ >= kSlowStartRise;
        slow_start_rate_ = rate_now;
        slow_start_tick_ = now;
    }
}

void PeerRate::emptied(TimePoint now) {
    // A request withdrawn at once says nothing about the peer; a long silence before it does.
    if (busy_ && seconds(silence(now)) > kSilence) pass_until(now);
    busy_ = false;
    first_of_queue_ = false;
}

Duration PeerRate::silence(TimePoint now) const {
    if (!busy_) return Duration::zero();
    return std::max(Duration::zero(), now - std::max(busy_since_, last_received_));
}

double PeerRate::rate(TimePoint now) const {
    double lower = std::min(fast_.rate(), slow_.rate());
    double const silent = seconds(silence(now));
    if (silent > std::max(kSilence, kSilentTrips * latency())) lower = std::min(lower, 0.5 * kBlockBytes / silent);
    return std::max(lower, kFloor);
}

double PeerRate::progress(double rate, TimePoint sent, TimePoint now) const {
    TimePoint const begun = std::max(last_received_, sent + to_duration(latency()));
    return now <= begun ? 0 : std::min(kMostProgress * kBlockBytes, rate * seconds(now - begun));
}

double PeerRate::guess(double median, TimePoint now) const {
    double value = median / 2;
    if (busy_) value = std::min(value, kBlockBytes / std::max(0.2, seconds(silence(now))));
    return std::max(value, kFloor);
}

double PeerRate::latency() const { return latency_ < 0 ? kUnknownLatency : latency_; }

Duration PeerRate::round_trip() const { return latency_ < 0 ? Duration::zero() : to_duration(latency_); }

Duration PeerRate::timeout() const {
    if (block_time_ < 0) return to_duration(kTimeoutHighest);
    return to_duration(std::clamp(block_time_ + 4 * block_deviation_, kTimeoutLowest, kTimeoutHighest));
}

double PeerRate::expected(double rate, double ahead) const {
    return std::max(latency(), ahead / rate) + kBlockBytes / rate;
}

double PeerRate::expected(double rate, double ahead, Duration age) const {
    return std::max(latency() - seconds(age), ahead / rate) + kBlockBytes / rate;
}

std::uint32_t PeerRate::depth(double rate, double queue_seconds, bool growing, std::uint32_t limit) const {
    if (!known()) return std::min(kUnknownDepth, limit);
    double const blocks = std::ceil(rate * std::max(queue_seconds, kLatencies * latency()) / kBlockBytes) + 1;
    std::uint32_t depth = blocks < limit ? static_cast<std::uint32_t>(blocks) : limit;
    if (growing && slow_start_) depth = std::max(depth, slow_start_depth_);
    return std::min(std::max(depth, kUnknownDepth), limit);
}

std::uint32_t PeerRate::room(double rate, double queue_seconds, double ahead) const {
    double const steady = rate * std::max(queue_seconds, kLatencies * latency());
    double const reach = slow_start_ ? std::max(steady, kGrowth * round_) : steady;
    if (ahead > reach) return 0;
    return static_cast<std::uint32_t>(std::min((reach - ahead) / kBlockBytes, double{limit::kRequestsOut})) + 1;
}

}  // namespace rqfs::torrent
