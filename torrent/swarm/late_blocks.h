#pragma once

#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace rqfs::torrent {

// Blocks that were asked of one peer and then withdrawn or given up: what comes all the same is late, not unasked for.
//
// A seed that has read a block into its send buffer sends it in spite of a cancel (measured: 0.5 s of upload at
// libtorrent), so until the peer rejects it, answers something asked later, or has had the time, the block counts as
// part of its queue: it is owed. Bounded in time and number. Pure; owned by PiecePicker, one a peer.
class LateBlocks {
public:
    // Asked at `sent`; owed until `owed_until` at the latest.
    void remember(BlockAddress block, TimePoint sent, TimePoint owed_until, TimePoint now);
    // Forgets one entry of this block; false when there is none.
    bool take(BlockAddress block, TimePoint now);
    bool contains(BlockAddress block) const;
    // The peer answered what was asked at `sent`: peers answer in order, so what was asked before is not owed any more.
    void answered(TimePoint sent);
    // How many are still owed, of those asked until `sent`.
    std::uint32_t owed(TimePoint sent, TimePoint now) const;
    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }

    static constexpr std::chrono::seconds kMemory{
        60};  // engine: answers to cancelled requests come within a minute or not at all
    static constexpr std::size_t kEntries = 1000;  // two full queues

private:
    struct Entry {
        BlockAddress block;
        TimePoint sent;
        TimePoint owed_until;
        TimePoint until;
    };
    std::deque<Entry> entries_;  // oldest first
    TimePoint latest_owed_{};    // nothing is owed later
};

}  // namespace rqfs::torrent
