#include "torrent/peer/metadata_exchange.h"

#include "torrent/hash.h"
#include "torrent/settings.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace {

using namespace std::chrono_literals;

constexpr auto kRejected = 10s;       // they may fetch the metadata themselves meanwhile
constexpr auto kSingleSource = 300s;  // LT: the only source of wrong data
constexpr auto kOneOfSeveral = 2s;    // may be innocent
constexpr auto kStalled = 2s;         // an assembly without progress gives way to another
constexpr auto kGaveWay = 30s;        // those who held it up
constexpr auto kSlow = 8s;            // time enough for an assembly that is not large
constexpr std::uint32_t kLarge = 64;  // missing parts: 1 MiB, more than nearly any torrent needs
constexpr auto kNoRoom = 1s;
constexpr std::uint32_t kMostRequests = 8;  // at a time to one peer; others answer 64 (TR)

}  // namespace

MetadataExchange::~MetadataExchange() {
    for (auto* const assembly : with_data()) release(*assembly);
}

void MetadataExchange::peer_joined(PeerHandle handle, std::uint32_t claimed_bytes, TimePoint now) {
    auto const known = peers_.find(handle);
    if (known != peers_.end() && known->second.claimed_bytes == claimed_bytes) return;
    TimePoint usable_from = now;
    if (known != peers_.end()) {
        usable_from = std::max(now, known->second.usable_from);
        peer_left(handle, now);
    }
    if (claimed_bytes == 0 || claimed_bytes > limit::kMetadataBytes || finished_) return;
    auto& peer = peers_[handle];
    peer.claimed_bytes = claimed_bytes;
    peer.usable_from = usable_from;
    sizes_.try_emplace(claimed_bytes, Size{MetadataAssembly(claimed_bytes)});
}

void MetadataExchange::peer_left(PeerHandle handle, TimePoint) {
    auto const found = peers_.find(handle);
    if (found == peers_.end()) return;
    auto& peer = found->second;
    auto const claimed = peer.claimed_bytes;
    forget_requests(peer);
    if (peer.alone) release(*peer.alone);
    peers_.erase(found);
    // What others gave stays while there is room: the next peer may claim the same size.
    bool const claimed_still =
        std::any_of(peers_.begin(), peers_.end(), [&](auto const& p) { return p.second.claimed_bytes == claimed; });
    if (auto const size = sizes_.find(claimed);
        !claimed_still && size != sizes_.end() && size->second.shared.held_bytes() == 0)
        sizes_.erase(size);
}

void MetadataExchange::forget_requests(Peer& peer) {
    for (Asked const& asked : peer.asked)
        if (auto* const assembly = assembly_of(peer, asked.alone); assembly != nullptr && !asked.overdue)
            assembly->unasked(asked.piece);
    peer.asked.clear();
}

MetadataAssembly* MetadataExchange::assembly_of(Peer& peer, bool alone) {
    if (alone) return peer.alone ? &*peer.alone : nullptr;
    auto const size = sizes_.find(peer.claimed_bytes);
    return size == sizes_.end() ? nullptr : &size->second.shared;
}

void MetadataExchange::rest(Peer& peer, TimePoint until) { peer.usable_from = std::max(peer.usable_from, until); }

MetadataExchange::Outcome MetadataExchange::received(PeerHandle handle, MetadataMessage const& message, TimePoint now) {
    auto const found = peers_.find(handle);
    if (found == peers_.end() || finished_ || message.type == MetadataMessage::Type::request) return {};
    auto& peer = found->second;
    auto const entry =
        std::find_if(peer.asked.begin(), peer.asked.end(), [&](Asked const& a) { return a.piece == message.piece; });
    if (entry == peer.asked.end()) return {};
    auto const asked = *entry;
    peer.asked.erase(entry);
    if (auto* const assembly = assembly_of(peer, asked.alone); assembly != nullptr && !asked.overdue)
        assembly->unasked(asked.piece);
    if (message.type == MetadataMessage::Type::reject) {
        rest(peer, now + kRejected);
        return {};
    }
    return store(handle, peer, asked, message, now);
}

