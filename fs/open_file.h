#pragma once

#include "fs/failed_reads.h"
#include "fs/inode.h"
#include "fs/media_guide.h"
#include "torrent/info_hash.h"
#include "torrent/library.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace rqfs::fs {

// One open handle: what it reads and through which Stream. Owned by Filesystem and by the reads under way, so that a
// Stream outlives them.
struct OpenFile {
    Inode inode = 0;
    std::optional<torrent::InfoHash> torrent;
    std::uint64_t bytes = 0;
    std::unique_ptr<torrent::Stream> stream;  // null for an empty file
    std::unique_ptr<MediaGuide> guide;        // null once it has finished
    FailedReads failed;
    bool removed = false;  // its torrent is gone
};

}  // namespace rqfs::fs
