#pragma once

#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/net/http_client.h"
#include "torrent/net/resolver.h"
#include "torrent/net/url.h"
#include "torrent/per_family.h"
#include "torrent/tracker/announce.h"
#include "torrent/tracker/udp_tracker.h"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace rqfs::torrent {

// What one call to a tracker goes through. Everything referred to outlives the call.
struct AnnounceCall {
    HttpClient& http;
    Resolver& resolver;
    UdpTracker& udp;
    std::vector<Endpoint> local;  // where we listen: which families we announce from
    bool test_network = false;
    bool urgent = false;
    bool trusted = false;                        // the user named this tracker: it may be anywhere
    PerFamily<AnnounceEvent> events{};           // each family may have heard something else
    PerFamily<std::uint16_t> ports{};            // where peers of each reach us
    std::optional<bool> only_v6 = std::nullopt;  // over one family alone
    std::function<void(AnnounceResponse const&)>
        heard;  // at once for each family that answers: the other may take half a minute to fail
};

// One announce over each address family that both the tracker and we have (BEP 7), side by side. `tracker` and `call`
// live until it returns. Addresses are vetted unless trusted: most trackers are named by strangers. Throws nothing but
// operation_aborted.
boost::asio::awaitable<AnnounceOutcome> announce_to_tracker(AnnounceCall const& call, Url const& tracker,
                                                            AnnounceRequest request);

// Over the first family that answers.
boost::asio::awaitable<ScrapeReply> scrape_tracker(AnnounceCall const& call, Url const& tracker, InfoHash info_hash);

}  // namespace rqfs::torrent
