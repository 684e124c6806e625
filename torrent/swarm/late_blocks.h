#pragma once

#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <deque>

namespace rqfs::torrent {

// Blocks that were asked of one peer and then withdrawn or given up: what comes all the same is late, not unasked for.
//
// Bounded in time and number. Pure; owned by PiecePicker, one a peer.
class LateBlocks {
public:
    void remember(BlockAddress block, TimePoint now);
    // Forgets one entry of this block; false when there is none.
    bool take(BlockAddress block, TimePoint now);
    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }

    static constexpr std::chrono::seconds kMemory{
        60};  // engine: answers to cancelled requests come within a minute or not at all
    static constexpr std::size_t kEntries = 1000;  // two full queues

private:
    struct Entry {
        BlockAddress block;
        TimePoint until;
    };
    std::deque<Entry> entries_;  // oldest first
};

}  // namespace rqfs::torrent
