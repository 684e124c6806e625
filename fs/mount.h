#pragma once

#include "fs/filesystem.h"
#include "fs/fuse_session.h"
#include "fs/settings.h"
#include "torrent/clock.h"
#include "torrent/info_hash.h"
#include "torrent/library.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace rqfs::fs {

// Torrents as files at one place: what the daemon needs of this folder. Engine thread; the Library, Clock and Workers
// outlive it; stop() before it is destroyed, and before the Library stops.
class Mount {
public:
    Mount(boost::asio::any_io_executor executor, torrent::Library& library, torrent::Clock& clock,
          torrent::Workers& workers, Settings const& settings);

    // Checks the mount point, detaches a dead mount of ours there, mounts, and returns when the mount answers. Throws
    // system_error; its sentence() is for the user.
    boost::asio::awaitable<void> mount(std::string mount_point);
    // Returns when the mount has gone: by fusermount3 -u or -uz, within about a second, or by stop(). Then stop() is
    // still to be called.
    boost::asio::awaitable<void> serve() { return session_.gone(); }
    // Answers blocked readers with EIO and unmounts, within a second.
    boost::asio::awaitable<void> stop() { return session_.stop(); }

    std::string const& mount_point() const { return mount_point_; }  // absolute; empty before mount()
    // Where the torrent is seen: absolute; empty when it is not there. Changes when a magnet's metadata arrives.
    std::string directory_path(torrent::InfoHash const& info_hash) const;

    // For a configuration that is read again.
    void set_read_limits(std::chrono::milliseconds timeout, OnTimeout on_timeout) {
        filesystem_.set_read_limits(timeout, on_timeout);
    }

    torrent::ReadLimit read_limit() const { return filesystem_.read_limit(); }

    std::size_t pending() const { return session_.pending(); }  // requests that wait
    std::size_t open_files() const { return filesystem_.open_files(); }

private:
    torrent::Workers& workers_;
    Filesystem filesystem_;
    FuseSession session_;
    std::string mount_point_;
};

}  // namespace rqfs::fs
