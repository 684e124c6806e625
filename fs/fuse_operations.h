#pragma once

#include "fs/filesystem.h"
#include "fs/fuse_request.h"
#include "fs/pending_requests.h"
#include "torrent/event.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

struct fuse_conn_info;
struct fuse_lowlevel_ops;

namespace rqfs::fs {

// What libfuse calls for each request: unpacks it, calls Filesystem, packs the reply. What can be answered at once is,
// without a coroutine. Engine thread; stop() before it is destroyed.
class FuseOperations {
public:
    FuseOperations(boost::asio::any_io_executor executor, Filesystem& filesystem, torrent::Workers& workers);

    // The callback table; its user data is a FuseOperations.
    static fuse_lowlevel_ops const& table();

    bool initialized() const { return initialized_; }
    torrent::Event& on_initialized() { return on_initialized_; }

    // Ends reads whose thread is gone: the kernel says nothing when a reader of the page cache is killed. Called about
    // once a second.
    boost::asio::awaitable<void> end_reads_of_the_dead();

    std::size_t pending() const { return pending_.size(); }
    // From now on what waits, and what would have to, gets EIO at once.
    void refuse();
    // How many requests were refused so far: readers of the page cache try again once, page by page.
    std::size_t refused() const { return refused_; }
    // Refuses; returns when all is answered.
    boost::asio::awaitable<void> stop();

private:
    friend struct FuseCallbacks;

    using Answer = std::function<void(FuseRequest&)>;

    void initialize(fuse_conn_info& connection);
    // Answers with what `answer` does or throws, now or when `inode` is laid out.
    void answer(FuseRequest request, Inode inode, Answer const& answer);
    boost::asio::awaitable<void> answer_later(PendingRequests::Pending& pending, Inode inode, Answer answer);
    boost::asio::awaitable<void> open(PendingRequests::Pending& pending, Inode inode, int flags);
    boost::asio::awaitable<void> read(PendingRequests::Pending& pending, std::uint64_t offset, std::size_t bytes);
    void refuse(FuseRequest request);
    void start_open(FuseRequest request, Inode inode, int flags);
    void start_read(FuseRequest request, Handle handle, std::uint64_t offset, std::size_t bytes);
    void flush(FuseRequest request, Handle handle);
    void list(FuseRequest& request, Inode directory, std::size_t bytes, std::uint64_t offset, bool with_attributes);

    int error_of_current_exception(PendingRequests::Pending const* pending) const;

    Filesystem& filesystem_;
    torrent::Workers& workers_;
    PendingRequests pending_;
    torrent::TaskGroup tasks_;
    torrent::Event on_initialized_;
    bool initialized_ = false;
    std::size_t refused_ = 0;
    bool refusing_ = false;
    bool looking_ = false;  // for the dead, on a worker
    bool look_again_ = false;
};

}  // namespace rqfs::fs
