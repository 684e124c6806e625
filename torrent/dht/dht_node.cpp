#include "torrent/dht/dht_node.h"

#include "torrent/address_network.h"
#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/placeholder_address.h"
#include "torrent/settings.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <utility>
#include <variant>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kPingsInFlight = 8;      // to nodes that we only heard of
constexpr std::chrono::minutes kPingAgain{1};  // to a household, whose addresses may all be made up
constexpr std::size_t kPingsRemembered = 256;

std::string transaction_of(std::uint32_t number) { return {reinterpret_cast<char const*>(&number), sizeof number}; }

}  // namespace

DhtNode::DhtNode(Network network, Options options)
    : network_(std::move(network)),
      options_(std::move(options)),
      table_(options_.id, !options_.test_network),
      responder_(options_.v6, options_.test_network, options_.random.number<Tokens::Secret>(), network_.clock.now(),
                 options_.anonymous),
      vote_(!options_.test_network),
      pinged_(kPingsRemembered),
      tasks_(network_.executor, options_.v6 ? "DHT IPv6" : "DHT IPv4") {
    for (auto const& local : network_.socket.local())
        if (local.address.is_v6() == options_.v6 && is_secure(options_.id, local.address)) vote_.assume(local.address);
}

bool DhtNode::datagram(Endpoint const& from, std::span<std::byte const> bytes) {
    received_bytes_ += bytes.size();
    if (from.port == 0 || bytes.size() > limit::kDhtDatagramBytes || refuses(from)) return false;
    auto const now = network_.clock.now();
    auto const admitted = [&] { return limits_.admit(from.address, bytes.size(), now); };
    // Of whom nobody waits for it is limited before it costs anything; of others the answer alone is free.
    bool const awaited = awaits_reply(from);
    if (!awaited && !admitted()) return false;
    auto message = parse_krpc(bytes);
    if (awaited && message && handle(*message, from)) return true;
    if (awaited && !admitted()) return false;
    if (message && std::holds_alternative<KrpcQuery>(*message)) answer(std::get<KrpcQuery>(*message), from);
    return true;
}

// Whether it is the answer to a query of ours.
bool DhtNode::handle(KrpcMessage& message, Endpoint const& from) {
    if (auto* const reply = std::get_if<KrpcReply>(&message)) {
        auto const query = take_query(reply->transaction, from);
        if (query) replied(*query, *reply, from);
        return query.has_value();
    }
    if (auto* const error = std::get_if<KrpcError>(&message)) {
        auto const query = take_query(error->transaction, from);
        if (query) refused(*query, *error, from);
        return query.has_value();
    }
    return false;
}

void DhtNode::answer(KrpcQuery const& query, Endpoint const& from) {
    if (options_.read_only || query.id == table_.own()) return;
    auto const now = network_.clock.now();
    auto const* const other = sibling_ ? &sibling_->table_ : nullptr;
    Responder::Tables const tables{options_.v6 ? other : &table_, options_.v6 ? &table_ : other};
    auto const reply =
        responder_.answer(query, from, tables, limits_.room(from.address, now), options_.random.number<std::uint64_t>(), now);
    if (reply) {
        if (reply->proves_address) limits_.proved(from.address, now);
        limits_.sent(from.address, reply->bytes.size(), now);
        sent_bytes_ += reply->bytes.size();
        network_.socket.send(from, reply->bytes);
    }
    if (query.read_only || query.fault) return;
    NodeContact const contact{query.id, from};
    table_.queried(contact, now);
    if (usable(from)) ping_welcome({contact});
}

bool DhtNode::awaits_reply(Endpoint const& from) const {
    return std::any_of(in_flight_.begin(), in_flight_.end(),
                       [&](auto const& each) { return may_answer_for(from, each.second.to); });
}

std::optional<DhtNode::Query> DhtNode::take_query(std::string const& transaction, Endpoint const& from) {
    std::uint32_t number = 0;
    if (transaction.size() != sizeof number) return std::nullopt;
    std::memcpy(&number, transaction.data(), sizeof number);
    auto const found = in_flight_.find(number);
    if (found == in_flight_.end() || !may_answer_for(from, found->second.to)) return std::nullopt;
    auto query = found->second;
    in_flight_.erase(found);
    return query;
}

void DhtNode::replied(Query const& query, KrpcReply& reply, Endpoint const& sender) {
    auto const& from = query.to;  // a router that is known by name alone answers from an address of its own
    auto const now = network_.clock.now();
    limits_.proved(sender.address, now);
    if (reply.id == table_.own()) {
        query_failed(query);
        return;
    }
    if (reply.requester) learn_address(sender, *reply.requester);
    bool const deaf = hears_nobody();
    silence_ = 0;
    if (!routers_.contains(from) || table_.state(from, now)) table_.replied({reply.id, from}, now);
    if (query.target) table_.refreshed(*query.target, now);
    if (query.lookup != 0)
        lookup_replied(query.lookup, reply, from);
    else
        ping_welcome(usable(options_.v6 ? reply.nodes6 : reply.nodes));
    if (query.both_families) sibling_->ping_welcome(sibling_->usable(options_.v6 ? reply.nodes : reply.nodes6));
    if (deaf && !hears_nobody()) heard_again();
    heard_ = now;
}

