#include "tests/support/virtual_clock.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>

namespace rqfs::tests {

namespace asio = boost::asio;

std::chrono::system_clock::time_point VirtualClock::wall_now() const {
    return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::hours(24 * 365 * 50) + now_.time_since_epoch()));
}

asio::awaitable<void> VirtualClock::wait_until(torrent::TimePoint when) {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    bool due = false;
    auto const place = waiting_.emplace(when, Waiter{&timer, &due});
    struct Leave {
        std::multimap<torrent::TimePoint, Waiter>& waiting;
        std::multimap<torrent::TimePoint, Waiter>::iterator place;
        bool& due;
        ~Leave() {
            if (!due) waiting.erase(place);
        }
    } const leave{waiting_, place, due};
    boost::system::error_code code;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
    if (!due) throw boost::system::system_error(asio::error::operation_aborted);
}

void VirtualClock::run_for(asio::io_context& engine, torrent::Duration duration) {
    auto const end = now_ + duration;
    for (;;) {
        engine.restart();
        while (engine.poll() > 0) engine.restart();
        if (waiting_.empty() || waiting_.begin()->first > end) break;
        auto const next = waiting_.begin();
        now_ = std::max(now_, next->first);
        *next->second.due = true;
        next->second.timer->cancel();
        waiting_.erase(next);
    }
    now_ = end;
}

}  // namespace rqfs::tests
