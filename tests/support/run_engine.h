#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace rqfs::tests {

// Runs a coroutine to its end on an engine of its own thread and gives its value; fails loudly after `limit` of real time.
template <class T>
T run_engine(boost::asio::io_context& engine, boost::asio::awaitable<T> task, std::chrono::seconds limit = std::chrono::seconds(20)) {
    std::exception_ptr failure;
    bool done = false;
    if constexpr (std::is_void_v<T>) {
        boost::asio::co_spawn(engine, std::move(task), [&](std::exception_ptr e) {
            failure = e;
            done = true;
        });
        auto const end = std::chrono::steady_clock::now() + limit;
        while (!done && std::chrono::steady_clock::now() < end) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(50));
        }
        if (!done) throw std::runtime_error("the coroutine did not end in time");
        if (failure) std::rethrow_exception(failure);
    } else {
        std::optional<T> value;
        boost::asio::co_spawn(engine, std::move(task), [&](std::exception_ptr e, T v) {
            failure = e;
            if (!e) value.emplace(std::move(v));
            done = true;
        });
        auto const end = std::chrono::steady_clock::now() + limit;
        while (!done && std::chrono::steady_clock::now() < end) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(50));
        }
        if (!done) throw std::runtime_error("the coroutine did not end in time");
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }
}

}  // namespace rqfs::tests
