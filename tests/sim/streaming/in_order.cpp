#include "tests/sim/streaming/in_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr double kQueueSeconds = 3;
constexpr double kSilence = 20;
constexpr std::uint32_t kDeepest = 500;
constexpr std::uint32_t kShallowest = 2;
constexpr std::uint32_t kWindowBlocks = (64u << 20) / kBlockBytes;
constexpr double kCountEvery = 2;  // seconds

}  // namespace

std::uint32_t InOrder::depth(Peer const& peer) const {
    if (peer.snubbed) return 1;
    auto const wanted = static_cast<std::uint32_t>(kQueueSeconds * rate(peer) / kBlockBytes) + 2;
    return std::clamp(wanted, kShallowest, kDeepest);
}

void InOrder::tick() {
    give_up_silent();
    std::vector<Block> blocks;
    for (Peer* const peer : shuffled()) {
        auto const wanted = depth(*peer);
        if (peer->choked || now_ < peer->wait_until || peer->asked.size() >= wanted) continue;
        if (blocks.empty()) blocks = order();
        for (std::size_t i = 0; i < blocks.size() && peer->asked.size() < wanted; ++i)
            if (times_asked(blocks[i]) == 0 && may_be_asked(*peer, blocks[i])) ask(*peer, blocks[i]);
    }
}

void InOrder::give_up_silent() {
    for (auto& [handle, peer] : peers_) {
        if (peer.asked.empty() || now_ - std::max(peer.last_at, peer.busy_since) <= kSilence) continue;
        peer.snubbed = true;
        peer.busy_since = now_;
        while (peer.asked.size() > 1) cancel(peer, peer.asked.back().first);
        forget(peer, peer.asked.front().first);
    }
}

std::vector<InOrder::Block> InOrder::order() {
    std::vector<Block> blocks;
    auto const end = std::min(reader() + kWindowBlocks, end_block(PieceIndex(layout_.pieces() - 1)));
    for (Block block = reader(); block < end; ++block)
        if (!here(block) && times_asked(block) == 0) blocks.push_back(block);
    return blocks;
}

std::vector<RarestFirst::Block> RarestFirst::order() {
    if (now_ >= counted_at_ + kCountEvery) {
        counted_at_ = now_;
        std::vector<std::uint32_t> peers(layout_.pieces());
        std::vector<std::uint32_t> begun(layout_.pieces());
        for (PieceIndex piece; piece.value() < layout_.pieces(); ++piece) {
            for (auto const& [handle, peer] : peers_) peers[piece.value()] += peer.pieces.test(piece) ? 1u : 0u;
            for (Block block = first_block(piece); block < end_block(piece); ++block)
                begun[piece.value()] += here(block) || times_asked(block) > 0 ? 1u : 0u;
        }
        pieces_.clear();
        for (PieceIndex piece; piece.value() < layout_.pieces(); ++piece) pieces_.push_back(piece);
        for (std::size_t i = pieces_.size(); i > 1; --i) std::swap(pieces_[i - 1], pieces_[random_.number() % i]);
        std::ranges::stable_sort(
            pieces_, {}, [&](PieceIndex piece) { return std::pair(begun[piece.value()] == 0, peers[piece.value()]); });
    }
    std::vector<Block> blocks;
    for (PieceIndex const piece : pieces_) {
        if (blocks.size() >= kWindowBlocks) break;
        if (have_.test(piece)) continue;
        for (Block block = first_block(piece); block < end_block(piece); ++block)
            if (!here(block) && times_asked(block) == 0) blocks.push_back(block);
    }
    return blocks;
}

}  // namespace rqfs::tests
