#include "torrent/dht/lookup.h"

#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kParallel = 5;         // LT dht_search_branching
constexpr std::size_t kNearest = 8;          // BEP 5: k
constexpr std::size_t kNearestInsecure = 4;  // beside them, half as many
constexpr std::size_t kInsecureQueries = limit::kDhtLookupQueries / 2;
constexpr std::size_t kCandidates = 128;     // sixteen times k; farther ones are forgotten
constexpr Duration kMostPatience = 1s;       // LT's short timeout
constexpr Duration kLeastPatience = 300ms;   // a round trip over a slow line and back
constexpr std::size_t kPerNetwork = 3;       // beyond that one owner is more likely than chance
constexpr std::uint16_t kDeadTold = 3;       // more dead nodes than this, and twice the living ones: a liar

}  // namespace

void Lookup::start_with(std::vector<NodeContact> const& nodes) {
    for (auto const& node : nodes) add(node, 0);
}

void Lookup::start_with(Endpoint const& router) {
    for (auto const& known : routers_)
        if (known.contact.endpoint == router) return;
    if (routers_.size() == kCandidates) return;
    Candidate candidate;
    candidate.contact.endpoint = router;
    routers_.push_back(std::move(candidate));
}

bool Lookup::lies(std::uint16_t teller) const {
    auto const& words = tellers_[teller];
    return teller != 0 && words.died >= kDeadTold && words.died > 2 * words.lived;
}

void Lookup::add(NodeContact const& contact, std::uint16_t teller) {
    auto const nearer = [&](Candidate const& a, NodeContact const& b) { return is_closer(target_, a.contact.id, b.id); };
    auto place = std::lower_bound(candidates_.begin(), candidates_.end(), contact, nearer);
    for (; place != candidates_.end() && place->contact.id == contact.id; ++place) {
        if (place->contact != contact) continue;
        if (lies(place->teller)) place->teller = teller;  // somebody else says so too
        return;
    }
    if (place == candidates_.end() && candidates_.size() >= kCandidates) return;
    Candidate candidate;
    candidate.contact = contact;
    candidate.secure = is_secure(contact.id, contact.endpoint.address);
    candidate.teller = teller;
    candidates_.insert(place, std::move(candidate));
    if (candidates_.size() <= kCandidates) return;
    auto const farthest = std::find_if(candidates_.rbegin(), candidates_.rend(), [](Candidate const& each) {
        return each.state == State::fresh || each.state == State::failed;
    });
    if (farthest != candidates_.rend()) candidates_.erase(std::next(farthest).base());
}

bool Lookup::address_taken(Candidate const& candidate) const {
    auto const& endpoint = candidate.contact.endpoint;
    auto const found = busy_.find(endpoint.address);
    if (found != busy_.end()) return restrict_ || found->second == endpoint;
    auto const network = busy_networks_.find(network_of(endpoint.address));
    return restrict_ && network != busy_networks_.end() && network->second >= kPerNetwork;
}

// Walks outwards until enough living nodes of both kinds are seen.
Lookup::Front Lookup::front() {
    Front front;
    std::size_t secure = 0;
    std::size_t insecure = 0;
    auto const living_secure = static_cast<std::size_t>(std::count_if(
        candidates_.begin(), candidates_.end(), [](auto const& each) { return each.secure && each.state != State::failed; }));
    auto const most_insecure = std::max(kNearestInsecure, kNearest - std::min(kNearest, living_secure));
    for (auto& each : candidates_) {
        if (each.state == State::failed || each.state == State::slow) continue;
        if (each.state == State::fresh && (lies(each.teller) || address_taken(each))) continue;
        auto& seen = each.secure ? secure : insecure;
        if (seen == (each.secure ? kNearest : most_insecure)) continue;
        if (each.state == State::fresh && !each.secure && insecure_queries_ >= kInsecureQueries) continue;
        ++seen;
        front.waiting = front.waiting || each.state == State::asked;
        if (each.state == State::fresh) front.to_ask.push_back(&each);
    }
    for (auto& each : routers_) {
        front.waiting = front.waiting || each.state == State::asked;
        if (each.state == State::fresh) front.to_ask.push_back(&each);
    }
    return front;
}

Duration Lookup::patience() const {
    return round_trip_ ? std::clamp(*round_trip_ * 3, kLeastPatience, kMostPatience) : kMostPatience;
}

void Lookup::learn_round_trip(Duration measured) {
    round_trip_ = round_trip_ ? (*round_trip_ * 3 + measured) / 4 : measured;
}

