#pragma once

#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/net/http_client.h"
#include "torrent/net/resolver.h"
#include "torrent/net/url.h"
#include "torrent/tracker/announce.h"
#include "torrent/tracker/udp_tracker.h"

#include <boost/asio/awaitable.hpp>

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
    std::function<void(AnnounceResponse const&)>
        heard;  // at once for each family that answers: the other may take half a minute to fail
};

// One announce over each address family that both the tracker and we have (BEP 7), side by side: success where one
// family succeeded, with the peers of both and the longer interval. `tracker` and `call` live until it returns.
// Addresses are vetted: trackers are named by strangers. Throws nothing but operation_aborted.
boost::asio::awaitable<AnnounceResult> announce_to_tracker(AnnounceCall const& call, Url const& tracker,
                                                           AnnounceRequest request);

// Nothing where the tracker cannot say.
boost::asio::awaitable<std::optional<ScrapeResult>> scrape_tracker(AnnounceCall const& call, Url const& tracker,
                                                                   InfoHash info_hash);

}  // namespace rqfs::torrent
