#include "tests/sim/streaming/whole_pieces.h"

#include <algorithm>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr std::size_t kRequests = 128;
constexpr std::uint32_t kWindow = 32u << 20;
constexpr double kStealBefore = 10;
constexpr double kStealAtLast = 3;

}  // namespace

void WholePieces::piece_done(PieceIndex piece) {
    auto const owned = owned_.find(piece);
    if (owned == owned_.end()) return;
    Mean& mean = seconds_[owned->second.peer];
    mean.sum += now_ - owned->second.since;
    mean.count += 1;
    owned_.erase(owned);
}

void WholePieces::piece_freed(PieceIndex piece) { owned_.erase(piece); }

std::optional<PieceIndex> WholePieces::fresh(Peer const& peer, std::uint32_t begin, std::uint32_t end) {
    for (PieceIndex piece(begin); piece.value() < std::min(end, layout_.pieces()); ++piece) {
        if (have_.test(piece) || !peer.pieces.test(piece)) continue;
        if (!owned_.try_emplace(piece, Owned{peer.handle, now_}).second) continue;
        return piece;
    }
    return std::nullopt;
}

std::optional<PieceIndex> WholePieces::steal(Peer const& peer, double times) {
    auto const mine = seconds_.find(peer.handle);
    if (mine == seconds_.end()) return std::nullopt;
    double const least = times * mine->second.sum / mine->second.count;
    std::optional<PieceIndex> best;
    double longest = least;
    for (auto const& [piece, owned] : owned_) {
        if (owned.peer == peer.handle || !peer.pieces.test(piece) || now_ - owned.since < longest) continue;
        longest = now_ - owned.since;
        best = piece;
    }
    if (!best) return std::nullopt;
    auto const other = owned_.at(*best).peer;
    std::erase_if(to_ask_[other], [&](Block block) { return piece_of(block) == *best; });
    if (auto const robbed = peers_.find(other); robbed != peers_.end()) {
        auto const asked = robbed->second.asked;
        for (auto const& [block, when] : asked)
            if (piece_of(block) == *best) cancel(robbed->second, block);
    }
    owned_[*best] = {peer.handle, now_};
    return best;
}

std::optional<PieceIndex> WholePieces::acquire(Peer& peer) {
    if (auto const piece = steal(peer, kStealBefore)) return piece;
    auto const first = piece_of(reader()).value();
    if (auto const piece = fresh(peer, first, first + kWindow / layout_.piece_bytes())) return piece;
    if (auto const piece = fresh(peer, 0, layout_.pieces())) return piece;
    return steal(peer, kStealAtLast);
}

void WholePieces::tick() {
    for (Peer* const peer : shuffled()) {
        if (peer->choked || now_ < peer->wait_until) continue;
        auto& blocks = to_ask_[peer->handle];
        while (peer->asked.size() < kRequests) {
            if (blocks.empty()) {
                auto const piece = acquire(*peer);
                if (!piece) break;
                for (Block block = first_block(*piece); block < end_block(*piece); ++block)
                    if (!here(block)) blocks.push_back(block);
                if (blocks.empty()) break;
            }
            Block const block = blocks.front();
            blocks.pop_front();
            if (!here(block) && !peer->was_asked(block)) ask(*peer, block);
        }
    }
}

}  // namespace rqfs::tests
