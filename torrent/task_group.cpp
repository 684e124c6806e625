#include "torrent/task_group.h"

#include "torrent/event.h"
#include "torrent/log.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <cassert>
#include <exception>

namespace rqfs::torrent {

namespace asio = boost::asio;

struct TaskGroup::State {
    State(asio::any_io_executor const& executor, std::string name) : what(std::move(name)), ended(executor) {}

    std::string what;
    std::list<asio::cancellation_signal> signals;
    Event ended;
    bool stopping = false;
};

namespace {

void report(std::string const& what, std::exception_ptr const& failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& e) {
        if (e.code() != asio::error::operation_aborted) log().error("coroutine ended by an error in={} error={}", what, e.what());
    } catch (std::exception const& e) {
        log().error("coroutine ended by an error in={} error={}", what, e.what());
    }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor, std::string what)
    : executor_(std::move(executor)), state_(std::make_shared<State>(executor_, std::move(what))) {}

TaskGroup::~TaskGroup() { assert(state_->signals.empty() && "TaskGroup destroyed with running coroutines: stop() it first"); }

void TaskGroup::spawn(asio::awaitable<void> task) {
    if (state_->stopping) return;
    auto const signal = state_->signals.emplace(state_->signals.end());
    auto done = [state = state_, signal](std::exception_ptr const& failure) {
        state->signals.erase(signal);
        report(state->what, failure);
        if (state->signals.empty()) state->ended.notify();
    };
    asio::co_spawn(executor_, std::move(task), asio::bind_cancellation_slot(signal->slot(), std::move(done)));
}

void TaskGroup::cancel() {
    // A cancelled coroutine may end inside emit() and so leave the list: step before emitting.
    auto& signals = state_->signals;
    for (auto next = signals.begin(); next != signals.end();) (next++)->emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::stop() {
    auto const state = state_;
    state->stopping = true;
    cancel();
    // Whoever stops must not be cancelled half-way: what it owns would be destroyed under the running coroutines.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!state->signals.empty()) co_await state->ended.wait();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

std::size_t TaskGroup::running() const { return state_->signals.size(); }

}  // namespace rqfs::torrent
