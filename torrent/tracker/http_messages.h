#pragma once

#include "torrent/error.h"
#include "torrent/info_hash.h"
#include "torrent/net/url.h"
#include "torrent/tracker/announce.h"

#include <cstddef>
#include <span>

namespace rqfs::torrent {

// What HTTP trackers are asked and what they answer (BEP 3, 7, 23, 24, 31, 48). Pure.

// The tracker's URL with our facts behind it, always in the same order.
Url announce_url(Url const& tracker, AnnounceRequest const& request);

// A body of any HTTP status. Failure: the tracker's own reason, or what is wrong with its bytes.
AnnounceResult parse_announce_reply(unsigned status, std::span<std::byte const> body);

// BEP 48: `announce` at the start of the last path element becomes `scrape`; Errc::unsupported where there is none.
Result<Url> scrape_url(Url const& tracker, InfoHash const& info_hash);
// A body of any HTTP status; a failure is the tracker's own reason, or what is wrong with its bytes.
ScrapeReply parse_scrape_reply(unsigned status, std::span<std::byte const> body, InfoHash const& info_hash);

}  // namespace rqfs::torrent
