#include "torrent/dht/dht_node.h"
#include "torrent/settings.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kStartNodes = 64;  // not all are asked: where many lie, and far around nobody else, some do not
constexpr std::size_t kFewNodes = 32;    // with fewer, in a young table or among liars, the routers are asked too
constexpr std::uint32_t kSilence = 16;   // so many in a row: twice k
constexpr std::size_t kTurn = 16;        // queries: with less room lookups take turns

}  // namespace

DhtNode::SearchId DhtNode::search(Search search) {
    Run run{Lookup(NodeId(search.info_hash), !options_.test_network), true, std::move(search)};
    run.lookup.seek_peers();
    return begin(std::move(run));
}

void DhtNode::cancel(SearchId id) { lookups_.erase(id); }

void DhtNode::hurry(SearchId id) {
    auto const run = lookups_.find(id);
    if (run != lookups_.end()) run->second.search.waited_for = network_.clock.now();
}

void DhtNode::bootstrap(std::vector<NodeContact> const& saved, std::vector<Endpoint> const& routers) {
    for (auto const& router : routers)
        if (router.address.is_v6() == options_.v6) routers_.insert(router);
    Run run{Lookup(table_.own(), !options_.test_network), false, {}};
    std::vector<NodeContact> mine;
    for (auto const& node : saved)
        if (node.endpoint.address.is_v6() == options_.v6 && usable(node.endpoint)) mine.push_back(node);
    run.lookup.start_with(mine);
    begin(std::move(run));
}

DhtNode::SearchId DhtNode::begin(Run run) {
    auto const nodes = table_.closest(run.lookup.target(), kStartNodes, true, network_.clock.now());
    run.lookup.expect_nodes(table_.estimated_nodes(network_.clock.now()));
    run.lookup.start_with(nodes);
    if (hears_nobody()) run.lookup.start_with(table_.longest_unasked(kStartNodes));
    if (nodes.size() < kFewNodes || hears_nobody())
        for (auto const& router : routers_) run.lookup.start_with(router);
    auto const id = ++last_lookup_;
    lookups_.emplace(id, std::move(run));
    tasks_.spawn(begin_later(id));
    return id;
}

// Whoever searches learns the id before anything of the search.
boost::asio::awaitable<void> DhtNode::begin_later(SearchId id) {
    advance(id);
    watch();
    co_return;
}

void DhtNode::lookup_replied(SearchId id, KrpcReply& reply, Endpoint const& from) {
    auto const found = lookups_.find(id);
    if (found == lookups_.end()) return;
    auto& run = found->second;
    auto const nodes = usable(options_.v6 ? reply.nodes6 : reply.nodes);
    if (!run.lookup.replied({reply.id, from}, nodes, reply.token.value_or(""), network_.clock.now())) {
        advance_in_turn(id);
        return;
    }
    std::vector<Endpoint> fresh;
    for (auto const& peer : reply.values)
        if (run.for_peers && run.peers.size() < limit::kDhtLookupPeers && run.peers.insert(peer).second)
            fresh.push_back(peer);
    if (!run.for_peers) ping_welcome(nodes);
    run.lookup.told(from, reply.values);
    if (!fresh.empty() && run.search.on_peers) {
        auto const on_peers = run.search.on_peers;  // it may cancel the search
        on_peers(fresh);
    }
    advance_in_turn(id);
}

// Where little may be sent it goes to whom advance_all() has first, not to who was answered last.
void DhtNode::advance_in_turn(SearchId id) {
    auto const found = lookups_.find(id);
    if (found != lookups_.end() && room(found->second.purpose()) >= kTurn) advance(id);
}

// First the searches that somebody waits for, of these the latest; of the others the oldest.
void DhtNode::advance_all() {
    std::vector<std::pair<TimePoint, SearchId>> waited_for;
    std::vector<SearchId> others;
    for (auto const& [id, run] : lookups_)
        if (run.search.waited_for)
            waited_for.emplace_back(*run.search.waited_for, id);
        else
            others.push_back(id);
    std::sort(waited_for.rbegin(), waited_for.rend());
    for (auto const& [since, id] : waited_for) advance(id);
    for (auto const id : others) advance(id);
}

void DhtNode::advance(SearchId id) {
    auto const found = lookups_.find(id);
    if (found == lookups_.end()) return;
    auto& run = found->second;
    if (!run.announcing) {
        ask_next(id, run);
        if (!run.lookup.finished()) return;
        run.announcing = true;
        if (run.for_peers && run.search.announce) run.to_announce = run.lookup.closest();
        std::erase_if(run.to_announce, [](auto const& each) { return each.token.empty(); });
    }
    announce(run);
    if (run.to_announce.empty()) end(id);
}

// Only as many as can be sent: whom a lookup has named counts as asked.
void DhtNode::ask_next(SearchId id, Run& run) {
    for (auto const& node : run.lookup.next(network_.clock.now(), room(run.purpose()))) {
        KrpcQuery query;
        query.method = run.for_peers ? KrpcMethod::get_peers : KrpcMethod::find_node;
        query.target = run.lookup.target();
        Query about;
        about.lookup = id;
        about.purpose = run.purpose();
        about.target = query.target;
        [[maybe_unused]] bool const sent = ask(node.endpoint, std::move(query), std::move(about));
        assert(sent);
    }
}

void DhtNode::end(SearchId id) {
    auto const node = lookups_.extract(id);
    auto const& run = node.mapped();
    if (run.search.on_end) run.search.on_end(run.lookup.replies(), run.announces);
}

// To the nearest first; what cannot be sent now is sent later.
void DhtNode::announce(Run& run) {
    auto each = run.to_announce.begin();
    for (; each != run.to_announce.end() && room(run.purpose()) > 0; ++each, ++run.announces) {
        KrpcQuery query;
        query.method = KrpcMethod::announce_peer;
        query.target = run.lookup.target();
        query.token = each->token;
        query.port = *run.search.announce;
        query.seed = run.search.seed;
        Query about;
        about.announce = true;
        about.purpose = run.purpose();
        about.target = query.target;
        ask(each->node.endpoint, std::move(query), std::move(about));
    }
    run.to_announce.erase(run.to_announce.begin(), each);
}

bool DhtNode::hears_nobody() const { return silence_ >= kSilence || !table_.has_good(network_.clock.now()); }

void DhtNode::heard_again() {
    table_.forgive(heard_);
    looked_around_ = TimePoint{};
    if (options_.on_contact) options_.on_contact();
}

void DhtNode::query_failed(Query const& query) {
    auto const now = network_.clock.now();
    // Whoever never answered may be somebody's invention.
    if (table_.state(query.to, now)) ++silence_;
    table_.failed(query.to, now, silence_ >= kSilence);
    if (options_.on_failed && !hears_nobody()) options_.on_failed(query.to);
    auto const run = lookups_.find(query.lookup);
    if (run != lookups_.end()) run->second.lookup.failed(query.to);
}

}  // namespace rqfs::torrent
