#pragma once

#include "tools/control/protocol.h"
#include "tools/control/protocol_fields.h"
#include "torrent/tracker_edit.h"
#include "torrent/tracker_status.h"

namespace rqfs::tools {

// The members of what is said of trackers, as protocol_fields.h names those of the rest.

template <class Visit, Either<torrent::TrackerFamilyStatus> Family>
void fields(Visit& visit, Family& family) {
    visit("v6", family.v6);
    visit("state", family.state);
    visit("message", family.message);
    visit("peers", family.peers);
}

template <class Visit, Either<torrent::TrackerStatus> Tracker>
void fields(Visit& visit, Tracker& tracker) {
    visit("url", tracker.url);
    visit("tier", tracker.tier);
    visit("state", tracker.state);
    visit("message", tracker.message);
    visit("peers", tracker.peers);
    visit("seeders", tracker.seeders);
    visit("leechers", tracker.leechers);
    visit("downloads", tracker.downloads);
    visit("scrape_message", tracker.scrape_message);
    visit("next_announce_seconds", tracker.next_announce);
    visit("families", tracker.families);
}

template <class Visit, Either<torrent::AskedTrackers> Asked>
void fields(Visit& visit, Asked& asked) {
    visit("asked", asked.asked);
    visit("refused", asked.refused);
    visit("dht", asked.dht);
}

}  // namespace rqfs::tools
