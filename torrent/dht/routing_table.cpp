#include "torrent/dht/routing_table.h"

#include "torrent/address_network.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBucketNodes = 8;  // BEP 5: k
constexpr std::size_t kFirstBucketNodes =
    128;                                  // LT: 16, 8, 4, 2 times k in the first four; they save a lookup its first hop
constexpr auto kGoodFor = 15min;          // BEP 5
constexpr auto kCheckAfter = 12min;       // before it becomes questionable
constexpr auto kCheckAgain = 15s;         // after an unanswered query
constexpr auto kCheckBad = 5min;          // times the failures more than bad; our own line may have been down
constexpr std::uint8_t kBadFailures = 3;  // BEP 5: "multiple queries in a row"
constexpr std::uint8_t kGoneFailures = 10;  // LT 20
constexpr auto kRefreshFull = 12min;        // BEP 5: within 15
constexpr auto kRefreshOther = 3min;        // a bucket with room looks for more
constexpr auto kFirstRefresh = 15s;         // and doubled from there, for the first nodes of a bucket know few others

// How many leading bits the nodes in a part of a bucket share: 16, 8, 4, 2 parts in the first four.
unsigned common_in_part(std::size_t bucket) { return std::max(5u, static_cast<unsigned>(bucket) + 1); }

std::size_t capacity(std::size_t bucket) { return bucket >= 4 ? kBucketNodes : kFirstBucketNodes >> bucket; }

}  // namespace

RoutingTable::State RoutingTable::state_of(Node const& node, TimePoint now) {
    if (node.failures >= kBadFailures) return State::bad;
    if (node.failures > 0) return State::questionable;
    return std::max(node.replied, node.queried) + kGoodFor > now ? State::good : State::questionable;
}

TimePoint RoutingTable::check_time(Node const& node) {
    if (node.failures >= kBadFailures) return node.asked + kCheckBad * (node.failures - kBadFailures + 1);
    if (node.failures > 0) return node.asked + kCheckAgain;
    return std::max({node.replied + kCheckAfter, node.queried + kCheckAfter, node.asked + kCheckAgain});
}

Duration RoutingTable::refresh_interval(Bucket const& bucket, std::size_t most) {
    if (bucket.nodes.size() >= most) return kRefreshFull;
    auto const doublings = std::min(bucket.refreshes, 4u);
    return std::min<Duration>(kFirstRefresh * (1 << doublings), kRefreshOther);
}

TimePoint RoutingTable::refresh_time(Bucket const& bucket, std::size_t most) {
    return std::max<TimePoint>(bucket.refreshed + refresh_interval(bucket, most), bucket.tried + kCheckAgain);
}

std::size_t RoutingTable::bucket_of(NodeId const& id) const {
    return std::min<std::size_t>(common_bits(own_, id), buckets_.size() - 1);
}

RoutingTable::Node* RoutingTable::find(NodeContact const& contact) {
    auto& bucket = buckets_[bucket_of(contact.id)];
    for (auto* const list : {&bucket.nodes, &bucket.replacements})
        for (auto& node : *list)
            if (node.contact == contact) return &node;
    return nullptr;
}

// Whether the address or its network has enough nodes already.
bool RoutingTable::restricted(NodeContact const& contact) const {
    if (!restrict_) return by_endpoint_.contains(contact.endpoint);
    auto const& address = contact.endpoint.address;
    auto const same = by_endpoint_.lower_bound(Endpoint{address, 0});
    if (same != by_endpoint_.end() && same->first.address == address) return true;
    auto const network = network_of(address);
    auto const found = by_network_.find(network);
    if (found == by_network_.end()) return false;
    if (found->second >= limit::kDhtNodesPerNetwork) return true;
    auto const& bucket = buckets_[bucket_of(contact.id)];
    auto const there = [&](Node const& node) { return network_of(node.contact.endpoint.address) == network; };
    return std::any_of(bucket.nodes.begin(), bucket.nodes.end(), there) ||
           std::any_of(bucket.replacements.begin(), bucket.replacements.end(), there);
}

