#include "torrent/swarm/peer_list.h"

#include "torrent/swarm/peer_priority.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace rqfs::torrent {

namespace {

std::uint32_t troubles(KnownPeer const& peer) { return std::min(peer.failures, 60u) + std::min(peer.hang_ups, 60u); }

// The wait for somebody who may be all there is: doubled with each failure.
Duration short_wait(KnownPeer const& peer) {
    Duration const wait = PeerList::kSoonRedial * (1u << std::min(troubles(peer), 10u));
    return std::min<Duration>(wait, PeerList::kLongestRedial);
}

// Smaller is dialled first.
auto dial_order(KnownPeer const& peer) {
    return std::tuple(!peer.user(), troubles(peer), !peer.sources.contains(PeerSource::lsd), ~peer.priority,
                      peer.last_try.value_or(TimePoint::min()), peer.endpoint);
}

// Marks are looked for in the whole list: seldom, for a tracker names hundreds in one turn.
constexpr std::chrono::minutes kForgetEvery{1};

bool is_old_mark(KnownPeer const& peer, TimePoint now) {
    return peer.given_up() && peer.state == KnownPeer::State::idle && now >= peer.next_dial + PeerList::kGivenUpFor;
}

}  // namespace

// Whatever changes a peer lives in one of these, so that the order of eviction is always that of the peers as they are.
class PeerList::Change {
public:
    Change(PeerList& list, KnownPeer& peer) : list_(list), peer_(peer) { list_.evictable_.take_out(peer_); }
    Change(Change const&) = delete;
    Change& operator=(Change const&) = delete;
    ~Change() {
        if (!peer_.user() && peer_.state == KnownPeer::State::idle) list_.evictable_.put(peer_);
    }

private:
    PeerList& list_;
    KnownPeer& peer_;
};

bool PeerList::add(Endpoint const& endpoint, PeerSource source, TimePoint now) {
    if (endpoint.port == 0 || banned(endpoint.address)) return false;
    forget_old_marks(now);
    auto known = peers_.find(endpoint);
    if (known != peers_.end() && is_old_mark(known->second, now)) {
        erase(known);
        known = peers_.end();
    }
    if (known != peers_.end() && known->second.sources.contains(source)) {
        if (source == PeerSource::user) known->second.next_dial = now;
        return !known->second.given_up();
    }
    if (share_used_up(endpoint, source)) return known != peers_.end() && !known->second.given_up();
    if (known == peers_.end() && peers_.size() >= options_.entries && !make_room()) return false;
    auto& peer = peers_[endpoint];
    Change const change(*this, peer);
    if (known == peers_.end()) {
        peer.endpoint = endpoint;
        peer.added = now;
        peer.next_dial = now;
        peer.priority = priority(endpoint);
    }
    if (known != peers_.end()) unlink(peer);
    peer.sources.add(source);
    shares_.add(endpoint, source);
    if (source == PeerSource::user) peer.next_dial = now;
    return !peer.given_up();
}

bool PeerList::share_used_up(Endpoint const& endpoint, PeerSource source) const {
    if (source == PeerSource::user || options_.per_network_and_source == 0) return false;
    auto const used = shares_.of(endpoint, source);
    if (source != PeerSource::lsd) return used >= options_.per_network_and_source;
    return used >= limit::kNeighbours || ports_of_neighbour(endpoint.address) >= limit::kPortsPerNeighbour;
}

std::size_t PeerList::ports_of_neighbour(Address const& address) const {
    std::size_t ports = 0;
    for (auto entry = peers_.lower_bound(Endpoint{address, 0});
         entry != peers_.end() && entry->first.address == address; ++entry)
        ports += entry->second.sources.contains(PeerSource::lsd);
    return ports;
}

void PeerList::forget_old_marks(TimePoint now) {
    if (now < next_forgetting_) return;
    next_forgetting_ = now + kForgetEvery;
    for (auto entry = peers_.begin(); entry != peers_.end();) {
        auto const current = entry++;
        if (is_old_mark(current->second, now)) erase(current);
    }
}

bool PeerList::make_room() {
    auto const worst = evictable_.first();
    if (worst) erase(peers_.find(*worst));
    return worst.has_value();
}

void PeerList::erase(std::map<Endpoint, KnownPeer>::iterator entry) {
    unlink(entry->second);
    evictable_.take_out(entry->second);
    shares_.take_back(entry->second);
    peers_.erase(entry);
}

void PeerList::unlink(KnownPeer& peer) {
    if (!peer.twin) return;
    peers_.at(*peer.twin).twin.reset();
    peer.twin.reset();
}

