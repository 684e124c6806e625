#include "tests/sim/streaming/rqfs_streamer.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace rqfs::tests {

using namespace rqfs::torrent;

namespace {

constexpr ReaderId kPlayer{1};
// As Readers and Torrent have them.
constexpr std::chrono::milliseconds kRefreshInterval{20};
constexpr std::chrono::milliseconds kHurriedTick{100};
constexpr std::chrono::milliseconds kTick{250};

// Stands for the hash of what a peer sent: bad blocks of one peer are all the same, and like nobody else's.
Sha1Digest digest_of(PeerHandle sender, bool good) {
    Sha1Digest digest{};
    if (good) return digest;
    digest[0] = std::byte{1};
    digest[1] = static_cast<std::byte>(sender.value() & 0xff);
    digest[2] = static_cast<std::byte>(sender.value() >> 8 & 0xff);
    return digest;
}

}  // namespace

RqfsStreamer::RqfsStreamer(PieceLayout const& layout, std::uint64_t seed)
    : layout_(layout),
      picker_(layout, Bitfield(layout.pieces()), seed),
      demand_(layout, {0, layout.total_bytes()}, false, TimePoint(std::chrono::hours(1))),
      suspects_(Salt{}) {}

void RqfsStreamer::peer_joined(PeerHandle peer, Bitfield const& pieces, bool fast, TimePoint now) {
    picker_.peer_joined(peer, {.fast = fast, .max_requests = 250}, now);
    picker_.peer_has(peer, pieces);
}

void RqfsStreamer::peer_left(PeerHandle peer, TimePoint now) {
    picker_.peer_left(peer, now);
    suspects_.peer_left(peer);
}

void RqfsStreamer::peer_chokes(PeerHandle peer, bool choked, TimePoint now) { picker_.peer_chokes(peer, choked, now); }

void RqfsStreamer::block_rejected(PeerHandle peer, BlockAddress block, TimePoint now) {
    picker_.block_rejected(peer, block, now);
}

bool RqfsStreamer::block_arrived(PeerHandle peer, Received const& received, TimePoint now) {
    auto const [block, good, transfer] = received;
    if (picker_.second_try(block, peer) && !suspects_.confirms(block, peer, digest_of(peer, good))) {
        picker_.block_disputed(peer, block, now, transfer);
        return false;
    }
    auto const arrival = picker_.block_arrived(peer, block, now, transfer);
    bool const wanted = arrival == PiecePicker::Arrival::wanted;
    goodput_.add(wanted ? layout_.bytes(block) : 0, now);
    auto const known = assembly_.find(block.piece);
    if (!wanted) {
        if (arrival == PiecePicker::Arrival::unrequested || known == assembly_.end()) return false;
        Receipt const& stored = known->second.blocks[block.block.value()];
        if (stored.here && digest_of(stored.sender, stored.good) != digest_of(peer, good))
            apply(suspects_.block_differs(block, stored.sender, peer, digest_of(peer, good)));
        return false;
    }
    Assembly& assembly = assembly_[block.piece];
    assembly.blocks.resize(layout_.blocks(block.piece));
    assembly.blocks[block.block.value()] = {peer, good, true};
    assembly.bytes += layout_.bytes(block);
    if (++assembly.here == assembly.blocks.size()) finish(block.piece, now);
    return true;
}

void RqfsStreamer::finish(PieceIndex piece, TimePoint now) {
    Assembly const assembly = std::move(assembly_.extract(piece).mapped());
    std::vector<PeerHandle> senders;
    std::vector<Sha1Digest> hashes;
    for (Receipt const& block : assembly.blocks) {
        senders.push_back(block.sender);
        hashes.push_back(digest_of(block.sender, block.good));
    }
    if (std::ranges::all_of(assembly.blocks, &Receipt::good)) {
        picker_.piece_verified(piece);
        if (!suspects_.suspects().empty()) apply(suspects_.piece_passed(piece, senders, hashes));
    } else {
        failed_bytes_ += assembly.bytes;
        picker_.piece_failed(piece, senders, now);
        apply(suspects_.piece_failed(piece, senders, hashes));
    }
}

void RqfsStreamer::apply(Suspects::Verdict const& verdict) {
    for (auto const peer : verdict.parole) picker_.peer_parole(peer, true);
    for (auto const peer : verdict.release) picker_.peer_parole(peer, false);
    banned_.insert(banned_.end(), verdict.ban.begin(), verdict.ban.end());
}

Streamer::Ticket RqfsStreamer::read_started(ByteRange range, bool waits, TimePoint now) {
    auto const ticket = demand_.read_started(range, now);
    if (waits) {
        ++waiting_;
        refresh(now);
    }
    return ticket;
}

void RqfsStreamer::read_ended(Ticket ticket, bool waited, TimePoint now) {
    demand_.read_ended(ticket, now);
    if (waited) --waiting_;
    if (waited || now - refreshed_ >= kRefreshInterval) refresh(now);
}

void RqfsStreamer::refresh(TimePoint now) {
    refreshed_ = now;
    picker_.set_wishes(kPlayer, demand_.wishes(picker_.have(), goodput_.rate(now), now), now);
}

std::vector<Streamer::Order> RqfsStreamer::plan(TimePoint now) {
    if (now - ticked_ >= (waiting_ > 0 ? kHurriedTick : kTick)) {
        ticked_ = now;
        if (demand_.blocked() || demand_.next_change(now) <= now) refresh(now);
    }
    auto orders = picker_.plan(now);
    for (PieceIndex const piece : picker_.unwanted_pieces()) {
        if (auto const found = assembly_.find(piece); found != assembly_.end()) {
            abandoned_bytes_ += found->second.bytes;
            assembly_.erase(found);
        }
        picker_.piece_abandoned(piece);
    }
    return orders;
}

std::optional<TimePoint> RqfsStreamer::next_plan(TimePoint now) {
    auto const tick = ticked_ + (waiting_ > 0 ? kHurriedTick : kTick);
    return std::min(tick, picker_.next_plan(now).value_or(tick));
}

}  // namespace rqfs::tests
