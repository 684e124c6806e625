#pragma once

#include "torrent/units.h"

#include <chrono>

namespace rqfs::tests {

// The engine's time of a moment of a run, which counts in seconds from its beginning.
inline torrent::TimePoint at_seconds(double seconds) {
    return torrent::TimePoint(std::chrono::hours(1)) +
           std::chrono::duration_cast<torrent::Duration>(std::chrono::duration<double>(seconds));
}

inline double seconds_at(torrent::TimePoint when) {
    return std::chrono::duration<double>(when - torrent::TimePoint(std::chrono::hours(1))).count();
}

}  // namespace rqfs::tests
