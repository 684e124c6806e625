#pragma once

#include "torrent/settings.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace rqfs::torrent {

// How many connections the session may have, be opening, and open in a second, over all torrents. Pure; owned by Session. Slots are
// returned by the destructor of what took them.
class ConnectionBudget {
public:
    // Held as long as the connection, or the attempt, lasts.
    class Slot {
    public:
        Slot() = default;
        explicit Slot(std::size_t& used) : used_(&used) { ++used; }
        Slot(Slot&& other) noexcept : used_(other.used_) { other.used_ = nullptr; }
        Slot& operator=(Slot&& other) noexcept {
            std::swap(used_, other.used_);
            return *this;
        }
        ~Slot() {
            if (used_ != nullptr) --*used_;
        }

    private:
        std::size_t* used_ = nullptr;
    };

    explicit ConnectionBudget(std::size_t limit) : limit_(limit) {}

    void set_limit(std::size_t limit) { limit_ = limit; }
    std::size_t limit() const { return limit_; }
    std::size_t connected() const { return connected_; }
    bool full() const { return connected_ >= limit_; }
    // A new connection may be tried now: room among the connected and half-open, and among the dials of this second. The first 30 go at
    // once, but whom nobody waits for (not `hurried`) leaves half of them, and a quarter of the half-open, to those somebody does.
    bool may_dial(TimePoint now, bool hurried);

    Slot take_connection() { return Slot(connected_); }
    Slot take_dial(TimePoint now);

private:
    void refill(TimePoint now);

    std::size_t limit_;
    std::size_t connected_ = 0;
    std::size_t half_open_ = 0;
    double dials_ = limit::kDialsPerSecond;
    TimePoint refilled_{};
};

}  // namespace rqfs::torrent
