#include "tools/control/statistics_reply.h"

#include "torrent/units.h"

#include <chrono>

namespace rqfs::tools {

namespace {

double in_seconds(torrent::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::optional<double> quantile(torrent::Histogram const& histogram, double share) {
    auto const found = histogram.quantile(share);
    return found ? std::optional(in_seconds(*found)) : std::nullopt;
}

HistogramReply reply_of(torrent::Histogram const& histogram) {
    HistogramReply reply;
    reply.count = histogram.count();
    reply.sum_seconds = in_seconds(histogram.sum());
    reply.p50_seconds = quantile(histogram, 0.50);
    reply.p95_seconds = quantile(histogram, 0.95);
    for (auto const bound : torrent::Histogram::kBounds) reply.bounds_seconds.push_back(in_seconds(bound));
    reply.counts.assign(histogram.buckets().begin(), histogram.buckets().end());
    return reply;
}

}  // namespace

StatisticsReply statistics_reply(torrent::Statistics const& statistics) {
    return {reply_of(statistics.open_to_first_byte),
            reply_of(statistics.seek_to_first_byte),
            reply_of(statistics.stalled),
            statistics.received,
            statistics.unread_read_ahead_bytes,
            statistics.kept_index_bytes};
}

}  // namespace rqfs::tools
