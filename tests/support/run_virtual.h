#pragma once

#include "tests/support/virtual_clock.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace rqfs::tests {

// Runs a coroutine to its end in virtual time and gives its value; fails loudly after `limit` of that time.
template <class T>
T run_virtual(boost::asio::io_context& engine, VirtualClock& clock, boost::asio::awaitable<T> task,
              torrent::Duration limit = std::chrono::hours(1)) {
    struct Outcome {
        bool done = false;
        std::exception_ptr failure;
        std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> value;
    };
    auto const outcome = std::make_shared<Outcome>();
    if constexpr (std::is_void_v<T>) {
        boost::asio::co_spawn(engine, std::move(task), [outcome](std::exception_ptr const& failure) {
            outcome->done = true;
            outcome->failure = failure;
        });
    } else {
        boost::asio::co_spawn(engine, std::move(task), [outcome](std::exception_ptr const& failure, T value) {
            outcome->done = true;
            outcome->failure = failure;
            outcome->value.emplace(std::move(value));
        });
    }
    if (!clock.run_until(engine, limit, [&] { return outcome->done; }))
        throw std::runtime_error("the coroutine did not end in time");
    if (outcome->failure) std::rethrow_exception(outcome->failure);
    if constexpr (!std::is_void_v<T>) return std::move(*outcome->value);
}

}  // namespace rqfs::tests
