#include "tests/fuzz/require.h"
#include "torrent/settings.h"
#include "torrent/tracker/http_messages.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace torrent = rqfs::torrent;
using rqfs::tests::require;

// The first byte chooses the status; the rest is the body of an announce or scrape reply.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::span<std::byte const> const body(reinterpret_cast<std::byte const*>(data + 1), size - 1);
    auto const reply = torrent::parse_announce_reply(data[0] % 2 == 0 ? 200 : 500, body);
    if (reply) {
        require(reply->peers.size() <= torrent::limit::kTrackerPeers, "peers are limited");
        for (auto const& peer : reply->peers) require(peer.port != 0, "peers have ports");
        require(reply->warning.size() <= torrent::limit::kTrackerTextBytes &&
                    reply->tracker_id.size() <= torrent::limit::kTrackerTextBytes,
                "texts are limited");
    } else {
        require(!reply.error().what.empty() && reply.error().reached, "failures say why");
        require(!reply.error().retry_in || *reply.error().retry_in <= torrent::limit::kMaxAnnounceInterval,
                "retry in is limited");
    }
    auto const scrape = torrent::parse_scrape_reply(data[0] % 2 == 0 ? 200 : 500, body, torrent::InfoHash());
    bool const counted = scrape.counts.seeders || scrape.counts.leechers || scrape.counts.downloads;
    require(scrape.failure.empty() || !counted, "a scrape that failed counts nothing");
    require(scrape.failure.size() <= 2 * torrent::limit::kTrackerTextBytes, "failures are limited");
    require(data[0] % 2 == 0 || !scrape.failure.empty(), "no count comes with an error status");
    return 0;
}
