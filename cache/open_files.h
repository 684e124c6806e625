#pragma once

#include "cache/disk_jobs.h"
#include "cache/lru.h"
#include "cache/memory_tier.h"
#include "cache/torrent_place.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <cstddef>
#include <memory>

namespace rqfs::cache {

// The files kept open, the least recently used closed first: closing happens on a worker, since the last close of a removed file
// frees its blocks. Engine thread only; owned by DiskStore.
class OpenFiles {
public:
    OpenFiles(torrent::Workers& workers, torrent::TaskGroup& tasks, std::size_t limit)
        : workers_(workers), tasks_(tasks), limit_(limit) {}

    FileRef find(TorrentPlace const& place);
    // What a job opened; null is ignored.
    void keep(TorrentKey torrent, std::shared_ptr<StoreFile> file);
    void close(TorrentKey torrent);

    std::size_t size() const { return files_.size(); }

private:
    void drop(TorrentKey torrent);

    torrent::Workers& workers_;
    torrent::TaskGroup& tasks_;
    std::size_t limit_;
    Lru<TorrentKey, std::shared_ptr<StoreFile>> files_;
};

}  // namespace rqfs::cache
