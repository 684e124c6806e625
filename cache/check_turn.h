#pragma once

#include "torrent/event.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <list>
#include <utility>

namespace rqfs::cache {

// One torrent at a time is checked, so that the disk reads in long runs; the others wait in order. Engine thread only.
class CheckTurn {
public:
    // The turn, as long as it lives.
    class Lease {
    public:
        explicit Lease(CheckTurn& turn) : turn_(&turn) { turn.taken_ = true; }
        Lease(Lease&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
        Lease& operator=(Lease&&) = delete;
        ~Lease() {
            if (turn_ == nullptr) return;
            turn_->taken_ = false;
            turn_->wake_next();
        }

    private:
        CheckTurn* turn_;
    };

    explicit CheckTurn(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    boost::asio::awaitable<Lease> take() {
        if (taken_ || !waiting_.empty()) {
            Place const place(*this);
            do co_await place.event->wait();
            while (taken_);
        }
        co_return Lease(*this);
    }

private:
    // In the queue as long as it waits; who leaves without having had its turn passes it on.
    struct Place {
        explicit Place(CheckTurn& queue) : turn(queue), event(queue.waiting_.emplace(queue.waiting_.end(), queue.executor_)) {}
        Place(Place const&) = delete;
        Place& operator=(Place const&) = delete;
        ~Place() {
            turn.waiting_.erase(event);
            if (!turn.taken_) turn.wake_next();
        }

        CheckTurn& turn;
        std::list<torrent::Event>::iterator event;
    };

    void wake_next() {
        if (!waiting_.empty()) waiting_.front().notify();
    }

    boost::asio::any_io_executor executor_;
    bool taken_ = false;
    std::list<torrent::Event> waiting_;
};

}  // namespace rqfs::cache
