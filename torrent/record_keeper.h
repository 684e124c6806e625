#pragma once

#include "torrent/store.h"
#include "torrent/task_group.h"

#include <spdlog/logger.h>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>

namespace rqfs::torrent {

// Writes a torrent's record to the store, at once or soon, and counts the traffic of this run into it. Owned by
// Torrent, outlived by all it refers to while tasks run.
class RecordKeeper {
public:
    RecordKeeper(Store& store, TorrentRecord& record, std::shared_ptr<spdlog::logger> const& logger, TaskGroup& tasks)
        : store_(store), record_(record), logger_(logger), tasks_(tasks) {}

    boost::asio::awaitable<void> save();
    // Several changes in one turn of the loop are one save.
    void save_soon();
    bool unsaved() const { return unsaved_; }

    // Payload of this run so far.
    void count(std::uint64_t uploaded_bytes, std::uint64_t downloaded_bytes);
    // Payload over all runs, given that of this run.
    std::uint64_t all_uploaded(std::uint64_t run) const {
        return record_.uploaded_bytes + run - counted_uploaded_bytes_;
    }
    std::uint64_t all_downloaded(std::uint64_t run) const {
        return record_.downloaded_bytes + run - counted_downloaded_bytes_;
    }

private:
    boost::asio::awaitable<void> save_in_background();

    Store& store_;
    TorrentRecord& record_;
    std::shared_ptr<spdlog::logger> const& logger_;  // the torrent's, which the user may change
    TaskGroup& tasks_;
    bool unsaved_ = false, saving_ = false;
    std::uint64_t counted_uploaded_bytes_ = 0, counted_downloaded_bytes_ = 0;  // of this run, in the record already
};

}  // namespace rqfs::torrent
