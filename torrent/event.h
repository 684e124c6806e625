#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>

namespace rqfs::torrent {

// Something coroutines wait for: notify() wakes all that wait now. Engine thread only; must outlive its waiters.
class Event {
public:
    explicit Event(boost::asio::any_io_executor const& executor);

    void notify();
    // Returns after the next notify(); throws operation_aborted when the waiting coroutine is cancelled.
    boost::asio::awaitable<void> wait();

private:
    boost::asio::steady_timer never_;  // a timer that never expires is Asio's condition variable
    std::uint64_t notified_ = 0;
};

}  // namespace rqfs::torrent
