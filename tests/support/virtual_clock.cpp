#include "tests/support/virtual_clock.h"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;

std::chrono::system_clock::time_point VirtualClock::wall_now() const {
    return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
        std::chrono::hours(24 * 365 * 50) + now_.time_since_epoch()));
}

asio::awaitable<void> VirtualClock::wait_until(torrent::TimePoint when) {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    bool due = false;
    ++waits_;
    auto const place = waiting_.emplace(when, [&timer, &due] {
        due = true;
        timer.cancel();
    });
    struct Leave {
        decltype(waiting_)& waiting;
        decltype(waiting_)::iterator place;
        bool& due;
        ~Leave() {
            if (!due) waiting.erase(place);
        }
    } const leave{waiting_, place, due};
    boost::system::error_code code;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, code));
    if (!due) throw boost::system::system_error(asio::error::operation_aborted);
}

void VirtualClock::call_at(torrent::TimePoint when, std::function<void()> what) {
    waiting_.emplace(when, std::move(what));
}

void VirtualClock::run_for(asio::io_context& engine, torrent::Duration duration) {
    run_until(engine, duration, [] { return false; });
}

bool VirtualClock::run_until(asio::io_context& engine, torrent::Duration limit, std::function<bool()> const& done) {
    auto const end = now_ + limit;
    for (;;) {
        engine.restart();
        while (engine.poll() > 0) engine.restart();
        if (done()) return true;
        if (waiting_.empty() || waiting_.begin()->first > end) break;
        auto const next = waiting_.extract(waiting_.begin());
        now_ = std::max(now_, next.key());
        next.mapped()();
    }
    now_ = end;
    return false;
}

}  // namespace rqfs::tests
