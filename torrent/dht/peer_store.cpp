#include "torrent/dht/peer_store.h"

#include "torrent/address_network.h"
#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <span>

namespace rqfs::torrent {

namespace {

std::uint32_t seconds_of(TimePoint when) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count());
}

}  // namespace

Endpoint PeerStore::Peer::endpoint() const {
    auto const bytes = std::as_bytes(std::span(address));
    return {Address::from_bytes(v6 ? bytes : bytes.first(4)).value(), port};
}

bool PeerStore::Peer::has_address(Address const& other) const {
    return v6 == other.is_v6() && std::equal(other.bytes().begin(), other.bytes().end(), address.begin());
}

// As household_of(), in a loop over all peers.
bool PeerStore::Peer::shares_household(Address const& other) const {
    return v6 == other.is_v6() &&
           std::equal(address.begin(), address.begin() + (v6 ? kHouseholdBytesV6 : 4), other.bytes().begin());
}

bool PeerStore::Peer::alive(TimePoint now) const {
    return seconds_of(now) - seconds < std::chrono::seconds(limit::kDhtPeerLife).count();
}

// The torrent's peers, its place made if need be: then the torrent farthest from us goes, which may be this one.
PeerStore::Peers* PeerStore::torrent(NodeId const& own, InfoHash const& info_hash) {
    auto const found = torrents_.find(info_hash);
    if (found != torrents_.end()) return &found->second;
    if (torrents_.size() >= limit::kDhtStoredHashes) {
        if (!farthest_ || farthest_->first != own) find_farthest(own);
        auto const& farthest = farthest_->second;
        if (is_closer(own, NodeId(farthest), NodeId(info_hash))) return nullptr;
        drop(torrents_.find(farthest));
    }
    return &torrents_[info_hash];
}

// Kept until a torrent goes, so that a flood of far ones costs one comparison each.
void PeerStore::find_farthest(NodeId const& own) {
    auto const nearer = [&](auto const& a, auto const& b) { return is_closer(own, NodeId(a.first), NodeId(b.first)); };
    farthest_ = {own, std::max_element(torrents_.begin(), torrents_.end(), nearer)->first};
}

void PeerStore::drop(std::map<InfoHash, Peers>::iterator torrent) {
    peers_ -= torrent->second.size();
    torrents_.erase(torrent);
    farthest_.reset();
}

bool PeerStore::announce(NodeId const& own, InfoHash const& info_hash, Endpoint const& endpoint, bool seed,
                         TimePoint now) {
    auto* const peers = torrent(own, info_hash);
    if (!peers) return false;
    Peer fresh{{}, endpoint.port, endpoint.address.is_v6(), seed, seconds_of(now)};
    std::copy(endpoint.address.bytes().begin(), endpoint.address.bytes().end(), fresh.address.begin());
    Peer* oldest = nullptr;
    Peer* oldest_of_household = nullptr;
    std::size_t of_household = 0;
    for (auto& each : *peers) {
        if (!oldest || each.seconds < oldest->seconds) oldest = &each;
        if (!each.shares_household(endpoint.address)) continue;
        if (each.port == endpoint.port && each.has_address(endpoint.address)) {
            each = fresh;
            return true;
        }
        ++of_household;
        if (!oldest_of_household || each.seconds < oldest_of_household->seconds) oldest_of_household = &each;
    }
    if (of_household >= limit::kDhtStoredPeersPerAddress) {
        *oldest_of_household = fresh;
    } else if (peers->size() >= limit::kDhtStoredPeers) {
        *oldest = fresh;
    } else {
        // A quarter more at a time: doubling would leave up to half of 32 MB unused.
        if (peers->size() == peers->capacity())
            peers->reserve(std::min(limit::kDhtStoredPeers, peers->size() + peers->size() / 4 + 1));
        peers->push_back(fresh);
        ++peers_;
    }
    return true;
}

std::vector<Endpoint> PeerStore::peers(InfoHash const& info_hash, std::size_t most, bool without_seeds,
                                       std::uint64_t random, TimePoint now) const {
    std::vector<Endpoint> chosen;
    auto const found = torrents_.find(info_hash);
    if (found == torrents_.end()) return chosen;
    auto const& peers = found->second;
    for (std::size_t i = 0; i < peers.size() && chosen.size() < most; ++i) {
        auto const& peer = peers[(i + random) % peers.size()];
        if (peer.alive(now) && !(without_seeds && peer.seed)) chosen.push_back(peer.endpoint());
    }
    return chosen;
}

std::optional<PeerStore::Filters> PeerStore::scrape(InfoHash const& info_hash, TimePoint now) const {
    auto const found = torrents_.find(info_hash);
    if (found == torrents_.end()) return std::nullopt;
    Filters filters;
    for (auto const& peer : found->second)
        if (peer.alive(now)) (peer.seed ? filters.seeds : filters.downloaders).insert(peer.endpoint().address);
    return filters;
}

std::vector<InfoHash> PeerStore::sample(std::size_t most, std::uint64_t random) const {
    std::vector<InfoHash> chosen;
    if (torrents_.empty()) return chosen;
    auto each = std::next(torrents_.begin(), static_cast<std::ptrdiff_t>(random % torrents_.size()));
    for (most = std::min(most, torrents_.size()); chosen.size() < most; ++each) {
        if (each == torrents_.end()) each = torrents_.begin();
        chosen.push_back(each->first);
    }
    return chosen;
}

void PeerStore::expire(TimePoint now) {
    farthest_.reset();
    for (auto torrent = torrents_.begin(); torrent != torrents_.end();) {
        peers_ -= std::erase_if(torrent->second, [&](Peer const& peer) { return !peer.alive(now); });
        torrent = torrent->second.empty() ? torrents_.erase(torrent) : std::next(torrent);
    }
}

}  // namespace rqfs::torrent
