#include "torrent/swarm/choker.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

namespace rqfs::torrent {

namespace {

std::size_t optimistic_slots(std::size_t slots) { return slots < 2 ? 0 : std::max<std::size_t>(1, slots / 5); }

bool turn_over(ChokerPeer const& peer, Choker::Rules const& rules, TimePoint now) {
    return peer.unchoked_since && now - *peer.unchoked_since >= Choker::kTurn &&
           peer.uploaded_since_unchoke >= std::uint64_t{Choker::kTurnPieces} * rules.piece_bytes;
}

// What a choked peer may be expected to take: half of what the others do on average, so that far slower ones make room
// for it.
double expected_rate(std::vector<ChokerPeer> const& interested) {
    double total = 0;
    double count = 0;
    for (auto const& peer : interested) {
        if (!peer.unchoked_since) continue;
        total += peer.upload_rate;
        ++count;
    }
    return count == 0 ? 0 : total / count / 2;
}

// In steps of a factor of 1.4: a little faster is no reason to take somebody's turn.
int rate_class(double rate) { return rate <= 1 ? 0 : static_cast<int>(2 * std::log2(rate)); }

// Smaller is better. A turn that is not an optimistic one lasts at least kTurn, so that a peer gets going before it is
// judged by its rate.
auto seeding_rank(ChokerPeer const& peer, bool optimistic, double expected, Choker::Rules const& rules, TimePoint now) {
    auto const young = !optimistic && peer.unchoked_since && now - *peer.unchoked_since < Choker::kTurn;
    auto const place = young ? 0 : turn_over(peer, rules, now) ? 2 : 1;
    auto const rate = peer.unchoked_since ? peer.upload_rate : expected;
    auto const waiting = optimistic || !peer.unchoked_since;
    auto const served = peer.unchoked_since ? now : peer.last_unchoked.value_or(TimePoint::min());
    return std::tuple(place, -rate_class(rate), waiting, served, peer.peer);
}

auto leeching_rank(ChokerPeer const& peer) {
    return std::tuple(-peer.download_rate, peer.unchoked_since.value_or(TimePoint::max()), peer.connected_since,
                      peer.peer);
}

// The peers that feed what somebody is watching, best first.
std::vector<PeerHandle> window_suppliers(std::vector<ChokerPeer> const& interested) {
    std::vector<ChokerPeer> suppliers;
    std::copy_if(interested.begin(), interested.end(), std::back_inserter(suppliers),
                 [](auto const& peer) { return peer.window_bytes > 0; });
    std::sort(suppliers.begin(), suppliers.end(), [](auto const& a, auto const& b) {
        return std::tuple(b.window_bytes, a.peer) < std::tuple(a.window_bytes, b.peer);
    });
    if (suppliers.size() > Choker::kKeptSuppliers) suppliers.resize(Choker::kKeptSuppliers);
    std::vector<PeerHandle> handles;
    handles.reserve(suppliers.size());
    for (auto const& peer : suppliers) handles.push_back(peer.peer);
    return handles;
}

}  // namespace

std::set<PeerHandle> Choker::decide(std::span<ChokerPeer const> peers, Rules const& rules, TimePoint now) {
    changed_ = false;
    Peers interested;
    std::copy_if(peers.begin(), peers.end(), std::back_inserter(interested),
                 [](auto const& p) { return p.interested; });
    std::sort(interested.begin(), interested.end(), [](auto const& a, auto const& b) { return a.peer < b.peer; });
    auto const gone = [&](PeerHandle peer) {
        return std::none_of(interested.begin(), interested.end(), [peer](auto const& p) { return p.peer == peer; });
    };
    std::erase_if(regular_, gone);
    std::erase_if(optimistic_, gone);

    auto const order = ranking(interested, rules, now);
    auto const reserved = interested.size() > rules.slots ? optimistic_slots(rules.slots) : 0;
    auto const round = now >= next_round_ || regular_.size() + optimistic_.size() > rules.slots;
    if (round) begin_round(reserved, now);
    fill_regular(order, rules, rules.slots - reserved, round);
    while (regular_.size() + optimistic_.size() < rules.slots) {
        auto const lucky = draw(interested, now);
        if (!lucky) break;
        optimistic_.insert(*lucky);
    }
    auto unchoked = regular_;
    unchoked.insert(optimistic_.begin(), optimistic_.end());
    return unchoked;
}

void Choker::begin_round(std::size_t reserved, TimePoint now) {
    next_round_ = now + kRound;
    regular_.clear();
    while (optimistic_.size() > reserved) optimistic_.erase(std::prev(optimistic_.end()));
    if (now < next_rotation_) return;
    next_rotation_ = now + kOptimistic;
    last_optimistic_ = std::move(optimistic_);
    optimistic_.clear();
}

// An optimistic peer that earns a regular slot in a round makes room for another one.
void Choker::fill_regular(std::vector<PeerHandle> const& ranking, Rules const& rules, std::size_t most, bool round) {
    for (auto const peer : ranking) {
        if (regular_.size() >= most) return;
        if (round) optimistic_.erase(peer);
        if (unchoked(peer)) continue;
        if (regular_.size() + optimistic_.size() >= rules.slots) return;
        regular_.insert(peer);
    }
}

// Of the choked ones, new peers with three times the weight, and none of the rotation before while there are others.
std::optional<PeerHandle> Choker::draw(Peers const& interested, TimePoint now) {
    Peers candidates;
    std::copy_if(interested.begin(), interested.end(), std::back_inserter(candidates),
                 [this](auto const& peer) { return !unchoked(peer.peer); });
    auto const had_it = [this](auto const& peer) { return last_optimistic_.contains(peer.peer); };
    if (!std::all_of(candidates.begin(), candidates.end(), had_it)) std::erase_if(candidates, had_it);
    if (candidates.empty()) return std::nullopt;
    auto const weight = [now](auto const& peer) { return now - peer.connected_since < kNewPeer ? 3u : 1u; };
    std::uint64_t total = 0;
    for (auto const& peer : candidates) total += weight(peer);
    auto chosen = next_random() % total;
    for (auto const& peer : candidates) {
        if (chosen < weight(peer)) return peer.peer;
        chosen -= weight(peer);
    }
    return std::nullopt;
}

// splitmix64: a different seed, a different order.
std::uint64_t Choker::next_random() {
    random_ += 0x9e3779b97f4a7c15u;
    auto value = random_;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

std::vector<PeerHandle> Choker::ranking(Peers const& interested, Rules const& rules, TimePoint now) const {
    auto order = interested;
    std::vector<PeerHandle> ranking;
    if (!rules.seeding) {
        ranking = window_suppliers(interested);
        if (interested.size() > rules.slots) std::erase_if(order, [](auto const& peer) { return peer.snubs_us; });
    }
    auto const expected = expected_rate(interested);
    auto const turn = [&](auto const& peer) { return seeding_rank(peer, optimistic(peer.peer), expected, rules, now); };
    std::sort(order.begin(), order.end(), [&](auto const& a, auto const& b) {
        return rules.seeding ? turn(a) < turn(b) : leeching_rank(a) < leeching_rank(b);
    });
    for (auto const& peer : order) ranking.push_back(peer.peer);  // a supplier is named twice; the first counts
    return ranking;
}

}  // namespace rqfs::torrent
