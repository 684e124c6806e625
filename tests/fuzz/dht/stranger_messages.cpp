#include "tests/fuzz/dht/stranger_messages.h"

#include "tests/fuzz/dht/world.h"

#include <array>

namespace rqfs::tests {

using namespace torrent;

namespace {

constexpr std::uint32_t kLiving = 150;  // nodes that others know

void add_nodes(KrpcReply& reply, bool invented, std::minstd_rand& random) {
    for (int i = 0; i < 8; ++i) {
        auto const at = crowd_place(static_cast<std::uint32_t>(invented ? random() : random() % kLiving));
        reply.nodes->push_back({node_id_at(at, invented ? static_cast<std::uint8_t>(random() & 0xff) : 0), at});
        auto const at6 = place(static_cast<std::uint8_t>(128 + random() % 64));
        reply.nodes6->push_back({node_id_at(at6, 0), at6});
    }
}

}  // namespace

KrpcQuery stranger_query(DhtModel const& model, std::uint8_t kind, Endpoint const& from, std::uint8_t about) {
    static constexpr std::array methods{KrpcMethod::ping, KrpcMethod::find_node, KrpcMethod::get_peers,
                                        KrpcMethod::announce_peer, KrpcMethod::sample_infohashes};
    KrpcQuery query;
    query.transaction.assign(1 + about % 9u, static_cast<char>(kind));
    query.method = methods[kind % methods.size()];
    query.id = node_id_at(from, about);
    query.target = NodeId(torrent_hash(about));
    query.want_v4 = (kind & 16) != 0;
    query.want_v6 = (kind & 32) != 0;
    query.scrape = (kind & 64) != 0;
    query.no_seeds = (kind & 128) != 0;
    query.read_only = (about & 16) != 0;
    query.seed = (about & 32) != 0;
    query.implied_port = (about & 64) != 0;
    query.port = static_cast<std::uint16_t>((about & 128) != 0 ? 7000 : 80);
    // Its own; else somebody else's.
    auto const whose = (about & 8) != 0 ? place(static_cast<std::uint8_t>(kind / 5)).address : from.address;
    query.token = model.token(whose, query.target.info_hash());
    return query;
}

KrpcReply stranger_reply(DhtModel::Asked const& asked, std::uint8_t how, std::minstd_rand& random) {
    KrpcReply reply;
    reply.transaction = asked.query.transaction;
    reply.id = node_id_at(asked.to, 0);
    reply.token.emplace(how % 3 == 0 ? 0 : how % 64, 't');
    reply.requester = Endpoint{own_address(asked.to.address.is_v6()), 6881};
    reply.nodes.emplace();
    reply.nodes6.emplace();
    add_nodes(reply, (how & 4) != 0, random);
    // Nodes that nobody may ask, we ourselves among them.
    if ((how & 8) != 0)
        for (std::uint8_t i = 192; i < 200; ++i) reply.nodes->push_back({node_id_at(place(i), 0), place(i)});
    if ((how & 8) != 0) reply.nodes->push_back({asked.query.id, crowd_place(how)});
    if ((how & 16) != 0) reply.id = node_id_at(asked.to, how | 3);
    if ((how & 32) != 0) reply.requester = Endpoint{place(how % 64).address, 6881};
    if ((how & 64) != 0)
        for (std::uint8_t i = 0; i < how % 16; ++i) reply.values.push_back(place(static_cast<std::uint8_t>(i * 17)));
    if (how == 255) reply.id = asked.query.id;
    return reply;
}

}  // namespace rqfs::tests
