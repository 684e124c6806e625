#pragma once

#include "torrent/info_hash.h"
#include "torrent/net/http_client.h"
#include "torrent/net/url.h"
#include "torrent/tracker/announce.h"

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace rqfs::torrent {

// Announces over HTTP or HTTPS, from the address family wanted (the tracker sees where we come from, BEP 7). Throws
// nothing but operation_aborted; every other error is a failure. `trusted` as in HttpClient::Request.
boost::asio::awaitable<AnnounceResult> http_announce(HttpClient& http, Url tracker, AnnounceRequest request,
                                                     std::optional<bool> want_v6, bool trusted = false);

boost::asio::awaitable<ScrapeReply> http_scrape(HttpClient& http, Url tracker, InfoHash info_hash,
                                                bool trusted = false);

}  // namespace rqfs::torrent