// Of a bucket that takes more than 8 each part of its range has 8 places: whoever sits around one torrent gets no more
// of them than in any other bucket.
bool RoutingTable::part_is_full(std::size_t index, NodeId const& id) const {
    auto const in_part = [&](Node const& node) { return common_bits(node.contact.id, id) >= common_in_part(index); };
    auto const& nodes = buckets_[index].nodes;
    return std::count_if(nodes.begin(), nodes.end(), in_part) >= static_cast<std::ptrdiff_t>(kBucketNodes);
}

bool RoutingTable::has_free_place(std::size_t index, NodeId const& id) const {
    return buckets_[index].nodes.size() < capacity(index) && !part_is_full(index, id);
}

bool RoutingTable::may_replace(std::size_t index, NodeId const& id, Node const& node) const {
    return common_bits(node.contact.id, id) >= common_in_part(index) || !part_is_full(index, id);
}

bool RoutingTable::has_place(std::size_t index, NodeContact const& contact, TimePoint now) const {
    auto const& nodes = buckets_[index].nodes;
    if (has_free_place(index, contact.id)) return true;
    if (index + 1 == buckets_.size() && buckets_.size() < NodeId::kBits) return true;  // it can be split
    bool const secure = is_secure(contact.id, contact.endpoint.address);
    return std::any_of(nodes.begin(), nodes.end(), [&](Node const& node) {
        return (state_of(node, now) == State::bad || (secure && !node.secure)) && may_replace(index, contact.id, node);
    });
}

bool RoutingTable::welcome(NodeContact const& node, TimePoint now) const {
    if (node.id == own_ || restricted(node)) return false;
    auto const index = bucket_of(node.id);
    auto const& bucket = buckets_[index];
    for (auto const* const list : {&bucket.nodes, &bucket.replacements})
        for (auto const& known : *list)
            if (known.contact.id == node.id) return false;
    return has_place(index, node, now);
}

void RoutingTable::replied(NodeContact const& contact, TimePoint now) {
    if (contact.id == own_) return;
    auto const known = by_endpoint_.find(contact.endpoint);
    if (known != by_endpoint_.end() && known->second != contact.id) {
        remove(NodeContact{known->second, contact.endpoint});
        return;
    }
    if (known != by_endpoint_.end()) {
        auto* const node = find(contact);
        node->replied = now;
        node->failures = 0;
        return;
    }
    auto const& bucket = buckets_[bucket_of(contact.id)];
    for (auto const* const list : {&bucket.nodes, &bucket.replacements})
        for (auto const& node : *list)
            if (node.contact.id == contact.id) return;  // the first that had this id keeps it
    if (restricted(contact)) return;
    insert(Node{contact, now, TimePoint{}, now, 0, is_secure(contact.id, contact.endpoint.address)}, now);
}

void RoutingTable::insert(Node node, TimePoint now) {
    by_endpoint_.emplace(node.contact.endpoint, node.contact.id);
    ++by_network_[network_of(node.contact.endpoint.address)];
    place(bucket_of(node.contact.id), std::move(node), now);
    while (buckets_.back().nodes.size() > kBucketNodes && buckets_.size() < NodeId::kBits) split();
}

void RoutingTable::place(std::size_t index, Node node, TimePoint now) {
    auto& bucket = buckets_[index];
    bool const last = index + 1 == buckets_.size() && buckets_.size() < NodeId::kBits;
    if (last || has_free_place(index, node.contact.id)) {
        bucket.nodes.push_back(std::move(node));
        return;
    }
    auto const bad = std::find_if(bucket.nodes.begin(), bucket.nodes.end(), [&](Node const& each) {
        return state_of(each, now) == State::bad && may_replace(index, node.contact.id, each);
    });
    if (bad != bucket.nodes.end()) {
        forget_address(bad->contact);
        *bad = std::move(node);
        return;
    }
    // Of those whose id is not their address's, the one that was silent longest makes room.
    auto weakest = bucket.nodes.end();
    for (auto each = bucket.nodes.begin(); node.secure && each != bucket.nodes.end(); ++each)
        if (!each->secure && (weakest == bucket.nodes.end() || each->replied < weakest->replied) &&
            may_replace(index, node.contact.id, *each))
            weakest = each;
    if (weakest != bucket.nodes.end()) std::swap(*weakest, node);
    add_replacement(bucket, std::move(node));
}

