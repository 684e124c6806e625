#include "fs/failed_reads.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace rqfs::fs {

namespace {

constexpr auto kSecondTryWithin = std::chrono::seconds(1);  // it comes within milliseconds, or never
constexpr std::size_t kMost = 64;  // reads ahead of one handle at a time; the kernel makes a few

}  // namespace

void FailedReads::failed(torrent::ByteRange range, torrent::TimePoint now) {
    forget_old(now);
    if (failed_.size() < kMost) failed_.push_back({range, now});
}

bool FailedReads::is_second_try(torrent::ByteRange range, torrent::TimePoint now) {
    forget_old(now);
    auto const first = std::find_if(failed_.begin(), failed_.end(), [range](Failed const& failed) {
        return failed.range.begin <= range.begin && range.end <= failed.range.end;
    });
    if (first == failed_.end()) return false;
    failed_.erase(first);
    return true;
}

void FailedReads::forget_old(torrent::TimePoint now) {
    std::erase_if(failed_, [now](Failed const& failed) { return now - failed.at > kSecondTryWithin; });
}

}  // namespace rqfs::fs
