#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Snapshots of a torrent's trackers for people and programs.

// One of the address families over which a tracker hears of us.
struct TrackerFamilyStatus {
    bool v6 = false;
    std::string state;           // "working", "failed"
    std::string message;         // the failure or warning in words
    std::uint32_t peers = 0;     // in the last reply
};

struct TrackerStatus {
    std::string url;             // passkeys are left in: it is the user's own
    std::uint32_t tier = 0;
    std::string state;           // "not contacted", "working", "announcing", "failed"
    std::string message;         // the failure or warning in words
    std::uint32_t peers = 0;     // in the last reply
    std::optional<std::uint32_t> seeders, leechers, downloads;  // announce reply or scrape
    std::string scrape_message;  // why the last scrape failed
    std::optional<std::chrono::seconds> next_announce;          // from now
    std::vector<TrackerFamilyStatus> families;                  // that were announced over
};

}  // namespace rqfs::torrent
