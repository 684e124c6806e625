#include "torrent/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace rqfs::torrent {

void Histogram::add(Duration wait) {
    wait = std::max(wait, Duration::zero());
    auto const bucket = std::lower_bound(kBounds.begin(), kBounds.end(), wait) - kBounds.begin();
    ++buckets_[static_cast<std::size_t>(bucket)];
    ++count_;
    sum_ += wait;
    longest_ = std::max(longest_, wait);
}

std::optional<Duration> Histogram::quantile(double share) const {
    if (count_ == 0) return std::nullopt;
    auto const rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        auto const here = buckets_[i];
        if (here == 0 || rank > static_cast<double>(before + here)) {
            before += here;
            continue;
        }
        auto const low = i == 0 ? Duration::zero() : Duration(kBounds[i - 1]);
        auto const high = i < kBounds.size() ? std::min(Duration(kBounds[i]), longest_) : longest_;
        auto const part = std::max(rank - static_cast<double>(before), 0.0) / static_cast<double>(here);
        auto const above = part * std::chrono::duration<double, Duration::period>(high - low).count();
        return low + Duration(std::llround(above));
    }
    return longest_;
}

ReceivedBytes& ReceivedBytes::operator+=(ReceivedBytes const& more) {
    wanted += more.wanted;
    duplicate += more.duplicate;
    late += more.late;
    failed_hash += more.failed_hash;
    dropped += more.dropped;
    return *this;
}

}  // namespace rqfs::torrent
