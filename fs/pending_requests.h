#pragma once

#include "fs/filesystem.h"
#include "fs/fuse_request.h"
#include "torrent/event.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <list>
#include <vector>

namespace rqfs::fs {

// The kernel's requests that wait for something, each with the coroutine that answers it. Engine thread; drained()
// before it is destroyed.
class PendingRequests {
public:
    // A request and how to end it. Stays where it is until its coroutine has ended.
    struct Pending {
        Pending(FuseRequest asked, Handle file) : request(std::move(asked)), handle(file), thread(request.thread()) {}

        FuseRequest request;
        Handle handle;  // of a read; else 0
        pid_t thread;
        int when_cancelled = 0;  // the errno that whoever cancelled chose
        boost::asio::cancellation_signal signal;
        std::list<Pending>::iterator place;
    };

    explicit PendingRequests(boost::asio::any_io_executor executor);
    PendingRequests(PendingRequests const&) = delete;
    PendingRequests& operator=(PendingRequests const&) = delete;
    ~PendingRequests();

    Pending& add(FuseRequest request, Handle handle);
    // Runs `answer`, which answers `pending` and catches everything, and takes the kernel's INTERRUPT as a cancellation
    // (EINTR). What it leaves unanswered gets `when_cancelled`, else EIO. `pending` is gone when it has ended.
    void start(Pending& pending, boost::asio::awaitable<void> answer);

    // Ends those that `which` chooses with `error`.
    void cancel(int error, std::function<bool(Pending const&)> const& which);
    void cancel_all(int error);

    // The threads that wait in a read, each once, in order.
    std::vector<pid_t> readers() const;
    std::size_t size() const { return pending_.size(); }
    boost::asio::awaitable<void> drained();

private:
    static void interrupt(void* pending);
    void ended(Pending& pending);

    boost::asio::any_io_executor executor_;
    std::list<Pending> pending_;
    torrent::Event empty_;
};

}  // namespace rqfs::fs
