#include "fs/pending_requests.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <exception>
#include <utility>

namespace rqfs::fs {

namespace asio = boost::asio;

PendingRequests::PendingRequests(asio::any_io_executor executor) : executor_(std::move(executor)), empty_(executor_) {}

PendingRequests::~PendingRequests() { assert(pending_.empty() && "requests destroyed while they are being answered"); }

PendingRequests::Pending& PendingRequests::add(FuseRequest request, Handle handle) {
    auto& pending = pending_.emplace_back(std::move(request), handle);
    pending.place = std::prev(pending_.end());
    return pending;
}

void PendingRequests::start(Pending& pending, asio::awaitable<void> answer) {
    if (pending.request.on_interrupt(&PendingRequests::interrupt, &pending)) {
        pending.when_cancelled = EINTR;
        return ended(pending);
    }
    // An answer that need not wait ends in here, and takes `pending` with it.
    auto done = [this, &pending](std::exception_ptr const&) { ended(pending); };
    asio::co_spawn(executor_, std::move(answer), asio::bind_cancellation_slot(pending.signal.slot(), std::move(done)));
}

void PendingRequests::interrupt(void* data) {
    auto& pending = *static_cast<Pending*>(data);
    if (pending.when_cancelled == 0) pending.when_cancelled = EINTR;
    pending.signal.emit(asio::cancellation_type::terminal);
}

void PendingRequests::ended(Pending& pending) {
    if (!pending.request.answered()) pending.request.error(pending.when_cancelled != 0 ? pending.when_cancelled : EIO);
    pending_.erase(pending.place);
    if (pending_.empty()) empty_.notify();
}

void PendingRequests::cancel(int error, std::function<bool(Pending const&)> const& which) {
    // A cancelled coroutine may end inside emit() and so leave the list: step before emitting.
    for (auto next = pending_.begin(); next != pending_.end();) {
        auto& pending = *next++;
        if (!which(pending)) continue;
        pending.when_cancelled = error;
        pending.signal.emit(asio::cancellation_type::terminal);
    }
}

void PendingRequests::cancel_all(int error) {
    cancel(error, [](Pending const&) { return true; });
}

std::vector<pid_t> PendingRequests::readers() const {
    std::vector<pid_t> threads;
    for (auto const& pending : pending_)
        if (pending.handle != 0) threads.push_back(pending.thread);
    std::sort(threads.begin(), threads.end());
    threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
    return threads;
}

asio::awaitable<void> PendingRequests::drained() {
    while (!pending_.empty()) co_await empty_.wait();
}

}  // namespace rqfs::fs
