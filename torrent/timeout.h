#pragma once

#include "torrent/clock.h"
#include "torrent/error.h"
#include "torrent/event.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

namespace rqfs::torrent {

// Awaits `operation` for at most `limit`; then cancels it and throws Errc::timed_out with the sentence `what`. Whoever cancels the
// waiting coroutine cancels the operation. The operation has always ended when this returns.
template <class T>
boost::asio::awaitable<T> with_timeout(Clock& clock, boost::asio::awaitable<T> operation, Duration limit, std::string what) {
    namespace asio = boost::asio;
    auto const executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(operation), asio::deferred),
        asio::co_spawn(executor, clock.sleep(limit), asio::deferred));
    // Named before awaited, as every temporary that owns something is here: GCC 12 would destroy it twice.
    auto wait = group.async_wait(asio::experimental::wait_for_one(), asio::deferred);
    if constexpr (std::is_void_v<T>) {
        auto [order, failure, timer_failure] = co_await std::move(wait)(asio::use_awaitable);
        if (order[0] == 1 && !timer_failure && failure) throw_error(Errc::timed_out, what);
        if (failure) std::rethrow_exception(failure);
    } else {
        auto [order, failure, value, timer_failure] = co_await std::move(wait)(asio::use_awaitable);
        if (order[0] == 1 && !timer_failure && failure) throw_error(Errc::timed_out, what);
        if (failure) std::rethrow_exception(failure);
        co_return std::move(value);
    }
}

// Returns when `event` is notified, or after `limit`.
inline boost::asio::awaitable<void> wait_at_most(Clock& clock, Event& event, Duration limit) {
    namespace asio = boost::asio;
    auto const executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, event.wait(), asio::deferred),
                                                         asio::co_spawn(executor, clock.sleep(limit), asio::deferred));
    auto wait = group.async_wait(asio::experimental::wait_for_one(), asio::deferred);
    auto [order, failure, timer_failure] = co_await std::move(wait)(asio::use_awaitable);
    if (failure && timer_failure) std::rethrow_exception(failure);
}

}  // namespace rqfs::torrent
