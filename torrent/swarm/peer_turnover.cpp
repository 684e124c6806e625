#include "torrent/swarm/peer_turnover.h"

#include <algorithm>
#include <tuple>

namespace rqfs::torrent {

namespace {

// Smaller leaves first.
using Worth = std::tuple<int, double, PeerHandle>;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Of those that owe us something and had time to show what they can.
double median_rate(std::span<TurnoverPeer const> peers) {
    std::vector<double> rates;
    for (auto const& peer : peers)
        if (peer.asked && peer.unchokes_us >= PeerTurnover::kSlow) rates.push_back(peer.rate);
    if (rates.empty()) return 0;
    auto const middle = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2);
    std::nth_element(rates.begin(), middle, rates.end());
    return *middle;
}

// Nothing for a peer that is worth its place.
std::optional<Worth> useless(TurnoverPeer const& peer, double median, PeerTurnover::Places const& places) {
    if (peer.kept) return std::nullopt;
    auto const idle = -seconds(peer.useless);
    if (!peer.wanted && !peer.served && peer.useless >= PeerTurnover::kNothingForUs) return Worth(0, idle, peer.peer);
    // What it says of its own interest, however often, does not count here.
    if (places.starved && !peer.wanted && std::min(peer.unwanted, peer.gave_nothing) >= PeerTurnover::kNothingForUs)
        return Worth(1, -seconds(peer.unwanted), peer.peer);
    bool const slow =
        peer.asked && peer.unchokes_us >= PeerTurnover::kSlow && peer.rate < median * PeerTurnover::kSlowShare;
    if (places.active && slow) return Worth(2, peer.rate, peer.peer);
    if (!peer.wanted || peer.unchokes_us) return std::nullopt;
    if (!peer.served && peer.useless >= PeerTurnover::kChokesUs) return Worth(3, idle, peer.peer);
    if (places.starved && peer.gave_nothing >= PeerTurnover::kChokesUs)
        return Worth(4, -seconds(peer.gave_nothing), peer.peer);
    return std::nullopt;
}

// All that are not worth their places, the most useless first.
std::vector<Worth> all_useless(std::span<TurnoverPeer const> peers, PeerTurnover::Places const& places) {
    std::vector<Worth> worst;
    auto const median = median_rate(peers);
    for (auto const& peer : peers)
        if (auto const worth = useless(peer, median, places)) worst.push_back(*worth);
    std::sort(worst.begin(), worst.end());
    return worst;
}

}  // namespace

std::vector<PeerHandle> PeerTurnover::choose(std::span<TurnoverPeer const> peers, Places const& places, TimePoint now) {
    auto const full = static_cast<double>(places.taken) >= kFull * static_cast<double>(places.all);
    if (!full || !places.somebody_waits || now < next_) return {};
    auto worst = all_useless(peers, places);
    if (worst.empty()) return {};
    auto const most = std::max<std::size_t>(1, static_cast<std::size_t>(kShare * static_cast<double>(places.taken)));
    if (worst.size() > most) worst.erase(worst.begin() + static_cast<std::ptrdiff_t>(most), worst.end());
    next_ = now + (places.active ? Duration(kActivePace) : Duration(kPace));
    std::vector<PeerHandle> leaving;
    for (auto const& each : worst) leaving.push_back(std::get<PeerHandle>(each));
    return leaving;
}

std::vector<PeerHandle> PeerTurnover::make_room(std::span<TurnoverPeer const> peers, Places const& places,
                                                TimePoint now) {
    if (now < next_guest_) return {};
    auto const worst = all_useless(peers, places);
    if (worst.empty()) return {};
    next_guest_ = now + kGuestPace;
    return {std::get<PeerHandle>(worst.front())};
}

}  // namespace rqfs::torrent
