#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// What the user changes in a torrent's list of trackers, in this order. URLs may be anywhere: they are the user's word.
struct TrackerEdit {
    std::optional<std::vector<std::vector<std::string>>> replace;  // the whole list, by tiers
    std::vector<std::string> remove;
    std::vector<std::string> add;
    std::optional<std::uint32_t> tier;  // where to add, as `trackers` shows it; nothing: behind all others
};

// What came of the wish to announce now.
struct AskedTrackers {
    std::vector<std::string> asked;    // URLs
    std::vector<std::string> refused;  // sentences, each naming its tracker
    bool dht = false;                  // searched for peers too
};

}  // namespace rqfs::torrent
