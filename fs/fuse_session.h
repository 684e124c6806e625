#pragma once

#include "fs/filesystem.h"
#include "fs/fuse_operations.h"
#include "torrent/clock.h"
#include "torrent/event.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <memory>
#include <string>

struct fuse_session;

namespace rqfs::fs {

// A mount and its /dev/fuse, served by coroutines on the engine thread. Mounted once; stop() before it is destroyed.
//
// libfuse's auto_unmount is not used: it leaves a helper process behind that outlives us and unmounts whatever lies at
// the path by then. A mount that a crash left is answered with ENOTCONN by the kernel and detached by the next start.
class FuseSession {
public:
    FuseSession(boost::asio::any_io_executor executor, Filesystem& filesystem, torrent::Clock& clock,
                torrent::Workers& workers);
    FuseSession(FuseSession const&) = delete;
    FuseSession& operator=(FuseSession const&) = delete;
    ~FuseSession();

    // Mounts at a path that prepare_mount_point() gave and returns when the mount answers. Throws Errc::io,
    // Errc::not_allowed, Errc::timed_out.
    boost::asio::awaitable<void> mount(std::string path);
    // Serves a kernel made of a socket of datagrams instead; for tests. Takes `descriptor`.
    void attach(int descriptor);

    // Returns when the kernel has ended the mount, or somebody has taken it out of the mount table, or stop() was
    // called.
    boost::asio::awaitable<void> gone();
    bool is_gone() const { return gone_; }

    // Answers what is pending with EIO, unmounts and closes. Takes well under a second: 20 ms for readers to end, then
    // the unmount.
    boost::asio::awaitable<void> stop();

    std::size_t pending() const { return operations_.pending(); }

private:
    struct Deleter {
        void operator()(fuse_session* session) const;
    };

    void create();
    void begin(int descriptor);
    boost::asio::awaitable<void> serve();
    bool take_requests();
    boost::asio::awaitable<void> watch();
    boost::asio::awaitable<void> wait_until_initialized();
    boost::asio::awaitable<void> answer_second_tries(std::size_t ended);
    void end();
    void announce(Filesystem::Change change);
    boost::asio::awaitable<void> notify(Filesystem::Change change);

    Filesystem& filesystem_;
    torrent::Clock& clock_;
    torrent::Workers& workers_;
    FuseOperations operations_;
    std::unique_ptr<fuse_session, Deleter> session_;
    boost::asio::posix::stream_descriptor descriptor_;
    torrent::TaskGroup notices_;  // to the kernel; they may wait for requests that only serve() takes
    torrent::TaskGroup tasks_;
    torrent::Event ended_;
    std::string path_;
    int mount_id_ = 0;        // 0: not in the mount table
    void* buffer_ = nullptr;  // of requests; made by libfuse
    bool gone_ = false;
    bool stopped_ = false;
};

}  // namespace rqfs::fs
