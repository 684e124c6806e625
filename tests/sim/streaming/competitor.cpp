#include "tests/sim/streaming/competitor.h"

#include "tests/sim/streaming/simulated_time.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr std::chrono::milliseconds kTick{50};
constexpr double kAfterReject = 1;         // seconds
constexpr std::uint32_t kBadPieces = 3;    // until a peer that was not alone is banned
constexpr std::uint64_t kJump = 1u << 20;  // a read further away than this is a seek

}  // namespace

Competitor::Competitor(PieceLayout const& layout, Scenario const& scenario, std::uint64_t seed)
    : layout_(layout),
      scenario_(scenario),
      random_(seed),
      have_(layout.pieces()),
      piece_blocks_(layout.piece_bytes() / kBlockBytes),
      here_(layout.pieces() * piece_blocks_),
      times_asked_(here_.size()) {
    for (PieceIndex piece; piece.value() < layout.pieces(); ++piece) missing_.push_back(layout.blocks(piece));
}

bool Competitor::Peer::was_asked(Block block) const {
    return std::ranges::any_of(asked, [block](auto const& request) { return request.first == block; });
}

BlockAddress Competitor::address(Block block) const { return {piece_of(block), BlockIndex(block % piece_blocks_)}; }

void Competitor::peer_joined(PeerHandle handle, Bitfield const& pieces, bool fast, TimePoint) {
    Peer peer;
    peer.handle = handle;
    peer.pieces = pieces;
    peer.fast = fast;
    peers_.emplace(handle, std::move(peer));
}

void Competitor::peer_left(PeerHandle handle, TimePoint) {
    auto const found = peers_.find(handle);
    if (found == peers_.end()) return;
    while (!found->second.asked.empty()) forget(found->second, found->second.asked.back().first);
    peers_.erase(found);
}

void Competitor::peer_chokes(PeerHandle handle, bool choked, TimePoint) {
    auto const found = peers_.find(handle);
    if (found == peers_.end()) return;
    found->second.choked = choked;
    while (choked && !found->second.fast && !found->second.asked.empty())
        forget(found->second, found->second.asked.back().first);
}

void Competitor::block_rejected(PeerHandle handle, BlockAddress block, TimePoint now) {
    auto const found = peers_.find(handle);
    Block const number = first_block(block.piece) + block.block.value();
    if (found == peers_.end() || !found->second.was_asked(number)) return;
    found->second.wait_until = seconds_at(now) + kAfterReject;
    forget(found->second, number);
}

bool Competitor::block_arrived(PeerHandle handle, Received const& received, TimePoint now) {
    auto const block = received.address;
    now_ = seconds_at(now);
    auto const found = peers_.find(handle);
    if (found == peers_.end()) return false;
    Block const number = first_block(block.piece) + block.block.value();
    Peer& peer = found->second;
    count(peer, layout_.bytes(block));
    std::erase_if(peer.asked, [&](auto const& request) {
        if (request.first != number) return false;
        --times_asked_[number];
        return true;
    });
    if (here_[number]) return false;
    here_[number] = true;
    if (times_asked_[number] > 0)
        for (auto& [other, record] : peers_)
            if (record.was_asked(number)) cancel(record, number);
    auto const [all_good, added] = senders_[block.piece].try_emplace(handle, received.good);
    all_good->second = all_good->second && received.good;
    if (--missing_[block.piece.value()] == 0) finish(block.piece);
    return true;
}

void Competitor::count(Peer& peer, std::uint32_t bytes) {
    auto const size = static_cast<std::int64_t>(peer.bytes.size());
    auto const second = static_cast<std::int64_t>(now_);
    for (auto s = std::max(peer.second + 1, second - size + 1); s <= second; ++s)
        peer.bytes[static_cast<std::size_t>(s % size)] = 0;
    peer.second = second;
    peer.bytes[static_cast<std::size_t>(second % size)] += bytes;
    if (peer.first_at < 0) peer.first_at = now_;
    peer.last_at = now_;
    peer.snubbed = false;
}

double Competitor::rate(Peer const& peer) const {
    if (peer.first_at < 0) return 0;
    auto const size = static_cast<std::int64_t>(peer.bytes.size());
    auto const oldest = static_cast<std::int64_t>(now_) - size + 1;
    double bytes = 0;
    for (auto s = std::max(oldest, std::max<std::int64_t>(0, peer.second - size + 1)); s <= peer.second; ++s)
        bytes += peer.bytes[static_cast<std::size_t>(s % size)];
    return bytes / std::clamp(now_ - peer.first_at, 0.5, 10.0);
}

void Competitor::finish(PieceIndex piece) {
    auto const senders = std::move(senders_.extract(piece).mapped());
    if (std::ranges::all_of(senders, [](auto const& sender) { return sender.second; })) {
        have_.set(piece);
        piece_done(piece);
        return;
    }
    failed_bytes_ += layout_.bytes(piece);
    missing_[piece.value()] = layout_.blocks(piece);
    for (Block block = first_block(piece); block < end_block(piece); ++block) here_[block] = false;
    for (auto const& [handle, good] : senders) {
        auto const peer = peers_.find(handle);
        if (peer != peers_.end() && (++peer->second.bad_pieces >= kBadPieces || senders.size() == 1))
            banned_.push_back(handle);
    }
    piece_freed(piece);
}

void Competitor::ask(Peer& peer, Block block) {
    if (peer.asked.empty()) peer.busy_since = now_;
    peer.asked.emplace_back(block, now_);
    ++times_asked_[block];
    orders_.push_back({Order::Kind::request, peer.handle, address(block)});
}

void Competitor::cancel(Peer& peer, Block block) {
    orders_.push_back({Order::Kind::cancel, peer.handle, address(block)});
    forget(peer, block);
}

void Competitor::forget(Peer& peer, Block block) {
    std::erase_if(peer.asked, [block](auto const& request) { return request.first == block; });
    --times_asked_[block];
    if (!here_[block]) piece_freed(piece_of(block));
}

std::vector<Competitor::Peer*> Competitor::shuffled() {
    std::vector<Peer*> peers;
    for (auto& [handle, peer] : peers_) peers.push_back(&peer);
    for (std::size_t i = peers.size(); i > 1; --i) std::swap(peers[i - 1], peers[random_.number() % i]);
    return peers;
}

Streamer::Ticket Competitor::read_started(ByteRange range, bool, TimePoint now) {
    now_ = seconds_at(now);
    auto const distance = std::max(range.begin, last_end_) - std::min(range.begin, last_end_);
    // The kernel reads ahead: what the player itself waits for is the read before.
    if (distance > kJump || layout_.piece_at(position_) == layout_.piece_at(range.begin) ||
        have_.test(layout_.piece_at(position_)))
        position_ = range.begin;
    last_end_ = range.end;
    if (distance > kJump) jumped();
    return 0;
}

std::vector<Streamer::Order> Competitor::plan(TimePoint now) {
    now_ = seconds_at(now);
    if (now >= next_tick_) {
        next_tick_ = now + kTick;
        tick();
    }
    return std::exchange(orders_, {});
}

}  // namespace rqfs::tests
