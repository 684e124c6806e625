#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace rqfs::torrent {

// Owns running coroutines: whoever starts one keeps it in a group, and stop() cancels them and waits until the last has
// ended. The destructor asserts that none is left. Engine thread only.
class TaskGroup {
public:
    // `what` names the group in the log, should one of its coroutines end by an exception that nobody caught.
    TaskGroup(boost::asio::any_io_executor executor, std::string what);
    TaskGroup(TaskGroup const&) = delete;
    TaskGroup& operator=(TaskGroup const&) = delete;
    ~TaskGroup();

    // Starts at the next turn of the loop. After stop() has begun the coroutine is dropped without running.
    void spawn(boost::asio::awaitable<void> task);

    // Asks every coroutine to end (operation_aborted at its next wait); does not wait.
    void cancel();

    // Cancels, then returns when all have ended. No more are accepted.
    boost::asio::awaitable<void> stop();

    std::size_t running() const;
    boost::asio::any_io_executor const& executor() const { return executor_; }

private:
    struct State;

    boost::asio::any_io_executor executor_;
    std::shared_ptr<State> state_;  // shared with completion handlers only, which may be the last to go
};

}  // namespace rqfs::torrent
