#pragma once

#include "cache/check_turn.h"
#include "cache/memory_tier.h"
#include "cache/open_files.h"
#include "cache/state_queue.h"
#include "cache/write_behind.h"
#include "torrent/clock.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>

namespace rqfs::cache {

// What all torrents of a store share. Owned by DiskStore; outlives every PieceCache.
struct StoreParts {
    boost::asio::any_io_executor executor;
    torrent::Clock& clock;
    torrent::Workers& workers;
    MemoryTier& memory;
    OpenFiles& files;
    StateQueue& state;
    WriteBehind& write_behind;
    CheckTurn& check_turn;
};

}  // namespace rqfs::cache