void Lookup::notice_slow(TimePoint now) {
    for (auto* const list : {&candidates_, &routers_})
        for (auto& each : *list)
            if (each.state == State::asked && each.asked + patience() <= now) {
                each.state = State::slow;
                ++tellers_[each.teller].died;
            }
}

std::vector<NodeContact> Lookup::next(TimePoint now) {
    now_ = now;
    notice_slow(now);
    std::size_t in_flight = 0;
    for (auto const* const list : {&candidates_, &routers_})
        in_flight += static_cast<std::size_t>(
            std::count_if(list->begin(), list->end(), [](auto const& each) { return each.state == State::asked; }));
    std::vector<NodeContact> nodes;
    for (auto* const each : front().to_ask) {
        if (in_flight + nodes.size() >= kParallel || queries_ >= limit::kDhtLookupQueries) break;
        if (address_taken(*each)) continue;  // by one before it in this very list
        each->state = State::asked;
        each->asked = now;
        auto const& endpoint = each->contact.endpoint;
        if (busy_.insert_or_assign(endpoint.address, endpoint).second) ++busy_networks_[network_of(endpoint.address)];
        ++queries_;
        if (!each->secure) ++insecure_queries_;
        nodes.push_back(each->contact);
    }
    return nodes;
}

bool Lookup::replied(NodeContact const& from, std::vector<NodeContact> const& nodes, std::string token, TimePoint now) {
    auto const asked = [&](Candidate const& each) {
        return each.contact.endpoint == from.endpoint && (each.state == State::asked || each.state == State::slow);
    };
    auto found = std::find_if(candidates_.begin(), candidates_.end(), asked);
    if (found == candidates_.end()) {
        auto const router = std::find_if(routers_.begin(), routers_.end(), asked);
        if (router == routers_.end()) return false;
        router->state = State::replied;
        learn_round_trip(now - router->asked);
        // From now on it is a node like any other.
        add(from, 0);
        found = std::find_if(candidates_.begin(), candidates_.end(), [&](auto const& each) { return each.contact == from; });
        if (found == candidates_.end()) return true;
    } else if (found->contact.id != from.id) {
        failed(from.endpoint);
        return false;
    } else {
        learn_round_trip(now - found->asked);
    }
    auto& teller = tellers_[found->teller];
    if (found->state == State::slow) --teller.died;
    ++teller.lived;
    ++replies_;
    found->state = State::replied;
    found->token = std::move(token);
    auto const index = static_cast<std::uint16_t>(tellers_.size());
    tellers_.emplace_back();
    for (auto const& node : nodes) add(node, index);
    return true;
}

void Lookup::failed(Endpoint const& node) {
    if (busy_.erase(node.address) > 0) --busy_networks_[network_of(node.address)];
    for (auto* const list : {&candidates_, &routers_})
        for (auto& each : *list) {
            if (each.contact.endpoint != node || (each.state != State::asked && each.state != State::slow)) continue;
            if (each.state == State::asked) ++tellers_[each.teller].died;
            each.state = State::failed;
        }
}

bool Lookup::finished() {
    auto const in_front = front();
    bool const may_ask = queries_ < limit::kDhtLookupQueries;
    return !in_front.waiting && (in_front.to_ask.empty() || !may_ask) && !waits_for_slow();
}

// While too few have answered the slow ones are not without hope.
bool Lookup::waits_for_slow() const {
    if (replies_ >= kNearest) return false;
    for (auto const* const list : {&candidates_, &routers_})
        for (auto const& each : *list)
            if (each.state == State::slow && each.asked + patience() * 3 > now_) return true;
    return false;
}

std::vector<Lookup::Found> Lookup::closest() const {
    std::vector<Found> nodes;
    std::size_t secure = 0;
    std::size_t insecure = 0;
    auto const secure_replies = static_cast<std::size_t>(std::count_if(
        candidates_.begin(), candidates_.end(), [](auto const& each) { return each.secure && each.state == State::replied; }));
    auto const most_insecure = std::max(kNearestInsecure, kNearest - std::min(kNearest, secure_replies));
    for (auto const& each : candidates_) {
        if (each.state != State::replied) continue;
        auto& seen = each.secure ? secure : insecure;
        if (seen == (each.secure ? kNearest : most_insecure)) continue;
        ++seen;
        nodes.push_back({each.contact, each.token});
    }
    return nodes;
}

}  // namespace rqfs::torrent