void RoutingTable::split() {
    auto const index = buckets_.size() - 1;
    buckets_.emplace_back();
    auto& old = buckets_[index];
    auto& fresh = buckets_.back();
    for (auto const list : {&Bucket::nodes, &Bucket::replacements}) {
        auto& from = old.*list;
        auto const stays = [&](Node const& node) { return common_bits(own_, node.contact.id) <= index; };
        auto const middle = std::stable_partition(from.begin(), from.end(), stays);
        (fresh.*list).assign(std::make_move_iterator(middle), std::make_move_iterator(from.end()));
        from.erase(middle, from.end());
    }
    for (auto& node : std::exchange(old.nodes, {}))
        if (has_free_place(index, node.contact.id))
            old.nodes.push_back(std::move(node));
        else
            add_replacement(old, std::move(node));
}

void RoutingTable::add_replacement(Bucket& bucket, Node node) {
    if (bucket.replacements.size() == kBucketNodes) {
        forget_address(bucket.replacements.front().contact);
        bucket.replacements.erase(bucket.replacements.begin());
    }
    bucket.replacements.push_back(std::move(node));
}

void RoutingTable::forget_address(NodeContact const& contact) {
    by_endpoint_.erase(contact.endpoint);
    auto const network = by_network_.find(network_of(contact.endpoint.address));
    if (--network->second == 0) by_network_.erase(network);
}

void RoutingTable::remove(NodeContact const& contact) {
    auto const index = bucket_of(contact.id);
    auto& bucket = buckets_[index];
    auto const is_it = [&](Node const& node) { return node.contact == contact; };
    std::erase_if(bucket.replacements, is_it);
    bool const had_place = std::erase_if(bucket.nodes, is_it) > 0;
    forget_address(contact);
    if (had_place) promote(index);
}

// The latest replacement, but first one whose id is its address's.
void RoutingTable::promote(std::size_t index) {
    auto& nodes = buckets_[index].nodes;
    auto& replacements = buckets_[index].replacements;
    auto best = replacements.end();
    for (auto each = replacements.begin(); each != replacements.end(); ++each)
        if (!part_is_full(index, each->contact.id) && (best == replacements.end() || each->secure >= best->secure))
            best = each;
    if (best == replacements.end()) return;
    nodes.push_back(std::move(*best));
    replacements.erase(best);
}

void RoutingTable::refreshed(NodeId const& target, TimePoint now) {
    if (target == own_) return;
    auto& bucket = buckets_[bucket_of(target)];
    bucket.refreshed = now;
    ++bucket.refreshes;
}

void RoutingTable::queried(NodeContact const& contact, TimePoint now) {
    auto const known = by_endpoint_.find(contact.endpoint);
    if (known != by_endpoint_.end() && known->second == contact.id) find(contact)->queried = now;
}

void RoutingTable::failed(Endpoint const& endpoint, TimePoint now, bool keep) {
    auto const known = by_endpoint_.find(endpoint);
    if (known == by_endpoint_.end()) return;
    NodeContact const contact{known->second, endpoint};
    auto& node = *find(contact);
    node.asked = now;
    if (node.failures < kGoneFailures) ++node.failures;
    if (keep) return;
    auto const index = bucket_of(contact.id);
    auto const& replacements = buckets_[index].replacements;
    auto const is_it = [&](Node const& each) { return each.contact == contact; };
    auto const fits = [&](Node const& each) { return may_replace(index, each.contact.id, node); };
    bool const waiting = std::any_of(replacements.begin(), replacements.end(), is_it);
    bool const replaceable =
        node.failures >= kBadFailures && std::any_of(replacements.begin(), replacements.end(), fits);
    if (waiting || replaceable || node.failures >= kGoneFailures) remove(contact);
}