void DhtNode::refused(Query const& query, KrpcError const& error, Endpoint const& sender) {
    auto const& from = query.to;
    auto const now = network_.clock.now();
    limits_.proved(sender.address, now);
    log().debug("DHT node refuses node={} code={}", from.text(), error.code);
    // Of no more use than a silent one; our line is up, though. Some only take no announcements.
    if (!query.announce) {
        table_.failed(from, now);
        if (options_.on_failed) options_.on_failed(from);
    }
    auto const run = lookups_.find(query.lookup);
    if (run == lookups_.end()) return;
    run->second.lookup.failed(from);
    advance_in_turn(query.lookup);
}

// False when there is no room for more queries now.
bool DhtNode::ask(Endpoint const& to, KrpcQuery query, Query about) {
    if (room(about.purpose) == 0) return false;
    auto number = options_.random.number<std::uint32_t>();
    while (in_flight_.contains(number)) number = options_.random.number<std::uint32_t>();
    query.transaction = transaction_of(number);
    query.id = table_.own();
    query.read_only = options_.read_only;
    query.names_program = !options_.anonymous;
    auto const now = network_.clock.now();
    if (about.target && !about.announce && wants_both_families())
        about.both_families = query.want_v4 = query.want_v6 = true;
    about.to = to;
    about.sent = now;
    auto const bytes = encode_krpc(query);
    budget_.sent(about.purpose, bytes.size(), now);
    in_flight_.emplace(number, std::move(about));
    sent_bytes_ += bytes.size();
    if (!refuses(to)) network_.socket.send(to, bytes);  // who came onto a list later: as a node that has gone silent
    watch();
    return true;
}

void DhtNode::ping(Endpoint const& to) {
    auto const now = network_.clock.now();
    auto& last = pinged_.touch(household_of(to.address), TimePoint{});
    if (last != TimePoint{} && now - last < kPingAgain && !options_.test_network) return;
    if (ask(to, KrpcQuery{}, Query{})) last = now;
}

// Only who answers gets into the table; whoever would get a place is asked.
void DhtNode::ping_welcome(std::vector<NodeContact> const& nodes) {
    auto const now = network_.clock.now();
    for (auto const& node : nodes) {
        auto const pings = std::count_if(in_flight_.begin(), in_flight_.end(), [](auto const& each) {
            return each.second.lookup == 0 && !each.second.target;
        });
        if (static_cast<std::size_t>(pings) >= kPingsInFlight) return;
        if (table_.welcome(node, now) && !awaits_reply(node.endpoint)) ping(node.endpoint);
    }
}

void DhtNode::add_node(Endpoint const& endpoint) {
    if (endpoint.address.is_v6() == options_.v6 && usable(endpoint) && !table_.state(endpoint, network_.clock.now()))
        ping(endpoint);
}

bool DhtNode::refuses(Endpoint const& endpoint) const {
    return options_.refuses && options_.refuses(endpoint.address);
}

bool DhtNode::usable(Endpoint const& endpoint) const {
    if (vote_.winner() == endpoint.address && !options_.test_network) return false;  // ourselves
    return may_dial(endpoint, AddressSource::dht, options_.test_network) && !refuses(endpoint);
}

std::vector<NodeContact> DhtNode::usable(std::optional<std::vector<NodeContact>> const& told) const {
    std::vector<NodeContact> nodes;
    if (!told) return nodes;
    for (auto const& node : *told)
        if (node.id != table_.own() && usable(node.endpoint)) nodes.push_back(node);
    return nodes;
}

// Our id follows from the address that others see, once enough agree on it (BEP 42).
void DhtNode::learn_address(Endpoint const& voter, Endpoint const& us) {
    if (us.address.is_v6() != options_.v6) return;
    auto const decided = vote_.vote(voter.address, us.address, network_.clock.now());
    if (!decided) return;
    live_at(*decided);
    if (options_.on_address) options_.on_address(*decided);
}

void DhtNode::external_address(Address const& address) {
    if (vote_.voted()) return;
    vote_.assume(address);
    live_at(address);
}

void DhtNode::live_at(Address const& address) {
    if (is_secure(table_.own(), address)) return;
    table_.change_own(secure_node_id(address, options_.random.id()), network_.clock.now());
    log().debug("DHT node has a new id address={} id={}", address.text(), table_.own().hex());
    looked_around_ = TimePoint{};
}

}  // namespace rqfs::torrent