void PeerList::same_peer(Endpoint const& one, Endpoint const& other) {
    auto const first = peers_.find(one);
    auto const second = peers_.find(other);
    if (first == peers_.end() || second == peers_.end() || one.address.is_v6() == other.address.is_v6()) return;
    unlink(first->second);
    unlink(second->second);
    first->second.twin = other;
    second->second.twin = one;
}

bool PeerList::twin_busy(KnownPeer const& peer) const {
    return peer.twin && peers_.at(*peer.twin).state != KnownPeer::State::idle;
}

std::uint32_t PeerList::priority(Endpoint const& endpoint) const {
    auto const& own = endpoint.address.is_v6() ? own_v6_ : own_v4_;
    if (own) return peer_priority(*own, endpoint);
    std::array<std::uint8_t, 16> made_up{};
    for (std::size_t i = 0; i < made_up.size(); ++i)
        made_up[i] = static_cast<std::uint8_t>(options_.seed >> (8 * (i % 4)));
    auto const address =
        endpoint.address.is_v6() ? Address::v6(made_up) : Address::v4({made_up[0], made_up[1], made_up[2], made_up[3]});
    return peer_priority({address, 0}, endpoint);
}

void PeerList::set_external(Endpoint const& own) {
    auto& place = own.address.is_v6() ? own_v6_ : own_v4_;
    if (place == own) return;
    place = own;
    for (auto& [endpoint, peer] : peers_) peer.priority = priority(endpoint);
}

bool PeerList::dialable(KnownPeer const& peer, bool skip_seeds) const {
    return peer.state == KnownPeer::State::idle && !peer.given_up() && !(skip_seeds && peer.seed) && !twin_busy(peer);
}

std::optional<Endpoint> PeerList::next(bool skip_seeds, TimePoint now) {
    KnownPeer* best = nullptr;
    for (auto& [endpoint, peer] : peers_) {
        if (!dialable(peer, skip_seeds) || peer.next_dial > now) continue;
        if (best == nullptr || dial_order(peer) < dial_order(*best)) best = &peer;
    }
    if (best == nullptr) return std::nullopt;
    Change const change(*this, *best);
    best->state = KnownPeer::State::dialling;
    best->last_try = now;
    if (best->twin) {
        auto& twin = peers_.at(*best->twin);
        Change const both(*this, twin);
        if (!twin.given_up()) twin.state = KnownPeer::State::dialling;
    }
    return best->endpoint;
}

std::optional<TimePoint> PeerList::next_dial(bool skip_seeds) const {
    std::optional<TimePoint> earliest;
    for (auto const& [endpoint, peer] : peers_)
        if (dialable(peer, skip_seeds)) earliest = std::min(earliest.value_or(TimePoint::max()), peer.next_dial);
    return earliest;
}

bool PeerList::somebody_waits(bool skip_seeds, TimePoint now) const {
    return std::any_of(peers_.begin(), peers_.end(), [&](auto const& entry) {
        auto const& peer = entry.second;
        bool const lately = peer.last_try && now - *peer.last_try < kSetAsideFor;
        return dialable(peer, skip_seeds) && peer.next_dial <= now && troubles(peer) == 0 && !lately;
    });
}

void PeerList::back_off(KnownPeer& peer, TimePoint now) {
    peer.state = KnownPeer::State::idle;
    Duration const soon = short_wait(peer);
    if (peer.user()) {  // the one peer a person named may be all there is: a reader waits no longer than it must
        peer.next_dial = now + soon;
        return;
    }
    Duration const wait = limit::kRedial * std::max(1u, troubles(peer));
    peer.next_dial = now + std::min<Duration>(peer.giver ? std::min(soon, wait) : wait, kLongestRedial);
}

void PeerList::failed(Endpoint const& endpoint, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry == peers_.end()) return;
    Change const change(*this, entry->second);
    ++entry->second.failures;
    back_off(entry->second, now);
}

void PeerList::hung_up(Endpoint const& endpoint, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry == peers_.end()) return;
    Change const change(*this, entry->second);
    ++entry->second.hang_ups;
    back_off(entry->second, now);
}

void PeerList::abandoned(Endpoint const& endpoint) {
    auto const entry = peers_.find(endpoint);
    if (entry == peers_.end() || entry->second.state != KnownPeer::State::dialling) return;
    Change const change(*this, entry->second);
    entry->second.state = KnownPeer::State::idle;
}

void PeerList::postponed(Endpoint const& endpoint, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry == peers_.end()) return;
    Change const change(*this, entry->second);
    back_off(entry->second, now);
}

bool PeerList::connected(Endpoint const& endpoint, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry == peers_.end()) return false;
    Change const change(*this, entry->second);
    entry->second.state = KnownPeer::State::connected;
    entry->second.last_try = now;
    return true;
}

