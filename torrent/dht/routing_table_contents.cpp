#include "torrent/dht/routing_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kJudged = 16;  // the nearest: all of them are known, and a quarter more or less is no matter

}  // namespace

void RoutingTable::change_own(NodeId const& own, TimePoint now) {
    std::vector<Node> all;
    for (auto& bucket : buckets_)
        for (auto* const list : {&bucket.nodes, &bucket.replacements})
            std::move(list->begin(), list->end(), std::back_inserter(all));
    own_ = own;
    buckets_.assign(1, {});
    by_endpoint_.clear();
    by_network_.clear();
    for (auto& node : all)
        if (node.contact.id != own_ && !restricted(node.contact)) insert(std::move(node), now);
}

std::optional<RoutingTable::State> RoutingTable::state(Endpoint const& endpoint, TimePoint now) const {
    auto const known = by_endpoint_.find(endpoint);
    if (known == by_endpoint_.end()) return std::nullopt;
    for (auto const& node : buckets_[bucket_of(known->second)].nodes)
        if (node.contact.endpoint == endpoint) return state_of(node, now);
    return std::nullopt;
}

RoutingTable::Counts RoutingTable::counts(TimePoint now) const {
    Counts counts;
    for (auto const& bucket : buckets_) {
        counts.replacements += bucket.replacements.size();
        for (auto const& node : bucket.nodes) {
            auto const state = state_of(node, now);
            ++(state == State::good ? counts.good : state == State::bad ? counts.bad : counts.questionable);
        }
    }
    return counts;
}

double RoutingTable::estimated_nodes(TimePoint now) const {
    std::vector<double> distances;
    for (auto const& bucket : buckets_)
        for (auto const& node : bucket.nodes)
            if (node.secure && state_of(node, now) != State::bad)
                distances.push_back(distance_share(own_, node.contact.id));
    if (distances.size() < kJudged) return 0;
    auto const farthest = distances.begin() + (kJudged - 1);
    std::nth_element(distances.begin(), farthest, distances.end());
    return (kJudged - 1) / *farthest;
}

bool RoutingTable::has_good(TimePoint now) const {
    auto const good = [&](Node const& node) { return state_of(node, now) == State::good; };
    return std::any_of(buckets_.begin(), buckets_.end(), [&](Bucket const& bucket) {
        return std::any_of(bucket.nodes.begin(), bucket.nodes.end(), good);
    });
}

void RoutingTable::forgive(TimePoint since) {
    for (auto& bucket : buckets_)
        for (auto* const list : {&bucket.nodes, &bucket.replacements})
            for (auto& node : *list)
                if (node.asked > since) node.failures = std::min<std::uint8_t>(node.failures, 1);
}

std::vector<NodeContact> RoutingTable::longest_unasked(std::size_t count) const {
    std::vector<Node const*> nodes;
    for (auto const& bucket : buckets_)
        for (auto const& node : bucket.nodes) nodes.push_back(&node);
    auto const wanted = static_cast<std::ptrdiff_t>(std::min(count, nodes.size()));
    std::partial_sort(nodes.begin(), nodes.begin() + wanted, nodes.end(), [](Node const* a, Node const* b) {
        return std::max(a->asked, a->replied) < std::max(b->asked, b->replied);
    });
    std::vector<NodeContact> contacts;
    for (auto each = nodes.begin(); each != nodes.begin() + wanted; ++each) contacts.push_back((*each)->contact);
    return contacts;
}

std::vector<NodeContact> RoutingTable::to_save(std::size_t most) const {
    std::vector<Node const*> nodes;
    for (auto const& bucket : buckets_)
        for (auto const& node : bucket.nodes) nodes.push_back(&node);
    auto const later = [](Node const* a, Node const* b) {
        return std::pair(a->failures, b->replied) < std::pair(b->failures, a->replied);
    };
    std::stable_sort(nodes.begin(), nodes.end(), later);
    std::vector<NodeContact> contacts;
    for (std::size_t i = 0; i < std::min(most, nodes.size()); ++i) contacts.push_back(nodes[i]->contact);
    return contacts;
}

}  // namespace rqfs::torrent