MetadataExchange::Outcome MetadataExchange::store(PeerHandle handle, Peer& peer, Asked const& asked,
                                                  MetadataMessage const& message, TimePoint now) {
    auto* const assembly = assembly_of(peer, asked.alone);
    bool const too_late = !asked.alone && sizes_.at(peer.claimed_bytes).mistrusted;
    if (assembly == nullptr || assembly->has(message.piece) || too_late) return {};
    if (message.total_bytes != peer.claimed_bytes || message.bytes.size() != assembly->part_bytes(message.piece)) {
        forget_requests(peer);
        rest(peer, now + kSingleSource);
        return {{}, {handle}};
    }
    if (!make_room(*assembly, message.bytes.size(), now)) {
        rest(peer, now + kNoRoom);
        return {};
    }
    if (peer.timeouts > 0) peer.usable_from = now;  // slow, but it answers
    peer.timeouts = 0;
    peer.window = std::min(peer.window * 2, kMostRequests);
    assembly->store(message.piece, handle, message.bytes, now);
    if (assembly->missing() > 0) return {};
    return complete(handle, peer, asked.alone, *assembly, now);
}

MetadataExchange::Outcome MetadataExchange::complete(PeerHandle handle, Peer& peer, bool alone,
                                                     MetadataAssembly& assembly, TimePoint now) {
    Outcome outcome;
    auto metadata = assembly.join();
    if (InfoHash(sha1(metadata)) == info_hash_) {
        outcome.metadata = std::move(metadata);
        finished_ = true;
        for (auto* const other : with_data()) release(*other);
        return outcome;
    }
    outcome.penalised = assembly.contributors();
    bool const single = outcome.penalised.size() == 1;
    for (auto const contributor : outcome.penalised) {
        auto const found = peers_.find(contributor);
        if (found == peers_.end()) continue;
        forget_requests(found->second);
        rest(found->second, now + (single ? Duration(kSingleSource) : Duration(kOneOfSeveral)));
    }
    release(assembly);
    if (!single) sizes_.at(peer.claimed_bytes).mistrusted = true;
    if (alone) {
        assert(single && outcome.penalised.front() == handle);
        peer.alone.reset();
    }
    return outcome;
}

std::vector<MetadataAssembly*> MetadataExchange::with_data() {
    std::vector<MetadataAssembly*> all;
    for (auto& [bytes, size] : sizes_)
        if (size.shared.held_bytes() > 0) all.push_back(&size.shared);
    for (auto& [handle, peer] : peers_)
        if (peer.alone && peer.alone->held_bytes() > 0) all.push_back(&*peer.alone);
    return all;
}

// Takes the bytes from the budget. Of too many assemblies one gives way: who stalls, else a very large one, else one
// that is slow.
bool MetadataExchange::make_room(MetadataAssembly const& newcomer, std::size_t bytes, TimePoint now) {
    for (;;) {
        auto others = with_data();
        std::erase(others, &newcomer);
        if (others.size() < limit::kMetadataSizesPerTorrent && budget_.take(bytes)) return true;
        if (others.empty()) return false;
        auto* const stalest = *std::ranges::min_element(others, {}, &MetadataAssembly::last_progress);
        auto* const largest = *std::ranges::max_element(others, {}, &MetadataAssembly::missing);
        auto* const oldest = *std::ranges::min_element(others, {}, &MetadataAssembly::begun);
        if (now - stalest->last_progress() >= kStalled)
            drop(*stalest, now + kGaveWay);
        else if (largest->missing() > std::max(kLarge, newcomer.missing()))
            drop(*largest, now + kNoRoom);
        else if (now - oldest->begun() >= kSlow)
            drop(*oldest, now + kSlow);
        else
            return false;
    }
}

void MetadataExchange::drop(MetadataAssembly& assembly, TimePoint rest_until) {
    for (auto const contributor : assembly.contributors())
        if (auto const found = peers_.find(contributor); found != peers_.end()) rest(found->second, rest_until);
    release(assembly);
}

void MetadataExchange::release(MetadataAssembly& assembly) {
    budget_.give_back(assembly.held_bytes());
    assembly.drop_data();
}

}  // namespace rqfs::torrent
