#include "tests/fuzz/require.h"
#include "torrent/settings.h"
#include "torrent/tracker/udp_messages.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace torrent = rqfs::torrent;
using rqfs::tests::require;

// A datagram from a tracker, read as each kind of reply.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::span<std::byte const> const datagram(reinterpret_cast<std::byte const*>(data), size);
    require(torrent::parse_udp_head(datagram).has_value() == (size >= 8), "a head has 8 bytes");
    for (bool const v6 : {false, true}) {
        auto const reply = torrent::parse_udp_announce(datagram, v6);
        if (!reply) continue;
        require(reply->peers.size() <= torrent::limit::kTrackerPeers, "peers are limited");
        for (auto const& peer : reply->peers) require(peer.port != 0, "peers have ports");
    }
    static_cast<void>(torrent::parse_udp_connect(datagram));
    static_cast<void>(torrent::parse_udp_scrape(datagram));
    auto const text = torrent::parse_udp_error(datagram);
    require(!text.empty() && text.size() <= torrent::limit::kTrackerTextBytes, "texts are limited");
    return 0;
}
