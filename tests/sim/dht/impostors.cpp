#include "tests/sim/dht/impostors.h"

#include "torrent/dht/krpc_message.h"

#include <algorithm>
#include <array>
#include <variant>

namespace rqfs::tests {

namespace {

constexpr std::size_t kTold = 8;

}  // namespace

// Nearer to the target than any node of a thousand; every other one has an address for which BEP 42 allows 10 of its
// bits.
torrent::NodeContact Liar::invented(torrent::NodeId const& target) {
    std::array<std::byte, torrent::NodeId::kBytes> bytes{};
    for (auto& each : bytes) each = static_cast<std::byte>(random_() & 0xff);
    torrent::NodeId const noise(bytes);
    for (unsigned tries = 0;; ++tries) {
        auto const bits = random_();
        auto const address =
            torrent::Address::v4({static_cast<std::uint8_t>(1 + bits % 9), static_cast<std::uint8_t>(bits >> 8),
                                  static_cast<std::uint8_t>(bits >> 16), static_cast<std::uint8_t>(bits >> 24)});
        auto const secure = torrent::secure_node_id(address, noise);
        if (torrent::common_bits(secure, target) >= 10) return {secure, {address, 6881}};
        if (tries == 300) return {torrent::id_at_distance(target, 30, noise), {address, 6881}};
    }
}

void Liar::court(torrent::Endpoint const& to) {
    torrent::KrpcQuery query;
    query.transaction = "hi";
    query.id = own_();
    socket_.send(to, torrent::encode_krpc(query));
}

bool Liar::datagram(torrent::Endpoint const& from, std::span<std::byte const> bytes) {
    auto const message = torrent::parse_krpc(bytes);
    auto const* const query = message ? std::get_if<torrent::KrpcQuery>(&*message) : nullptr;
    if (!query) return false;
    ++asked;
    torrent::KrpcReply reply;
    reply.transaction = query->transaction;
    reply.id = own_();
    reply.requester = from;
    if (query->method == torrent::KrpcMethod::find_node || query->method == torrent::KrpcMethod::get_peers) {
        reply.token = "thanks";
        reply.nodes.emplace();
        for (std::size_t i = 0; invents && i < kTold / 2; ++i) reply.nodes->push_back(invented(query->target));
        if (names_nearest) {
            auto sorted = accomplices_;
            auto const nearer = [&](auto const& a, auto const& b) {
                return torrent::is_closer(query->target, a.id, b.id);
            };
            std::sort(sorted.begin(), sorted.end(), nearer);
            reply.nodes->assign(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(std::min(sorted.size(), kTold)));
        }
        while (reply.nodes->size() < kTold && !accomplices_.empty())
            reply.nodes->push_back(accomplices_[random_() % accomplices_.size()]);
    }
    socket_.send(from, torrent::encode_krpc(reply));
    return true;
}

void join_liars(DhtNetwork& network, std::size_t count, std::vector<torrent::NodeContact>& accomplices, bool invents) {
    for (std::size_t i = 0; i < count; ++i) {
        auto* const members = &network.members;
        auto const index = members->size();
        auto& member = network.join_impostor([&](torrent::UdpSocket& socket) {
            auto const id = [members, index] {
                return torrent::NodeId(torrent::InfoHash::parse((*members)[index]->dht->status().front().id).value());
            };
            auto liar = std::make_unique<Liar>(socket, id, accomplices, static_cast<std::uint32_t>(i));
            liar->invents = invents;
            return liar;
        });
        auto const id = torrent::InfoHash::parse(member.dht->status().front().id).value();
        accomplices.push_back({torrent::NodeId(id), member.endpoint()});
    }
}

}  // namespace rqfs::tests
