#pragma once

#include "torrent/tracker/announce.h"

#include <utility>

namespace rqfs::torrent {

// What became of announcing over one family alone.
inline AnnounceOutcome over(bool v6, AnnounceResult result) {
    AnnounceOutcome outcome;
    outcome.families[v6] = result;
    outcome.all = std::move(result);
    return outcome;
}
inline AnnounceOutcome over_v4(AnnounceResult result) { return over(false, std::move(result)); }

// Over both, of which IPv4 works.
inline AnnounceOutcome over_v4_not_v6(AnnounceResponse response, AnnounceFailure failure) {
    AnnounceOutcome outcome;
    outcome.families = {response, failure};
    outcome.all = std::move(response);
    return outcome;
}

}  // namespace rqfs::torrent
