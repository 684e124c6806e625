#pragma once

#include "torrent/clock.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>

namespace rqfs::tests {

// Time that passes only when told: waits end in the order of their times, whole minutes in milliseconds.
class VirtualClock final : public torrent::Clock {
public:
    torrent::TimePoint now() const override { return now_; }
    std::chrono::system_clock::time_point wall_now() const override;
    boost::asio::awaitable<void> wait_until(torrent::TimePoint when) override;

    // Runs everything that is ready, then moves to the next wait, and so on until `duration` has passed.
    void run_for(boost::asio::io_context& engine, torrent::Duration duration);

private:
    struct Waiter {
        boost::asio::steady_timer* timer;
        bool* due;
    };

    torrent::TimePoint now_ = torrent::TimePoint(std::chrono::hours(1000));
    std::multimap<torrent::TimePoint, Waiter> waiting_;
};

}  // namespace rqfs::tests