std::vector<NodeContact> RoutingTable::closest(NodeId const& target, std::size_t count, bool questionable_too,
                                               TimePoint now) const {
    std::vector<Node const*> good;
    std::vector<Node const*> others;
    for (auto const& bucket : buckets_)
        for (auto const& node : bucket.nodes) {
            auto const state = state_of(node, now);
            if (state == State::good) good.push_back(&node);
            if (state == State::questionable) others.push_back(&node);
        }
    if (questionable_too || good.size() < count) good.insert(good.end(), others.begin(), others.end());
    auto const nearer = [&](Node const* a, Node const* b) { return is_closer(target, a->contact.id, b->contact.id); };
    auto const sort_nearest = [&](auto begin, auto end) {
        auto const wanted = std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(count), end - begin);
        std::partial_sort(begin, begin + wanted, end, nearer);
        return static_cast<std::size_t>(wanted);
    };
    auto const middle = std::stable_partition(good.begin(), good.end(), [](Node const* node) { return node->secure; });
    auto const secure = sort_nearest(good.begin(), middle);
    auto const insecure = sort_nearest(middle, good.end());
    std::vector<Node const*> chosen(
        middle, middle + static_cast<std::ptrdiff_t>(std::min(insecure, std::max(count / 2, count - secure))));
    chosen.insert(chosen.end(), good.begin(), good.begin() + static_cast<std::ptrdiff_t>(secure));
    std::sort(chosen.begin(), chosen.end(), nearer);
    std::vector<NodeContact> nodes;
    for (std::size_t i = 0; i < std::min(count, chosen.size()); ++i) nodes.push_back(chosen[i]->contact);
    return nodes;
}

// The bucket of that index, or the last of all: an id in its range.
NodeId RoutingTable::id_in_bucket(std::size_t index, NodeId const& random) const {
    auto const bits = static_cast<unsigned>(index);
    return index + 1 == buckets_.size() ? id_within(own_, bits, random) : id_at_distance(own_, bits, random);
}

// The living node that was asked longest ago: of the bucket's and then of all whose id is their address's, for whoever
// may choose ids can fill a bucket with its own; else of the bucket's, else of all.
RoutingTable::Node* RoutingTable::helper(std::size_t index, TimePoint now) {
    Node* best = nullptr;
    int best_rank = -1;
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        for (auto& node : buckets_[i].nodes) {
            if (state_of(node, now) == State::bad) continue;
            auto const rank = (node.secure ? 2 : 0) + (i == index ? 1 : 0);
            if (rank < best_rank || (rank == best_rank && best->asked <= node.asked)) continue;
            best = &node;
            best_rank = rank;
        }
    return best;
}

std::optional<RoutingTable::Check> RoutingTable::next_check(NodeId const& random, TimePoint now) {
    if (empty()) return std::nullopt;
    std::size_t oldest = 0;
    for (std::size_t i = 1; i < buckets_.size(); ++i)
        if (refresh_time(buckets_[i], capacity(i)) < refresh_time(buckets_[oldest], capacity(oldest))) oldest = i;
    auto& bucket = buckets_[oldest];
    if (refresh_time(bucket, capacity(oldest)) <= now) {
        bucket.tried = now;
        auto const target = id_in_bucket(oldest, random);
        if (auto* const node = helper(oldest, now)) {
            node->asked = now;
            return Check{node->contact, target};
        }
    }
    Node* due = nullptr;
    for (auto& each : buckets_)
        for (auto& node : each.nodes)
            if (check_time(node) <= now && (!due || check_time(node) < check_time(*due))) due = &node;
    if (!due) return std::nullopt;
    due->asked = now;
    return Check{due->contact, std::nullopt};
}

RoutingTable::BucketStatus RoutingTable::bucket(std::size_t index) const {
    auto const& bucket = buckets_[index];
    return {bucket.nodes.size(), capacity(index), bucket.replacements.size(), bucket.refreshed};
}

TimePoint RoutingTable::next_check_time() const {
    auto next = TimePoint::max();
    for (std::size_t i = 0; i < buckets_.size() && !empty(); ++i) {
        next = std::min(next, refresh_time(buckets_[i], capacity(i)));
        for (auto const& node : buckets_[i].nodes) next = std::min(next, check_time(node));
    }
    return next;
}

}  // namespace rqfs::torrent
