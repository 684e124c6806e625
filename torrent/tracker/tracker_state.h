#pragma once

#include "torrent/tracker/announce.h"
#include "torrent/units.h"

#include <cstdint>
#include <optional>
#include <string>

namespace rqfs::torrent {

// What AnnounceSchedule knows of one tracker. Plain data, but for what follows from it.
struct TrackerState {
    enum class Standing { not_contacted, working, failed, unusable };

    // What is known of it over one address family.
    struct Family {
        bool announced = false;  // it was announced to over this one
        bool failing = false;    // the last announce over this one failed
        bool heard_started = false;
        bool owes_completed = false;
        std::uint32_t failures = 0;               // in a row
        TimePoint not_before = TimePoint::min();  // after failures; max: told us never to ask again
        TimePoint early_from = TimePoint::min();  // even the user asks no sooner
        std::string message;
        std::uint32_t peers = 0;  // in the last reply
    };

    bool heard_started() const { return families[false].heard_started || families[true].heard_started; }
    bool may_announce(TimePoint now) const {
        return standing != Standing::unusable && !announcing && !never && now >= not_before;
    }
    // Forgets what came of its announces: it hears `started` again.
    void restart() {
        families = {};
        never = announcing = again = wished = false;
        failures = 0;
        not_before = early_from = next = TimePoint::min();
        tracker_id.clear();
        if (standing != Standing::unusable) standing = Standing::not_contacted;
    }

    std::string url;
    Standing standing = Standing::not_contacted;
    PerFamily<Family> families;
    bool announcing = false;
    bool again = false;          // that is only one family once more: it works over the other
    bool wished = false;         // the user wants it asked
    bool never = false;          // told us to stay away
    std::uint32_t failures = 0;  // in a row
    std::uint64_t round = 0;     // the last that tried it
    TimePoint last_start = TimePoint::min();
    TimePoint not_before = TimePoint::min();  // after failures
    TimePoint early_from = TimePoint::min();  // `min interval`; even the user asks no sooner
    TimePoint next = TimePoint::min();        // its interval
    std::string message;
    std::string tracker_id;
    ScrapeResult counts;
    bool scraping = false;
    TimePoint scrape_from = TimePoint::min();
    std::string scrape_message;  // why the last scrape failed
};

}  // namespace rqfs::torrent
