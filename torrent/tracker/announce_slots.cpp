#include "torrent/tracker/announce_slots.h"

#include "torrent/event.h"

#include <algorithm>

namespace rqfs::torrent {

namespace asio = boost::asio;

struct AnnounceSlots::Waiter {
    Waiter(AnnounceSlots& owner, bool urgent, std::optional<InfoHash> const& whose)
        : slots(owner),
          granted(owner.executor_),
          torrent(whose),
          is_urgent(urgent),
          place(owner.waiting_.insert(owner.place_for(urgent), this)) {}
    Waiter(Waiter const&) = delete;
    Waiter& operator=(Waiter const&) = delete;
    ~Waiter() {
        if (!has_slot) slots.waiting_.erase(place);
    }

    AnnounceSlots& slots;
    Event granted;
    std::optional<InfoHash> torrent;
    bool is_urgent;
    std::list<Waiter*>::iterator place;
    bool has_slot = false;
    Slot slot;
};

// Behind those who came before, the urgent before all others.
std::list<AnnounceSlots::Waiter*>::const_iterator AnnounceSlots::place_for(bool urgent) const {
    if (!urgent) return waiting_.end();
    return std::find_if_not(waiting_.begin(), waiting_.end(), [](Waiter const* waiter) { return waiter->is_urgent; });
}

asio::awaitable<AnnounceSlots::Slot> AnnounceSlots::acquire(bool urgent, std::optional<InfoHash> torrent) {
    if (free_ > 0) {
        --free_;
        co_return Slot(*this);
    }
    Waiter waiter(*this, urgent, torrent);
    while (!waiter.has_slot) co_await waiter.granted.wait();
    co_return std::move(waiter.slot);
}

void AnnounceSlots::hurry(InfoHash const& torrent) {
    for (auto place = waiting_.begin(); place != waiting_.end();) {
        auto const waiter = place++;
        if ((*waiter)->is_urgent || (*waiter)->torrent != torrent) continue;
        waiting_.splice(place_for(true), waiting_, waiter);
        (*waiter)->is_urgent = true;
    }
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
