#include "tests/fuzz/dht/dht_model.h"

#include "tests/fuzz/dht/world.h"
#include "tests/fuzz/require.h"
#include "torrent/address_network.h"
#include "torrent/dht/dht_node.h"
#include "torrent/net/address_policy.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <variant>

namespace rqfs::tests {

using namespace torrent;
using namespace std::chrono_literals;

namespace {

constexpr Duration kAnswerTime = limit::kDhtQueryTimeout + 1s;  // late ones are noticed within a second
constexpr Duration kTokenLife = 11min;
constexpr Duration kTokenGood = limit::kDhtTokenSecretLife;  // at least
constexpr double kOverdraft = 512;                           // announcements are longer than reckoned
constexpr double kCredit = 3'000;                            // of an address that has proven nothing
constexpr double kCreditPerSecond = 10;
constexpr double kAnswerBytesPerByte = 1.4;
constexpr Duration kPingAgain = 1min;
constexpr std::size_t kPingsRemembered = 256;
constexpr std::size_t kOtherLookups = 16;  // for nodes, beside those for peers

Endpoint announced_by(Endpoint const& from, KrpcQuery const& query) {
    return {from.address, query.implied_port ? from.port : query.port};
}

bool usable(Endpoint const& endpoint) {
    return may_dial(endpoint, AddressSource::dht, false) && endpoint.address != refused_address();
}

}  // namespace

void DhtModel::Level::add(double more, double per_second, double burst, TimePoint now, char const* what) {
    bytes = std::max(0.0, bytes - std::chrono::duration<double>(now - at).count() * per_second) + more;
    at = now;
    require(bytes <= burst + 1, what);
}

void DhtModel::search_ends(InfoHash const& info_hash) {
    auto const found = searches_.find(info_hash);
    if (--found->second == 0) searches_.erase(found);
}

std::string DhtModel::token(Address const& address, InfoHash const& info_hash) const {
    std::string latest;
    TimePoint when{};
    for (auto each = tokens_.lower_bound({address, info_hash, {}}); each != tokens_.end(); ++each) {
        auto const& [to, about, text] = each->first;
        if (to != address || about != info_hash) break;
        if (each->second >= when) latest = text;
        when = std::max(when, each->second);
    }
    return latest;
}

void DhtModel::comes(Endpoint const& from, std::string const& bytes, TimePoint now) {
    strangers_.try_emplace(household_of(from.address), Stranger{}).first->second.in +=
        static_cast<double>(bytes.size());
    auto const message = parse_krpc(std::as_bytes(std::span(bytes)));
    if (!message) return;
    if (auto const* const query = std::get_if<KrpcQuery>(&*message)) {
        to_answer_[{from, query->transaction}].push_back(*query);
        heard_of_.insert(from);
        if (!tokens_.contains({from.address, query->target.info_hash(), query->token})) return;
        proven_.insert(from.address);
        // Stored perhaps, even if there is no room for the answer.
        if (query->method == KrpcMethod::announce_peer)
            announced_[{query->target.info_hash(), announced_by(from, *query)}] = now;
    } else {
        came_in_answer(from, *message, now);
    }
}

void DhtModel::came_in_answer(Endpoint const& from, KrpcMessage const& message, TimePoint now) {
    auto const* const reply = std::get_if<KrpcReply>(&message);
    auto const& transaction = reply ? reply->transaction : std::get<KrpcError>(message).transaction;
    auto const found = std::find_if(asked_.begin(), asked_.end(), [&](Asked const& each) {
        return each.to == from && each.query.transaction == transaction && now - each.sent <= kAnswerTime;
    });
    if (found == asked_.end()) return;
    asked_.erase(found);
    proven_.insert(from.address);
    if (!reply) return;
    answered_us_[from].insert(reply->id);
    for (auto const* const nodes : {&reply->nodes, &reply->nodes6})
        for (auto const& node : nodes->value_or(std::vector<NodeContact>())) heard_of_.insert(node.endpoint);
}

std::optional<KrpcQuery> DhtModel::leaves(Endpoint const& to, std::span<std::byte const> bytes, TimePoint now) {
    require(to.port != 0 && to.address != refused_address(), "nothing goes to whom we keep away from");
    auto const message = parse_krpc(bytes);
    require(message.has_value(), "others can read what we send");
    auto const* const query = std::get_if<KrpcQuery>(&*message);
    if (query == nullptr) {
        answers(to, *message, bytes.size(), now);
        return std::nullopt;
    }
    asks(to, *query, bytes.size(), now);
    return *query;
}

void DhtModel::asks(Endpoint const& to, KrpcQuery const& query, std::size_t bytes, TimePoint now) {
    constexpr double kRate =
        limit::kDhtQueryBytesPerSecond + limit::kDhtUrgentBytesPerSecond + limit::kDhtUpkeepBytesPerSecond;
    queries_[to.address.is_v6()].add(static_cast<double>(bytes), kRate, 2 * kRate + kOverdraft, now,
                                     "queries keep to their bytes a second");
    require(!query.fault && query.method != KrpcMethod::unknown, "our queries are right");
    require(query.read_only == read_only_, "a read-only node says so");
    require(usable(to), "only vetted addresses are asked");
    require(heard_of_.contains(to), "nobody is asked of whom nobody told");
    if (query.method == KrpcMethod::ping) pings(to.address, now);
    bool const of_torrent = query.method == KrpcMethod::get_peers || query.method == KrpcMethod::announce_peer;
    require(!of_torrent || searches_.contains(query.target.info_hash()), "only what is searched for is asked for");
    std::erase_if(asked_, [&](Asked const& each) { return now - each.sent > kAnswerTime; });
    require(std::none_of(asked_.begin(), asked_.end(),
                         [&](Asked const& each) { return each.query.transaction == query.transaction; }),
            "no two queries that wait have one transaction");
    asked_.push_back({to, query, now});
}

// So that who asks in somebody else's name makes us no louder than he is; who has answered is pinged when it is due.
void DhtModel::pings(Address const& to, TimePoint now) {
    auto const before = pinged_.find(to);
    bool const forgotten = pinged_.size() > kPingsRemembered;
    require(proven_.contains(to) || forgotten || before == pinged_.end() || now - before->second >= kPingAgain,
            "an address that has proven nothing is pinged once a minute");
    pinged_[to] = now;
}

void DhtModel::answers(Endpoint const& to, KrpcMessage const& answer, std::size_t bytes, TimePoint now) {
    constexpr double kRate = limit::kDhtAnswerBytesPerSecond;
    answers_[to.address.is_v6()].add(static_cast<double>(bytes), kRate, 2 * kRate, now,
                                     "answers keep to their bytes a second");
    require(!read_only_, "a read-only node answers nobody");
    require(bytes <= limit::kDhtReplyBytes, "answers are short");
    auto const* const reply = std::get_if<KrpcReply>(&answer);
    auto const asked = to_answer_.find({to, reply ? reply->transaction : std::get<KrpcError>(answer).transaction});
    require(asked != to_answer_.end() && !asked->second.empty(), "only who asks is answered, once");
    auto const query = asked->second.front();
    asked->second.erase(asked->second.begin());
    amplifies(to.address, static_cast<double>(bytes), now);
    require(!reply || !query.fault, "a wrong query gets an error");
    if (query.fault) return;
    if (query.method == KrpcMethod::announce_peer)
        answered_announcement(to, query, reply != nullptr, now);
    else if (reply)
        answered_question(to, query, *reply, now);
}

// What is remembered of strangers is limited: in a crowd of them a household may begin anew.
void DhtModel::amplifies(Address const& to, double bytes, TimePoint now) {
    if (proven_.contains(to)) return;
    auto& stranger = strangers_.at(household_of(to));
    stranger.out += bytes;
    if (strangers_.size() > limit::kDhtAddressesRemembered) return;
    auto const seconds = std::chrono::duration<double>(now - began_).count();
    require(stranger.out <= kAnswerBytesPerByte * stranger.in + kCredit + kCreditPerSecond * seconds + 1,
            "nobody's household draws more than it sends");
}

void DhtModel::answered_announcement(Endpoint const& to, KrpcQuery const& query, bool accepted, TimePoint now) {
    auto const info_hash = query.target.info_hash();
    auto const given = tokens_.find({to.address, info_hash, query.token});
    auto const peer = announced_by(to, query);
    if (!accepted) {
        bool const fresh = given != tokens_.end() && now - given->second < kTokenGood;
        bool const room = announced_.size() < limit::kDhtStoredHashes;
        require(!fresh || !room || !may_dial(peer, AddressSource::dht, false), "a fresh token is good");
        return;
    }
    require(given != tokens_.end(), "nobody announces without a token of his own");
    require(now - given->second < kTokenLife, "old tokens are refused");
    require(may_dial(peer, AddressSource::dht, false), "only peers that may be dialled are stored");
}

void DhtModel::answered_question(Endpoint const& to, KrpcQuery const& query, KrpcReply const& reply, TimePoint now) {
    auto const info_hash = query.target.info_hash();
    if (reply.token) tokens_[{to.address, info_hash, *reply.token}] = now;
    require(!reply.token || query.method == KrpcMethod::get_peers, "tokens are for who asks for peers");
    for (auto const* const nodes : {&reply.nodes, &reply.nodes6})
        for (auto const& node : nodes->value_or(std::vector<NodeContact>())) {
            auto const known = answered_us_.find(node.endpoint);
            require(known != answered_us_.end() && known->second.contains(node.id), "only who answered us is told of");
        }
    for (auto const& peer : reply.values) {
        auto const found = announced_.find({info_hash, peer});
        require(found != announced_.end() && may_dial(peer, AddressSource::dht, false) &&
                    now - found->second <= limit::kDhtPeerLife + 1s,
                "only who announced is told of, for half an hour");
    }
}

void DhtModel::settled() { to_answer_.clear(); }

void DhtModel::check(Dht const& dht, TimePoint now) {
    for (auto const& status : dht.status()) {
        require(status.queries_in_flight <=
                    limit::kDhtQueriesInFlight + limit::kDhtUrgentInFlight + limit::kDhtUpkeepInFlight,
                "queries in flight are limited");
        require(status.lookups <= limit::kDhtLookups + limit::kDhtUrgentLookups + kOtherLookups, "lookups are limited");
        require(status.stored_torrents <= limit::kDhtStoredHashes, "stored torrents are limited");
        require(status.stored_peers <= status.stored_torrents * limit::kDhtStoredPeers, "stored peers are limited");
        require(status.stored_peers <= announced_.size(), "only what was announced is stored");
    }
    for (auto const& node : dht.nodes()) check_table(*node, now);
}

void DhtModel::check_table(DhtNode const& node, TimePoint now) const {
    auto const& table = node.table();
    std::size_t nodes = 0;
    for (std::size_t i = 0; i < table.buckets(); ++i) {
        auto const bucket = table.bucket(i);
        require(bucket.nodes <= bucket.most_nodes, "no bucket is over its size");
        require(bucket.replacements <= 8, "replacements are limited");
        require(bucket.refreshed <= now, "nothing was refreshed in the future");
        nodes += bucket.nodes;
    }
    auto const counts = table.counts(now);
    require(counts.good + counts.questionable + counts.bad == nodes, "each node is in one state");
    auto const all = table.to_save(nodes);
    std::set<Address> addresses;
    std::map<Address, std::size_t> networks;
    for (auto const& each : all) {
        auto const known = answered_us_.find(each.endpoint);
        require(known != answered_us_.end() && known->second.contains(each.id), "only who answered us is in the table");
        require(each.id != table.own(), "we are not in our own table");
        require(addresses.insert(each.endpoint.address).second, "an address has one node");
        require(++networks[network_of(each.endpoint.address)] <= limit::kDhtNodesPerNetwork, "a network has few nodes");
        require(table.state(each.endpoint, now).has_value(), "each node is found by its endpoint");
    }
    require(all.size() == nodes, "all nodes can be saved");
}

}  // namespace rqfs::tests
