// What strangers send to the Dht of a DhtSession.
#include "tests/fuzz/dht/dht_session.h"
#include "tests/fuzz/require.h"
#include "torrent/dht/dht_node.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <tuple>
#include <utility>

namespace rqfs::tests {

using namespace torrent;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kLiving = 150;  // nodes that others know

template <class Message>
std::string encoded(Message const& message) {
    auto const bytes = encode_krpc(message);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// All that it says of itself but how much has come.
auto look_of(Dht const& dht) {
    std::vector<std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t,
                           std::uint32_t, std::uint64_t>>
        look;
    for (auto const& each : dht.status())
        look.emplace_back(each.id, each.good, each.questionable, each.bad, each.replacements, each.lookups,
                          each.queries_in_flight, each.sent_bytes);
    return look;
}

}  // namespace

KrpcQuery DhtSession::make_query(std::uint8_t kind, Endpoint const& from, std::uint8_t about) {
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
    query.token = model_->token(whose, query.target.info_hash());
    return query;
}

void DhtSession::query() {
    auto const kind = input_.next();
    auto const from = place(input_.next());
    inject(from, encoded(make_query(kind, from, input_.next())));
}

// Many at once, from hardly any address twice; who announces has asked for a token before.
void DhtSession::crowd() {
    auto const kind = input_.next();
    auto const count = 1 + input_.next() * 2u;
    auto const about = input_.next();
    auto const who = input_.next() * 4'096u;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto const from = crowd_place(who + i);
        auto const varied = static_cast<std::uint8_t>((about & 1) != 0 ? about + i * 8 : about);
        if (kind % 5 == 3) {
            inject(from, encoded(make_query(2, from, varied)));
            pass(20ms);
        }
        auto query = make_query(kind, from, varied & 0xf7);
        if ((kind & 128) != 0) query.target = any_id(random_);
        inject(from, encoded(query));
        pass(kind % 5 == 3 ? 0ms : 1ms);
        model_->settled();
    }
}

std::optional<DhtModel::Asked> DhtSession::pick_asked() {
    auto const& asked = model_->asked();
    auto const which = input_.next();
    if (asked.empty()) return std::nullopt;
    return asked[which % asked.size()];
}

void DhtSession::add_nodes(KrpcReply& reply, bool invented) {
    for (int i = 0; i < 8; ++i) {
        auto const at = crowd_place(static_cast<std::uint32_t>(invented ? random_() : random_() % kLiving));
        reply.nodes->push_back({node_id_at(at, invented ? static_cast<std::uint8_t>(random_() & 0xff) : 0), at});
        auto const at6 = place(static_cast<std::uint8_t>(128 + random_() % 64));
        reply.nodes6->push_back({node_id_at(at6, 0), at6});
    }
}

KrpcReply DhtSession::make_reply(DhtModel::Asked const& asked, std::uint8_t how) {
    KrpcReply reply;
    reply.transaction = asked.query.transaction;
    reply.id = node_id_at(asked.to, 0);
    reply.token.emplace(how % 3 == 0 ? 0 : how % 64, 't');
    reply.requester = Endpoint{own_address(asked.to.address.is_v6()), 6881};
    reply.nodes.emplace();
    reply.nodes6.emplace();
    add_nodes(reply, (how & 4) != 0);
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

void DhtSession::reply() {
    auto const asked = pick_asked();
    auto const how = input_.next();
    if (asked) inject(asked->to, encoded(make_reply(*asked, how)));
}

void DhtSession::refuse() {
    auto const asked = pick_asked();
    if (asked) inject(asked->to, encoded(KrpcError{asked->query.transaction, 203, "no"}));
}

// Whoever answers what he was not asked is not heard: nothing changes.
void DhtSession::stray_reply() {
    auto const asked = pick_asked();
    auto const wrong = input_.next();
    if (!asked) return;
    auto reply = make_reply(*asked, wrong);
    auto from = asked->to;
    if (wrong % 3 == 0) reply.transaction.front() = static_cast<char>(reply.transaction.front() ^ 1);
    if (wrong % 3 == 1) ++from.port;
    if (wrong % 3 == 2) from = crowd_place(100'000);
    auto const knows = [&] {
        return std::any_of(model_->asked().begin(), model_->asked().end(), [&](auto const& each) {
            return each.to == from && each.query.transaction == reply.transaction;
        });
    };
    if (knows()) return;
    pass(0s);
    auto const before = look_of(*dht_);
    auto const told = told_;
    inject(from, encoded(reply));
    pass(0s);
    require(look_of(*dht_) == before && told_ == told, "an answer to nothing changes nothing");
}

void DhtSession::raw() {
    auto const from = place(input_.next());
    inject(from, input_.take(input_.next()));
}

void DhtSession::broken_reply() {
    auto const asked = pick_asked();
    auto const where = input_.next();
    auto const what = input_.next();
    if (!asked) return;
    auto bytes = encoded(make_reply(*asked, where));
    bytes[where * 3u % bytes.size()] = static_cast<char>(what);
    inject(asked->to, std::move(bytes));
}

// Everybody answers, half of them, with lies, refusing, as if they were we, with another transaction, too much.
void DhtSession::network(Endpoint const& to, KrpcQuery const& query) {
    if (mode_ == 0 || (mode_ == 2 && std::hash<Endpoint>()(to) % 2 == 0)) return;
    if (mode_ == 4) return inject(to, encoded(KrpcError{query.transaction, 202, "no"}));
    DhtModel::Asked const asked{to, query, clock_.now()};
    auto reply = make_reply(asked, mode_ == 3 ? 4 + 1 : 1);
    if (query.method == KrpcMethod::get_peers) reply.values = {place(static_cast<std::uint8_t>(random_() % 128))};
    if (mode_ == 5) reply.id = query.id;
    if (mode_ == 6) reply.transaction += 'x';
    if (mode_ == 7) reply.values.assign(120, place(1));
    inject(to, encoded(reply));
}

}  // namespace rqfs::tests
