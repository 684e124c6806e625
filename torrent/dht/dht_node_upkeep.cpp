#include "torrent/dht/dht_node.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr Duration kShortestUpkeep = 1s;  // one check a second keeps a table of 400 nodes twice over
constexpr Duration kLongestUpkeep = 30s;
constexpr Duration kLookAround = 15min;    // for the nodes nearest to us
constexpr Duration kWatchLookups = 100ms;  // a third of a lookup's least patience
constexpr Duration kWatchOthers = 1s;
constexpr Duration kFirstWant = 1s;  // between queries that want the other family's nodes too (BEP 32)
constexpr Duration kLastWant = 5min;

}  // namespace

void DhtNode::start(DhtNode* sibling) {
    sibling_ = sibling;
    tasks_.spawn(upkeep());
}

asio::awaitable<void> DhtNode::stop() {
    co_await tasks_.stop();
    lookups_.clear();
    in_flight_.clear();
}

asio::awaitable<void> DhtNode::upkeep() {
    for (;;) {
        co_await network_.clock.sleep(until_upkeep());
        auto const now = network_.clock.now();
        if (responder_.tokens().is_old(now)) {
            responder_.tokens().rotate(options_.random.number<Tokens::Secret>(), now);
            responder_.store().expire(now);
        }
        look_around();
        check_a_node();
    }
}

Duration DhtNode::until_upkeep() const {
    auto const now = network_.clock.now();
    auto const next = table_.next_check_time();
    if (next <= now) return kShortestUpkeep;
    return std::clamp(Duration(next - now), kShortestUpkeep, kLongestUpkeep);
}

void DhtNode::look_around() {
    auto const now = network_.clock.now();
    if (table_.empty() || (looked_around_ != TimePoint{} && now - looked_around_ < kLookAround)) return;
    looked_around_ = now;
    begin(Run{Lookup(table_.own(), !options_.test_network), false, {}});
}

// Now and then while the other family knows too few: less and less often, for it may have no network at all.
bool DhtNode::wants_both_families() {
    auto const now = network_.clock.now();
    if (!sibling_) return false;
    if (sibling_->table_.counts(now).good >= limit::kDhtEnoughNodes) {
        want_pause_ = kFirstWant;
        return false;
    }
    if (now < next_want_) return false;
    next_want_ = now + want_pause_;
    want_pause_ = std::clamp(want_pause_ * 2, kFirstWant, kLastWant);
    return true;
}

void DhtNode::check_a_node() {
    if (room(QueryPurpose::upkeep) == 0) return;
    auto const check = table_.next_check(options_.random.id(), network_.clock.now());
    if (!check) return;
    KrpcQuery query;
    Query about;
    about.purpose = QueryPurpose::upkeep;
    if (check->find) {
        query.method = KrpcMethod::find_node;
        query.target = *check->find;
        about.target = check->find;
    }
    ask(check->node.endpoint, std::move(query), std::move(about));
}

void DhtNode::watch() {
    if (watching_) return;
    watching_ = true;
    tasks_.spawn(watch_queries());
}

// Runs while queries are in flight or lookups under way.
asio::awaitable<void> DhtNode::watch_queries() {
    while (!in_flight_.empty() || !lookups_.empty()) {
        co_await network_.clock.sleep(lookups_.empty() ? kWatchOthers : kWatchLookups);
        auto const now = network_.clock.now();
        std::vector<Query> late;
        for (auto each = in_flight_.begin(); each != in_flight_.end();) {
            bool const over = now - each->second.sent >= limit::kDhtQueryTimeout;
            if (over) late.push_back(std::move(each->second));
            each = over ? in_flight_.erase(each) : std::next(each);
        }
        for (auto const& query : late) query_failed(query);
        advance_all();
    }
    watching_ = false;
}

DhtStatus DhtNode::status() const {
    auto const now = network_.clock.now();
    auto const counts = table_.counts(now);
    DhtStatus status;
    status.v6 = options_.v6;
    status.id = table_.own().hex();
    status.external = vote_.winner();
    status.read_only = options_.read_only;
    status.connected = counts.good > 0;
    status.good = static_cast<std::uint32_t>(counts.good);
    status.questionable = static_cast<std::uint32_t>(counts.questionable);
    status.bad = static_cast<std::uint32_t>(counts.bad);
    status.replacements = static_cast<std::uint32_t>(counts.replacements);
    status.buckets = static_cast<std::uint32_t>(table_.buckets());
    status.lookups = static_cast<std::uint32_t>(lookups_.size());
    status.queries_in_flight = static_cast<std::uint32_t>(in_flight_.size());
    status.stored_torrents = static_cast<std::uint32_t>(responder_.store().torrents());
    status.stored_peers = static_cast<std::uint32_t>(responder_.store().peers());
    status.received_bytes = received_bytes_;
    status.sent_bytes = sent_bytes_;
    return status;
}

}  // namespace rqfs::torrent
