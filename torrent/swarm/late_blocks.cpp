#include "torrent/swarm/late_blocks.h"

#include <algorithm>

namespace rqfs::torrent {

void LateBlocks::remember(BlockAddress block, TimePoint sent, TimePoint owed_until, TimePoint now) {
    if (entries_.size() == kEntries) entries_.pop_front();
    entries_.push_back({block, sent, owed_until, now + kMemory});
    latest_owed_ = std::max(latest_owed_, owed_until);
}

bool LateBlocks::take(BlockAddress block, TimePoint now) {
    while (!entries_.empty() && entries_.front().until <= now) entries_.pop_front();
    auto const found = std::ranges::find(entries_, block, &Entry::block);
    if (found == entries_.end()) return false;
    entries_.erase(found);
    return true;
}

bool LateBlocks::contains(BlockAddress block) const {
    return std::ranges::find(entries_, block, &Entry::block) != entries_.end();
}

void LateBlocks::answered(TimePoint sent) {
    for (Entry& entry : entries_)
        if (entry.sent < sent) entry.owed_until = TimePoint{};
}

std::uint32_t LateBlocks::owed(TimePoint sent, TimePoint now) const {
    if (latest_owed_ <= now) return 0;
    auto const is_owed = [=](Entry const& entry) { return entry.owed_until > now && entry.sent <= sent; };
    return static_cast<std::uint32_t>(std::ranges::count_if(entries_, is_owed));
}

}  // namespace rqfs::torrent
