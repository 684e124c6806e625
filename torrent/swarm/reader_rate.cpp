#include "torrent/swarm/reader_rate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rqfs::torrent {

namespace {

using std::chrono::seconds;

constexpr std::chrono::milliseconds kWaitBucket{500};
constexpr seconds kClassWindow{10};
constexpr double kPacedFrom = 0.2;  // share of time without a read under way (engine 2.3)
constexpr double kGreedyBelow = 0.05;
constexpr double kMoreThanFilm = 1.25;  // times the film's rate: who is given that has no need to wait all the time
constexpr seconds kNeedWindow{20};      // after kClassWindow: a rate over less may be one large piece's
constexpr seconds kSettling{2};         // after an open or seek, not measured
constexpr seconds kPause{10};           // so long without a read is a pause, not a slow film
constexpr double kSmoothing = 0.2;      // a second

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

ReaderRate::ReaderRate(bool known_copier, TimePoint opened)
    : greedy_(known_copier),
      accounted_(opened),
      sought_(opened),
      hungry_since_(opened),
      run_since_(opened),
      epoch_(opened + kSettling),
      last_consumed_(opened),
      copier_(known_copier) {}

void ReaderRate::begin_epoch(TimePoint now) {
    epoch_ = now + kSettling;
    bytes_.fill(0);
}

void ReaderRate::sought(TimePoint now) {
    sought_ = now;
    hungry_since_ = now;
    taken_hungry_ = 0;
    begin_run(now);
    if (!copier_) greedy_ = false;
    begin_epoch(now);
}

void ReaderRate::waiting(bool waits, TimePoint now) {
    account(now);
    waits_ = waits;
    classify(now);
}

// Spreads the time since the last call over the buckets it touches.
void ReaderRate::account(TimePoint now) {
    auto from = std::max(accounted_, now - kClassWindow);
    while (from < now) {
        auto const bucket = from.time_since_epoch() / kWaitBucket;
        auto const end = std::min(now, TimePoint((bucket + 1) * kWaitBucket));
        auto& waited = waited_[static_cast<std::size_t>(bucket) % kWaitBuckets];
        if (from == TimePoint(bucket * kWaitBucket)) waited = Duration::zero();
        if (waits_) waited += end - from;
        from = end;
    }
    accounted_ = std::max(accounted_, now);
}

void ReaderRate::classify(TimePoint now) {
    auto const waited = std::accumulate(waited_.begin(), waited_.end(), Duration::zero());
    auto const free = 1 - in_seconds(waited) / in_seconds(kClassWindow);
    if (free >= kGreedyBelow) {
        hungry_since_ = now;
        taken_hungry_ = 0;
    }
    if (now - sought_ >= kClassWindow && free > kPacedFrom) begin_run(now);
    if (now - sought_ < kPacedAtFirst) return;
    if (free > kPacedFrom) greedy_ = false;
    if (free < kGreedyBelow && !in_need(now)) greedy_ = true;
}

void ReaderRate::begin_run(TimePoint now) {
    run_since_ = now;
    taken_running_ = 0;
}

// Counted since it paused last: what a film takes varies, and who pauses has what it wants.
bool ReaderRate::ahead(TimePoint now) const {
    return film_ > 0 && taken_running_ > film_ * in_seconds(now - run_since_ + kAhead);
}

bool ReaderRate::in_need(TimePoint now) const {
    if (film_ == 0) return false;
    auto const hungry = now - hungry_since_;
    return hungry < kNeedWindow || taken_hungry_ < kMoreThanFilm * film_ * in_seconds(hungry);
}

void ReaderRate::consumed(std::uint64_t bytes, TimePoint now) {
    if (now - last_consumed_ > kPause) begin_epoch(now);
    taken_hungry_ += static_cast<double>(bytes);
    taken_running_ += static_cast<double>(bytes);
    auto const current = now.time_since_epoch() / seconds(1);
    auto const size = static_cast<std::int64_t>(kByteBuckets);
    for (auto bucket = std::max(byte_bucket_ + 1, current - size + 1); bucket <= current; ++bucket)
        bytes_[static_cast<std::size_t>(bucket % size)] = 0;
    byte_bucket_ = std::max(byte_bucket_, current);
    if (now >= epoch_) bytes_[static_cast<std::size_t>(byte_bucket_ % size)] += bytes;
    estimate(now);
    last_consumed_ = now;
}

void ReaderRate::estimate(TimePoint now) {
    auto const oldest = TimePoint(seconds(byte_bucket_ - static_cast<std::int64_t>(kByteBuckets) + 1));
    auto const measured = in_seconds(now - std::max(epoch_, oldest));
    if (measured < 1) return;
    auto const total = std::accumulate(bytes_.begin(), bytes_.end(), std::uint64_t{0});
    auto const sample = static_cast<double>(total) / measured;
    auto const weight = 1 - std::pow(1 - kSmoothing, in_seconds(now - std::max(last_consumed_, epoch_)));
    measured_ = true;
    rate_ = std::clamp(rate_ + weight * (sample - rate_), kLeast, kMost);
}

void ReaderRate::film(double bytes_per_second) {
    film_ = std::clamp(bytes_per_second, kLeast, kMost);
    if (!measured_) rate_ = film_;
}

}  // namespace rqfs::torrent
