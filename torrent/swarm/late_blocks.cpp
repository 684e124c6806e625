#include "torrent/swarm/late_blocks.h"

#include <algorithm>

namespace rqfs::torrent {

void LateBlocks::remember(BlockAddress block, TimePoint now) {
    if (entries_.size() == kEntries) entries_.pop_front();
    entries_.push_back({block, now + kMemory});
}

bool LateBlocks::take(BlockAddress block, TimePoint now) {
    while (!entries_.empty() && entries_.front().until <= now) entries_.pop_front();
    auto const found = std::ranges::find(entries_, block, &Entry::block);
    if (found == entries_.end()) return false;
    entries_.erase(found);
    return true;
}

}  // namespace rqfs::torrent
