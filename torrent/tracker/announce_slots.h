#pragma once

#include "torrent/info_hash.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <list>
#include <optional>
#include <utility>

namespace rqfs::torrent {

// The announces that may be under way at once over a whole session; the rest wait in their order, urgent ones first.
// Engine thread only; outlives its slots.
class AnnounceSlots {
public:
    // One announce's place, given back when destroyed.
    class Slot {
    public:
        Slot() = default;
        explicit Slot(AnnounceSlots& slots) : slots_(&slots) {}
        Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
        Slot& operator=(Slot&& other) noexcept {
            std::swap(slots_, other.slots_);
            return *this;
        }
        ~Slot() {
            if (slots_) slots_->give_back();
        }

    private:
        AnnounceSlots* slots_ = nullptr;
    };

    AnnounceSlots(boost::asio::any_io_executor executor, std::size_t slots)
        : executor_(std::move(executor)), free_(slots) {}

    // `torrent`: whose announce it is, should somebody come to wait for it.
    boost::asio::awaitable<Slot> acquire(bool urgent, std::optional<InfoHash> torrent = std::nullopt);
    // Somebody waits for this torrent now: what is in the queue for it is urgent from here on.
    void hurry(InfoHash const& torrent);

private:
    struct Waiter;
    std::list<Waiter*>::const_iterator place_for(bool urgent) const;
    void give_back();

    boost::asio::any_io_executor executor_;
    std::size_t free_;
    std::list<Waiter*> waiting_;
};

}  // namespace rqfs::torrent
