#pragma once

#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace rqfs::torrent {

// What everything that waits asks for the time and for timers: real in the daemon, virtual in tests, where minutes pass in
// milliseconds. Lives as long as the engine; engine thread only, but for now() and wall_now(), which any thread may call.
class Clock {
public:
    virtual ~Clock() = default;

    virtual TimePoint now() const = 0;
    // For what people and files see (time added, mtime); no timer uses it.
    virtual std::chrono::system_clock::time_point wall_now() const = 0;
    // Returns at `when`; throws operation_aborted when cancelled.
    virtual boost::asio::awaitable<void> wait_until(TimePoint when) = 0;

    boost::asio::awaitable<void> sleep(Duration duration) { return wait_until(now() + duration); }
};

// The machine's own time.
class SteadyClock final : public Clock {
public:
    TimePoint now() const override { return std::chrono::steady_clock::now(); }
    std::chrono::system_clock::time_point wall_now() const override { return std::chrono::system_clock::now(); }
    boost::asio::awaitable<void> wait_until(TimePoint when) override;
};

}  // namespace rqfs::torrent
