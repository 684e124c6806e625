#pragma once

#include "torrent/statistics.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace rqfs::tools {

// torrent::Histogram as the protocol carries it.
struct HistogramReply {
    std::uint64_t count = 0;
    double sum_seconds = 0;
    std::optional<double> p50_seconds, p95_seconds;  // estimates; nothing without waits
    std::vector<double> bounds_seconds;              // what each bucket holds at most, ascending
    std::vector<std::uint64_t> counts;               // one more: what is above the last bound
};

// torrent::Statistics as the protocol carries it.
struct StatisticsReply {
    HistogramReply open_to_first_byte;
    HistogramReply seek_to_first_byte;
    HistogramReply stalled;
    torrent::ReceivedBytes received;
    std::uint64_t unread_read_ahead_bytes = 0;
    std::uint64_t kept_index_bytes = 0;
};

StatisticsReply statistics_reply(torrent::Statistics const& statistics);

}  // namespace rqfs::tools
