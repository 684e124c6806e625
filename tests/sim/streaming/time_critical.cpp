#include "tests/sim/streaming/time_critical.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr std::uint64_t kDeadlines = 16u << 20;  // bytes ahead that have one
constexpr double kPassEvery = 1;
constexpr double kLongestQueue = 2;  // seconds
constexpr double kUnitSlip = 1000;
constexpr double kLeastRate = 50;

}  // namespace

double TimeCritical::queue_time(Peer const& peer) const {
    double const bytes = static_cast<double>(peer.asked.size()) * kBlockBytes;
    double const speed = std::max(kLeastRate, peer.first_at < 0 ? mean_rate_ : rate(peer));
    return bytes / speed / kUnitSlip;
}

void TimeCritical::jumped() {
    Block const begin = reader();
    Block const end = begin + kDeadlines / kBlockBytes;
    for (auto& [handle, peer] : peers_) {
        auto const asked = peer.asked;
        for (auto const& [block, when] : asked)
            if (block < begin || block >= end) cancel(peer, block);
    }
    next_pass_ = 0;
}

void TimeCritical::piece_done(PieceIndex piece) {
    auto const first = first_asked_.find(piece);
    if (first == first_asked_.end()) return;
    double const taken = now_ - first->second;
    first_asked_.erase(first);
    if (average_ <= 0) {
        average_ = taken;
        return;
    }
    double const off = std::abs(taken - average_);
    deviation_ = deviation_ > 0 ? (deviation_ * 9 + off) / 10 : off;
    average_ = (average_ * 9 + taken) / 10;
}

std::vector<TimeCritical::Peer*> TimeCritical::candidates() {
    std::vector<Peer*> candidates;
    double sum = 0;
    for (auto& [handle, peer] : peers_) {
        sum += rate(peer);
        if (!peer.choked && !peer.snubbed && now_ >= peer.wait_until && peer.asked.size() <= 2 * depth(peer))
            candidates.push_back(&peer);
    }
    mean_rate_ = peers_.empty() ? 0 : sum / static_cast<double>(peers_.size());
    std::ranges::stable_sort(candidates, {}, [this](Peer const* peer) { return queue_time(*peer); });
    if (candidates.size() > 1) candidates.resize((candidates.size() * 9 + 9) / 10);
    return candidates;
}

std::uint32_t TimeCritical::timed_out(PieceIndex piece) {
    auto const [last, added] = last_asked_.try_emplace(piece, now_);
    if (average_ <= 0) return 0;
    return static_cast<std::uint32_t>((now_ - last->second) / std::max(average_ + deviation_ / 2, 1e-3));
}

// False when no peer can take more.
bool TimeCritical::pass(std::vector<Peer*>& candidates, PieceIndex piece) {
    bool any_free = false;
    for (Block block = first_block(piece); block < end_block(piece); ++block)
        any_free = any_free || (!here(block) && times_asked(block) == 0);
    std::uint32_t const copies = any_free ? 0 : timed_out(piece);
    if (!any_free && copies == 0) return true;
    for (Block block = first_block(piece); block < end_block(piece); ++block) {
        if (here(block) || times_asked(block) > copies) continue;
        Peer* best = nullptr;
        for (Peer* const peer : candidates) {
            if (peer->was_asked(block) || !may_be_asked(*peer, block) || peer->asked.size() > 2 * depth(*peer))
                continue;
            if (best == nullptr || queue_time(*peer) < queue_time(*best)) best = peer;
        }
        if (best == nullptr || queue_time(*best) > kLongestQueue) return false;
        ask(*best, block);
        first_asked_.try_emplace(piece, now_);
        if (any_free) last_asked_[piece] = now_;
    }
    return true;
}

void TimeCritical::tick() {
    if (now_ >= next_pass_) {
        next_pass_ = now_ + kPassEvery;
        auto peers = candidates();
        bool first = true;
        std::uint64_t ahead = 0;
        for (PieceIndex piece = piece_of(reader()); piece.value() < layout_.pieces() && ahead < kDeadlines; ++piece) {
            double const deadline = static_cast<double>(ahead) / scenario_.film_bytes;
            ahead += layout_.piece_bytes();
            if (have_.test(piece)) continue;
            if (!first && deadline > average_ + 4 * deviation_ + 1) break;
            first = false;
            if (!pass(peers, piece)) break;
        }
    }
    InOrder::tick();
}

}  // namespace rqfs::tests
