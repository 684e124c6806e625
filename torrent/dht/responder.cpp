#include "torrent/dht/responder.h"

#include "torrent/net/address_policy.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kNodes = 8;          // BEP 5: k
constexpr std::size_t kListBytes = 20;     // key, length or brackets of a list beside its elements, at most
constexpr std::size_t kFilterBytes = 540;  // two filters with their keys
constexpr std::chrono::seconds kSampleInterval{21'600};  // BEP 51's longest: others need not ask us often

// "6:" and 6 bytes, or "18:" and 18.
std::size_t value_bytes(bool v6) { return v6 ? 21 : 8; }

std::optional<Responder::Answer> fitting(std::vector<std::byte> bytes, std::size_t room) {
    if (bytes.size() > room) return std::nullopt;
    return Responder::Answer{std::move(bytes)};
}

}  // namespace

std::vector<std::byte> Responder::fault(KrpcQuery const& query, KrpcFault code, std::string_view text) const {
    return encode_krpc(KrpcError{query.transaction, static_cast<int>(code), std::string(text), !anonymous_});
}

KrpcReply Responder::basic(KrpcQuery const& query, Endpoint const& from, Tables const& tables) const {
    KrpcReply reply;
    reply.transaction = query.transaction;
    reply.id = own_table(tables).own();
    reply.requester = from;
    reply.names_program = !anonymous_;
    return reply;
}

std::optional<Responder::Answer> Responder::answer(KrpcQuery const& query, Endpoint const& from, Tables const& tables,
                                                   std::size_t room, std::uint64_t random, TimePoint now) {
    if (query.fault == KrpcFault::method_unknown) return fitting(fault(query, *query.fault, "Method Unknown"), room);
    if (query.fault) return fitting(fault(query, *query.fault, "Protocol Error"), room);
    if (query.method == KrpcMethod::announce_peer) {
        auto done = announce(query, from, tables, now);
        if (done.bytes.size() > room) return std::nullopt;
        return done;
    }
    auto reply = basic(query, from, tables);
    if (query.method != KrpcMethod::ping) {
        if (query.method == KrpcMethod::get_peers) reply.token = tokens_.make(from.address, query.target.info_hash());
        if (query.method == KrpcMethod::sample_infohashes) reply.samples = {kSampleInterval, 0, {}};
        auto const base = encode_krpc(reply).size();
        auto const left = room - std::min(room, base);
        bool const stored = query.method != KrpcMethod::find_node;
        // Half of scarce room is for what is stored here.
        auto const for_nodes = stored && store_.torrents() > 0 && room < limit::kDhtReplyBytes ? left / 2 : left;
        add_nodes(reply, query, tables, for_nodes, now);
        auto const used = encode_krpc(reply).size();
        if (stored) add_stored(reply, query, room - std::min(room, used), random, now);
    }
    return fitting(encode_krpc(reply), room);
}

void Responder::add_nodes(KrpcReply& reply, KrpcQuery const& query, Tables const& tables, std::size_t room,
                          TimePoint now) const {
    bool const unsaid = !query.want_v4 && !query.want_v6;
    for (bool const v6 : {v6_, !v6_}) {
        auto const* const table = v6 ? tables.v6 : tables.v4;
        bool const wanted = unsaid ? v6 == v6_ : v6 ? query.want_v6 : query.want_v4;
        if (!table || !wanted || room < kListBytes) continue;
        auto const count = std::min(kNodes, (room - kListBytes) / compact_node_bytes(v6));
        auto nodes = table->closest(query.target, count, false, now);
        room -= kListBytes + nodes.size() * compact_node_bytes(v6);
        (v6 ? reply.nodes6 : reply.nodes) = std::move(nodes);
    }
}

void Responder::add_stored(KrpcReply& reply, KrpcQuery const& query, std::size_t room, std::uint64_t random,
                           TimePoint now) const {
    if (reply.samples) {
        auto const fitting_samples = room < kListBytes ? 0 : (room - kListBytes) / InfoHash::kBytes;
        reply.samples->stored = static_cast<std::int64_t>(store_.torrents());
        reply.samples->samples = store_.sample(std::min(limit::kDhtSamplesSent, fitting_samples), random);
        return;
    }
    auto const info_hash = query.target.info_hash();
    if (query.scrape && room >= kFilterBytes) {
        if (auto const filters = store_.scrape(info_hash, now)) {
            reply.seeds = filters->seeds;
            reply.downloaders = filters->downloaders;
            room -= kFilterBytes;
        }
    }
    auto const fitting_values = room < kListBytes ? 0 : (room - kListBytes) / value_bytes(v6_);
    reply.values =
        store_.peers(info_hash, std::min(limit::kDhtValuesSent, fitting_values), query.no_seeds, random, now);
}

Responder::Answer Responder::announce(KrpcQuery const& query, Endpoint const& from, Tables const& tables,
                                      TimePoint now) {
    auto const info_hash = query.target.info_hash();
    if (!tokens_.valid(query.token, from.address, info_hash))
        return Answer{fault(query, KrpcFault::protocol, "Bad token"), false};
    Endpoint const peer{from.address, query.implied_port ? from.port : query.port};
    // What nobody would dial is not told to anybody either.
    if (!may_dial(peer, AddressSource::dht, test_network_))
        return Answer{fault(query, KrpcFault::protocol, "Address not accepted"), true};
    if (!store_.announce(own_table(tables).own(), info_hash, peer, query.seed, now))
        return Answer{fault(query, KrpcFault::server, "No room"), true};
    return Answer{encode_krpc(basic(query, from, tables)), true};
}

}  // namespace rqfs::torrent
