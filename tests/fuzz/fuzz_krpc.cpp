#include "tests/fuzz/require.h"
#include "torrent/dht/dht_state.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/responder.h"
#include "torrent/settings.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

namespace torrent = rqfs::torrent;
using rqfs::tests::require;

namespace {

constexpr torrent::TimePoint kNow{std::chrono::hours(1000)};
constexpr std::size_t kRoom = 600;

// A node with one neighbour, asked whatever the input says.
void answer(torrent::KrpcQuery const& query) {
    static torrent::RoutingTable table = [] {
        torrent::RoutingTable made(torrent::NodeId(), false);
        made.replied({torrent::id_at_distance({}, 3, {}), {torrent::Address::v4({20, 1, 2, 3}), 6881}}, kNow);
        return made;
    }();
    static torrent::Responder responder(false, false, {}, kNow);
    torrent::Endpoint const from{torrent::Address::v4({20, 1, 2, 4}), 6881};
    auto const reply = responder.answer(query, from, {&table, nullptr}, kRoom, 1, kNow);
    if (!reply) return;
    require(reply->bytes.size() <= kRoom, "answers fit into their room");
    require(torrent::parse_krpc(reply->bytes).has_value(), "our answers can be read");
}

}  // namespace

// A datagram from another node, or the state of the last run.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::span<std::byte const> const datagram(reinterpret_cast<std::byte const*>(data), size);
    static_cast<void>(torrent::DhtState::parse(datagram));
    auto const message = torrent::parse_krpc(datagram);
    if (!message) return 0;
    require(size <= torrent::limit::kDhtDatagramBytes, "long datagrams are refused");
    if (auto const* const query = std::get_if<torrent::KrpcQuery>(&*message)) {
        require(query->transaction.size() <= torrent::limit::kDhtTransactionBytes, "transactions are limited");
        require(query->token.size() <= torrent::limit::kDhtTokenBytes, "tokens are limited");
        answer(*query);
    } else if (auto const* const reply = std::get_if<torrent::KrpcReply>(&*message)) {
        require(reply->values.size() <= torrent::limit::kDhtValuesPerReply, "peers are limited");
        for (auto const& peer : reply->values) require(peer.port != 0, "peers have ports");
        for (auto const* const nodes : {&reply->nodes, &reply->nodes6})
            require(!*nodes || (*nodes)->size() <= torrent::limit::kDhtNodesPerReply, "nodes are limited");
    }
    return 0;
}
