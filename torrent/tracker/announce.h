#pragma once

#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/per_family.h"

#include <boost/system/result.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// What an announce tells besides numbers; the values are those of BEP 15.
enum class AnnounceEvent : std::uint32_t { none = 0, completed = 1, started = 2, stopped = 3 };

// One announce, whatever the tracker's protocol.
struct AnnounceRequest {
    InfoHash info_hash;
    std::array<std::byte, 20> peer_id{};
    std::uint16_t port = 0;
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t downloaded_bytes = 0;
    std::uint64_t left_bytes = 0;
    AnnounceEvent event = AnnounceEvent::none;
    bool partial_seed = false;  // BEP 21
    std::uint32_t num_want = 0;
    std::uint32_t key = 0;   // the same over both address families (BEP 7)
    std::string tracker_id;  // what this tracker last called us; empty when it did not
};

// How many take part in a torrent, as far as a tracker says.
struct ScrapeResult {
    std::optional<std::uint32_t> seeders, leechers, downloads;
};

// A tracker's answer to a scrape (BEP 15, 48).
struct ScrapeReply {
    ScrapeResult counts;
    std::string failure;                                              // one sentence for the user; empty: it answered
    std::optional<std::chrono::seconds> min_interval = std::nullopt;  // untrusted and unclamped
};

// A tracker's answer. Intervals are as it said them: untrusted and unclamped.
struct AnnounceResponse {
    std::vector<Endpoint> peers;  // at most limit::kTrackerPeers, none with port 0; not vetted
    std::optional<std::chrono::seconds> interval;
    std::optional<std::chrono::seconds> min_interval;
    ScrapeResult counts;
    std::string warning;
    std::string tracker_id;
    std::optional<Address> external_address;  // BEP 24
    Address from;                             // who said all this, so far as we see
};

// Why an announce brought nothing.
struct AnnounceFailure {
    std::string what;     // one sentence for the user
    bool reached = true;  // somebody answered, or may have; false: no name, no route, nobody listening
    bool never = false;   // BEP 31: not to be asked again
    std::optional<std::chrono::seconds> retry_in = std::nullopt;  // BEP 31
};

using AnnounceResult = boost::system::result<AnnounceResponse, AnnounceFailure>;

// What became of announcing to one tracker.
struct AnnounceOutcome {
    PerFamily<std::optional<AnnounceResult>> families;  // nothing: not announced over it
    AnnounceResult all = AnnounceFailure();  // success where one succeeded: peers of both, the longer intervals
};

}  // namespace rqfs::torrent
