#include "torrent/dht/lookup.h"

#include "torrent/address_network.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kParallel = 5;          // LT dht_search_branching
constexpr std::size_t kNearest = 8;           // BEP 5: k
constexpr std::size_t kNearestSilent = 16;    // of those that know no peers: four of five nodes may lie
constexpr std::size_t kNearestInsecure = 4;   // beside them, half as many
constexpr std::size_t kInsecureQueries = 16;  // as long as there are others: made-up ids cost an attacker nothing
constexpr std::size_t kCandidates = 128;      // sixteen times k; farther ones are forgotten
constexpr Duration kMostPatience = 1s;        // LT's short timeout
constexpr Duration kLeastPatience = 300ms;    // a round trip over a slow line and back
constexpr std::size_t kPerNetwork = 3;        // beyond that one owner is more likely than chance
constexpr std::size_t kTellers =
    limit::kDhtLookupQueries;            // remembered of a candidate: all, for whoever is not is judged a stranger
constexpr unsigned kBackwards = 2;       // bits: told nodes at most so much farther than the teller
constexpr std::uint16_t kDeadTold = 2;   // so many dead nodes, and more than living ones: a liar
constexpr std::size_t kNeighbours = 16;  // the nearest, by which it is judged who knows his way there
constexpr std::uint16_t kKnownNeighbours = 3;   // of those; a liar who names others at random seldom tells of so many
constexpr std::size_t kStrangers = 4;           // of the nearest 8 that answered: half of them, honest ones are fewer
constexpr std::size_t kMoreAmongStrangers = 8;  // than kNearest: who announced there saw other strangers
constexpr double kByChance = 4;           // so many may be nearer than any is expected,
constexpr double kDensest = 2;            // and so many times the expected within any distance: one honest crowd of 200
constexpr std::size_t kCrowd = 12;        // asked of those beyond: the estimate may be wrong, the nearest 8 be honest
constexpr std::size_t kUndisturbed = 32;  // queries; where nobody is in the way fewer do, with 24 liars hide more

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

// Fewer of the one kind make room for the other.
Lookup::Reach::Reach(std::size_t living_secure)
    : most_insecure(std::max(kNearestInsecure, kNearest - std::min(kNearest, living_secure))) {}

bool Lookup::Reach::ends(bool for_secure) const {
    if (!for_secure) return insecure >= most_insecure;
    return secure >= kNearest + std::min(strangers, kMoreAmongStrangers);
}

bool Lookup::lies(std::size_t teller) const {
    auto const& words = tellers_[teller];
    return teller != 0 && words.died >= kDeadTold && words.died > words.lived;
}

bool Lookup::only_liars_know(Candidate const& candidate) const {
    return std::all_of(candidate.tellers.begin(), candidate.tellers.end(), [&](auto teller) { return lies(teller); });
}

void Lookup::credit(Candidate const& candidate, bool lived) {
    for (auto const teller : candidate.tellers) ++(lived ? tellers_[teller].lived : tellers_[teller].died);
}

void Lookup::add(NodeContact const& contact, std::uint16_t teller) {
    auto const nearer = [&](Candidate const& a, NodeContact const& b) {
        return is_closer(target_, a.contact.id, b.id);
    };
    auto place = std::lower_bound(candidates_.begin(), candidates_.end(), contact, nearer);
    for (; place != candidates_.end() && place->contact.id == contact.id; ++place) {
        if (place->contact != contact) continue;
        // One reply may name it again and again: that is one witness.
        if (place->tellers.back() != teller && place->tellers.size() < kTellers) place->tellers.push_back(teller);
        return;
    }
    Candidate candidate;
    candidate.contact = contact;
    candidate.secure = is_secure(contact.id, contact.endpoint.address);
    candidate.tellers.push_back(teller);
    candidates_.insert(place, std::move(candidate));
    if (candidates_.size() <= kCandidates) return;
    auto const unasked = [](Candidate const& each) {
        return each.state == State::fresh || each.state == State::failed;
    };
    auto farthest = std::find_if(candidates_.rbegin(), candidates_.rend(),
                                 [&](Candidate const& each) { return unasked(each) && only_strangers_know(each); });
    if (farthest == candidates_.rend()) farthest = std::find_if(candidates_.rbegin(), candidates_.rend(), unasked);
    if (farthest != candidates_.rend()) candidates_.erase(std::next(farthest).base());
}

