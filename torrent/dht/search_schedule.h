#pragma once

#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rqfs::torrent {

// When to look for a torrent's peers in the DHT again, and whether to announce then. One a torrent and family; pure.
//
// The first search is due at once. While nobody answers, few do, or no peers are found the next comes soon and then ever
// later; else after 15 minutes and up to one more, so that torrents spread. Where few answered hardly anybody would find
// us by what they were told: the next search announces again.
class SearchSchedule {
public:
    explicit SearchSchedule(TimePoint now) : due_(now) {}

    bool is_due(TimePoint now) const { return !running_ && due_ <= now; }
    TimePoint due() const { return running_ ? TimePoint::max() : due_; }
    bool announces(TimePoint now) const;
    bool tried() const { return ended_ != TimePoint{}; }  // a search has ended

    void began();
    // How a search went; `random` spreads.
    void ended(std::size_t replies, std::size_t peers, std::size_t announces, std::uint32_t random, TimePoint now);
    // Somebody waits for peers, now and for some seconds: again as soon as the last search is a while ago. Whether this
    // changes anything.
    bool hurry(TimePoint now);
    // Since when somebody has waited who still does.
    std::optional<TimePoint> waited_for(TimePoint now) const;
    // There are nodes that answer: whoever found none tries again.
    void nodes_known(TimePoint now);
    // What is announced has changed: it is told at once.
    void announce_again(TimePoint now);

private:
    std::uint32_t in_vain() const { return unanswered_ > 0 ? unanswered_ : fruitless_; }

    TimePoint due_;
    TimePoint ended_{};
    TimePoint announced_{};
    TimePoint waited_since_{};
    TimePoint waited_until_{};
    bool running_ = false;
    bool nodes_came_ = false;       // while it was running
    bool told_old_ = false;         // the same: what it announces is not so any more
    std::uint32_t unanswered_ = 0;  // searches that nobody answered, one after another: they say nothing of peers
    std::uint32_t few_ = 0;         // searches that few answered, one after another: the network is hardly known yet
    std::uint32_t fruitless_ = 0;   // searches without peers, one after another
};

}  // namespace rqfs::torrent
