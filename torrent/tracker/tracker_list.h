#pragma once

#include "torrent/error.h"
#include "torrent/tracker_edit.h"

#include <string>
#include <vector>

namespace rqfs::torrent {

// A torrent's trackers by tiers (BEP 12), as they are remembered: each once, however its URL is written, and at most
// limit::kTrackersPerTorrent. Pure.
using TrackerTiers = std::vector<std::vector<std::string>>;

// The same for all ways of writing a URL.
std::string tracker_key(std::string const& url);

// `more` behind `list`, without what is there already.
TrackerTiers merged(TrackerTiers list, TrackerTiers const& more);

// The list as the user wants it, or the sentence why it cannot be so: then nothing of `edit` is done.
Result<TrackerTiers> edited(TrackerTiers list, TrackerEdit const& edit);

// Those of `named`, in the words of `list`.
std::vector<std::string> found_in(TrackerTiers const& list, std::vector<std::string> const& named);

}  // namespace rqfs::torrent
