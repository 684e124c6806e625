#include "tests/fuzz/require.h"
#include "torrent/peer/holepunch_message.h"
#include "torrent/peer/peer_exchange.h"
#include "torrent/peer/pex_message.h"
#include "torrent/peer/settings.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>

using namespace rqfs::torrent;
using rqfs::tests::require;

namespace {

void check_holepunch(std::span<std::byte const> payload) {
    auto const message = HolepunchMessage::parse(payload);
    if (!message) return;
    auto const again = HolepunchMessage::parse(message->encode());
    require(again && *again == *message, "what we write we read");
}

}  // namespace

// What a peer tells of others: ut_pex, and the same bytes as ut_holepunch.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const payload = std::as_bytes(std::span(data, size));
    check_holepunch(payload);
    auto const message = PexMessage::parse(payload);
    if (!message) {
        require(!message.error().what.empty(), "a refusal says why");
        return 0;
    }
    require(message->added.size() <= 2 * limit::kPexPeersRead, "few are added");
    require(message->dropped.size() <= 2 * limit::kPexPeersRead, "few are dropped");
    std::set<Endpoint> seen;
    for (auto const& peer : message->added)
        require(peer.endpoint.port != 0 && seen.insert(peer.endpoint).second, "each is named once, with a port");
    for (auto const& endpoint : message->dropped)
        require(endpoint.port != 0 && seen.insert(endpoint).second, "nobody is in both lists");

    PeerExchange exchange;
    TimePoint const now{std::chrono::hours(1)};
    exchange.joined(PeerHandle(1), now);
    std::size_t taken = 0;
    for (int minute = 0; minute < 9; ++minute)
        taken += exchange.heard(PeerHandle(1), *message, now + std::chrono::minutes(minute)).peers.size();
    require(taken == 9 * message->added.size(), "what comes once a minute is heard");
    auto const again = PexMessage::parse(message->encode());
    require(again.has_value(), "what we write we read");
    // Mapped addresses change their family, and so perhaps what is within the limits.
    require(again->added.size() <= message->added.size(), "nothing is made up");
    return 0;
}
