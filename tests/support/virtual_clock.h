#pragma once

#include "torrent/clock.h"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <map>

namespace rqfs::tests {

// Time that passes only when told: waits end in the order of their times, whole minutes in milliseconds.
class VirtualClock final : public torrent::Clock {
public:
    torrent::TimePoint now() const override { return now_; }
    std::chrono::system_clock::time_point wall_now() const override;
    boost::asio::awaitable<void> wait_until(torrent::TimePoint when) override;

    // Calls this then, from inside run_for(): for what is too short and too much to be coroutines.
    void call_at(torrent::TimePoint when, std::function<void()> what);

    // How many waits have begun: each is a wake that somebody asked for.
    std::size_t waits() const { return waits_; }

    // Runs everything that is ready, then moves to the next wait, and so on until `duration` has passed.
    void run_for(boost::asio::io_context& engine, torrent::Duration duration);
    // The same until it is done, at most `limit`; whether it is. Asks at every move.
    bool run_until(boost::asio::io_context& engine, torrent::Duration limit, std::function<bool()> const& done);

private:
    torrent::TimePoint now_ = torrent::TimePoint(std::chrono::hours(1000));
    std::size_t waits_ = 0;
    std::multimap<torrent::TimePoint, std::function<void()>> waiting_;
};

}  // namespace rqfs::tests
