#include "torrent/tracker/announce_slots.h"

#include "torrent/event.h"

namespace rqfs::torrent {

namespace asio = boost::asio;

struct AnnounceSlots::Waiter {
    Waiter(AnnounceSlots& owner, bool urgent)
        : slots(owner),
          granted(owner.executor_),
          place(owner.waiting_.insert(urgent ? owner.waiting_.begin() : owner.waiting_.end(), this)) {}
    Waiter(Waiter const&) = delete;
    Waiter& operator=(Waiter const&) = delete;
    ~Waiter() {
        if (!has_slot) slots.waiting_.erase(place);
    }

    AnnounceSlots& slots;
    Event granted;
    std::list<Waiter*>::iterator place;
    bool has_slot = false;
    Slot slot;
};

asio::awaitable<AnnounceSlots::Slot> AnnounceSlots::acquire(bool urgent) {
    if (free_ > 0) {
        --free_;
        co_return Slot(*this);
    }
    Waiter waiter(*this, urgent);
    while (!waiter.has_slot) co_await waiter.granted.wait();
    co_return std::move(waiter.slot);
}

void AnnounceSlots::give_back() {
    if (waiting_.empty()) {
        ++free_;
        return;
    }
    auto& next = *waiting_.front();
    waiting_.pop_front();
    next.has_slot = true;
    next.slot = Slot(*this);  // should its coroutine be cancelled now, the slot passes on from there
    next.granted.notify();
}

}  // namespace rqfs::torrent