void PeerList::disconnected(Endpoint const& endpoint, bool useful, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry == peers_.end()) return;
    auto& peer = entry->second;
    // Who was given up while it was connected stays so, whatever it brought before.
    if (peer.given_up() && peer.state == KnownPeer::State::idle) return;
    Change const change(*this, peer);
    if (useful) {
        peer.failures = peer.hang_ups = 0;
        peer.last_useful = now;
    } else {
        ++peer.failures;
    }
    back_off(peer, now);
}

void PeerList::set_seed(Endpoint const& endpoint, bool seed) {
    auto const entry = peers_.find(endpoint);
    if (entry != peers_.end()) entry->second.seed = seed;
}

void PeerList::set_giver(Endpoint const& endpoint, bool giver) {
    auto const entry = peers_.find(endpoint);
    if (entry != peers_.end() && !entry->second.given_up()) entry->second.giver = giver;
}

void PeerList::retry(Endpoint const& endpoint, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry != peers_.end()) entry->second.next_dial = std::min(entry->second.next_dial, now);
}

void PeerList::set_aside(Endpoint const& endpoint, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry != peers_.end()) entry->second.next_dial = std::max<TimePoint>(entry->second.next_dial, now + kSetAsideFor);
}

void PeerList::retry_all(TimePoint now, bool somebody_waits) {
    for (auto& [endpoint, peer] : peers_) {
        bool const patient = somebody_waits && peer.hang_ups > 0 && peer.last_try;
        auto const when = patient ? std::max(now, *peer.last_try + short_wait(peer)) : now;
        if (!peer.given_up()) peer.next_dial = std::min(peer.next_dial, when);
    }
}

void PeerList::ban(Address const& address) {
    for (auto entry = peers_.lower_bound(Endpoint{address, 0});
         entry != peers_.end() && entry->first.address == address;)
        erase(entry++);
    if (!banned_.insert(address).second) return;
    ban_order_.push_back(address);
    if (ban_order_.size() <= kBans) return;
    banned_.erase(ban_order_.front());
    ban_order_.pop_front();
}

void PeerList::give_up(Endpoint const& endpoint, TimePoint now) {
    auto const entry = peers_.find(endpoint);
    if (entry == peers_.end()) return;
    auto& peer = entry->second;
    Change const change(*this, peer);
    peer.sources.remove(PeerSource::user);
    peer.giver = false;
    peer.failures = limit::kMaxDialFailures;
    peer.last_try = now;
    peer.next_dial = std::max(peer.next_dial, now);  // from when the mark is kept
    peer.state = KnownPeer::State::idle;
}

void PeerList::forget(Endpoint const& endpoint) {
    auto const entry = peers_.find(endpoint);
    if (entry != peers_.end()) erase(entry);
}

void PeerList::keep_only(std::span<PeerSource const> sources) {
    for (auto entry = peers_.begin(); entry != peers_.end();) {
        auto const& peer = entry->second;
        bool const keep =
            peer.state == KnownPeer::State::connected ||
            std::any_of(sources.begin(), sources.end(), [&](PeerSource s) { return peer.sources.contains(s); });
        auto const current = entry++;
        if (!keep) erase(current);
    }
}

KnownPeer const* PeerList::find(Endpoint const& endpoint) const {
    auto const entry = peers_.find(endpoint);
    return entry == peers_.end() ? nullptr : &entry->second;
}

std::vector<KnownPeer> PeerList::best(std::size_t count) const {
    std::vector<KnownPeer> best;
    for (auto const& [endpoint, peer] : peers_)
        if (!peer.given_up()) best.push_back(peer);
    std::sort(best.begin(), best.end(), [](KnownPeer const& a, KnownPeer const& b) {
        auto const rank = [](KnownPeer const& p) {
            return std::tuple(p.state != KnownPeer::State::connected, !p.last_useful.has_value(), p.failures,
                              -p.last_useful.value_or(p.added).time_since_epoch(), p.endpoint);
        };
        return rank(a) < rank(b);
    });
    if (best.size() > count) best.resize(count);
    return best;
}

PeerList::Counts PeerList::counts() const {
    Counts counts;
    counts.banned = banned_.size();
    counts.filter_refused = filter_refused_;
    counts.vetting_refused = vetting_refused_;
    for (auto const& [endpoint, peer] : peers_) {
        if (peer.given_up()) continue;
        ++counts.known;
        counts.idle += peer.state == KnownPeer::State::idle;
        counts.dialling += peer.state == KnownPeer::State::dialling;
        counts.connected += peer.state == KnownPeer::State::connected;
        counts.seeds += peer.seed;
    }
    return counts;
}

}  // namespace rqfs::torrent