bool Lookup::address_taken(Candidate const& candidate) const {
    auto const& endpoint = candidate.contact.endpoint;
    auto const found = busy_.find(endpoint.address);
    if (found != busy_.end()) return restrict_ || found->second == endpoint;
    auto const network = busy_networks_.find(network_of(endpoint.address));
    return restrict_ && network != busy_networks_.end() && network->second >= kPerNetwork;
}

// Whether more nodes than the network has by chance are as near as this one. Whoever may choose among many addresses
// gets valid ids nearer to a target than all others, and could hide it behind them.
bool Lookup::is_crowded(Reach const& reach, Candidate const& candidate) const {
    if (nodes_ == 0) return false;
    auto const expected = nodes_ * distance_share(target_, candidate.contact.id);
    return static_cast<double>(reach.plausible + 1) > kByChance + kDensest * expected;
}

// Who answered but knows no peers is passed over, and so is who is a stranger there; nodes to ask never are.
bool Lookup::counts(Reach& reach, Candidate const& candidate) const {
    if (reach.ends(candidate.secure)) return false;
    if (!candidate.secure) return ++reach.insecure > 0;
    if (is_crowded(reach, candidate)) return ++reach.crowded <= kCrowd;
    ++reach.plausible;
    bool const silent = is_silent(candidate);
    if (silent && is_stranger(candidate.words)) return ++reach.strangers <= kNearestSilent;
    ++(silent && reach.silent < kNearestSilent ? reach.silent : reach.secure);
    return true;
}

// Walks outwards until enough living nodes of both kinds are seen.
Lookup::Front Lookup::front() {
    judge();
    Front front;
    auto const living_secure =
        static_cast<std::size_t>(std::count_if(candidates_.begin(), candidates_.end(), [](auto const& each) {
            return each.secure && each.state != State::failed;
        }));
    bool const spent = living_secure >= kNearest && insecure_queries_ >= kInsecureQueries;
    Reach reach(living_secure);
    for (auto& each : candidates_) {
        if (each.state == State::failed || each.state == State::slow || reach.ends(each.secure)) continue;
        if (lies(each.words)) continue;
        if (each.state == State::fresh && (only_liars_know(each) || only_strangers_know(each) || address_taken(each)))
            continue;
        if (each.state == State::fresh && !each.secure && spent) continue;
        if (!counts(reach, each)) continue;
        front.waiting = front.waiting || each.state == State::asked;
        if (each.state == State::fresh) front.to_ask.push_back(&each);
    }
    for (auto& each : routers_) {
        front.waiting = front.waiting || each.state == State::asked;
        if (each.state == State::fresh && !address_taken(each)) front.to_ask.push_back(&each);  // else asked as a node
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
                credit(each, false);
            }
}

std::vector<NodeContact> Lookup::next(TimePoint now, std::size_t most) {
    now_ = now;
    notice_slow(now);
    std::size_t in_flight = 0;
    for (auto const* const list : {&candidates_, &routers_})
        in_flight += static_cast<std::size_t>(
            std::count_if(list->begin(), list->end(), [](auto const& each) { return each.state == State::asked; }));
    std::vector<NodeContact> nodes;
    for (auto* const each : front().to_ask) {
        if (nodes.size() == most || in_flight + nodes.size() >= kParallel) break;
        if (queries_ >= limit::kDhtLookupQueries) break;
        if (each->state != State::fresh || address_taken(*each)) continue;  // by one before it in this very list
        bool const looks_outside = queries_ >= kUndisturbed && queries_ % 2 == 0;
        auto* const outside = looks_outside ? outsider() : nullptr;
        nodes.push_back(ask(outside ? *outside : *each));
    }
    return nodes;
}

NodeContact Lookup::ask(Candidate& candidate) {
    candidate.state = State::asked;
    candidate.asked = now_;
    auto const& endpoint = candidate.contact.endpoint;
    if (busy_.insert_or_assign(endpoint.address, endpoint).second) ++busy_networks_[network_of(endpoint.address)];
    ++queries_;
    if (!candidate.secure) ++insecure_queries_;
    return candidate.contact;
}

// The farthest of those that our own table knows, for whoever sits around the target is hardly there too.
Lookup::Candidate* Lookup::outsider() {
    auto const far = std::find_if(candidates_.rbegin(), candidates_.rend(), [&](Candidate const& each) {
        return each.state == State::fresh && each.secure && each.tellers.front() == 0 && !address_taken(each);
    });
    return far == candidates_.rend() ? nullptr : &*far;
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
        found = std::find_if(candidates_.begin(), candidates_.end(),
                             [&](auto const& each) { return each.contact == from; });
        if (found == candidates_.end()) return true;
    } else if (found->contact.id != from.id) {
        failed(from.endpoint);
        return false;
    } else {
        learn_round_trip(now - found->asked);
    }
    credit(*found, true);
    ++replies_;
    found->state = State::replied;
    found->token = std::move(token);
    found->words = tellers_.size();
    tellers_.emplace_back();
    auto const words = static_cast<std::uint16_t>(found->words);
    auto const bits = common_bits(from.id, target_);
    for (auto const& node : nodes)
        if (common_bits(node.id, target_) + kBackwards >= bits) add(node, words);
    return true;
}

void Lookup::told(Endpoint const& by, std::vector<Endpoint> const& peers) {
    for (auto const& peer : peers) {
        auto const known = told_by_.find(peer);
        if (known == told_by_.end()) {
            if (told_by_.size() < limit::kDhtLookupPeers) told_by_.emplace(peer, by);
            continue;
        }
        if (known->second == by) continue;
        for (auto& each : candidates_)
            if (each.contact.endpoint == by || each.contact.endpoint == known->second) each.knows_peers = true;
    }
}

// Counts of how many of the target's neighbours each told: the nearest that answered, or that our own table or several
// nodes know. Nodes far around know few of them everywhere, so it means something only if those nearby do not either.
void Lookup::judge() {
    among_strangers_ = false;
    if (!seeks_peers_) return;
    for (auto& each : tellers_) each.around = 0;
    std::size_t neighbours = 0;
    for (auto const& each : candidates_) {
        if (!each.secure || each.state == State::failed || each.state == State::slow || lies(each.words)) continue;
        if (each.state != State::replied && each.tellers.size() < 2 && each.tellers.front() != 0) continue;
        for (auto const teller : each.tellers) ++tellers_[teller].around;
        if (++neighbours == kNeighbours) break;
    }
    if (neighbours < kNearest) return;
    std::size_t answered = 0;
    std::size_t strangers = 0;
    for (auto const& each : candidates_) {
        if (!each.secure || each.state != State::replied || lies(each.words)) continue;
        if (is_silent(each) && tellers_[each.words].around < kKnownNeighbours) ++strangers;
        if (++answered == kNearest) break;
    }
    among_strangers_ = strangers >= kStrangers;
}

bool Lookup::is_stranger(std::size_t teller) const {
    return among_strangers_ && teller != 0 && tellers_[teller].around < kKnownNeighbours;
}

bool Lookup::only_strangers_know(Candidate const& candidate) const {
    return std::all_of(candidate.tellers.begin(), candidate.tellers.end(),
                       [&](auto teller) { return is_stranger(teller); });
}

bool Lookup::is_silent(Candidate const& candidate) const {
    return seeks_peers_ && candidate.state == State::replied && !candidate.knows_peers;
}

void Lookup::failed(Endpoint const& node) {
    if (busy_.erase(node.address) > 0) --busy_networks_[network_of(node.address)];
    for (auto* const list : {&candidates_, &routers_})
        for (auto& each : *list) {
            if (each.contact.endpoint != node || (each.state != State::asked && each.state != State::slow)) continue;
            if (each.state == State::asked) credit(each, false);
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
    Reach reach(static_cast<std::size_t>(std::count_if(candidates_.begin(), candidates_.end(), [](auto const& each) {
        return each.secure && each.state == State::replied;
    })));
    for (auto const& each : candidates_)
        if (each.state == State::replied && !lies(each.words) && counts(reach, each))
            nodes.push_back({each.contact, each.token});
    return nodes;
}

}  // namespace rqfs::torrent
