#include "torrent/swarm/piece_picker_parole.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr double kUrgent = 3;  // seconds
constexpr double kLate = 2;    // seconds of silence, or four round trips, until urgent blocks go elsewhere
constexpr std::chrono::seconds kGivenUp{60};  // libtorrent request_timeout: after that no answer is waited for
constexpr std::uint32_t kLastBlocks = 4;      // a piece that misses no more is finished though nobody wants it now
constexpr double kHedgeSlack = 0.05;          // seconds a block may be late before it is asked for twice
constexpr double kHedgeGain = 0.05;           // seconds a copy must save, and the share of the time
constexpr double kHedgeShare = 0.25;
constexpr double kHedgeShareInDebt = 0.5;  // while the budget is overdrawn for readers who wait
constexpr double kNever = 1e9;             // seconds
constexpr std::uint32_t kCopies = 3;
constexpr std::chrono::seconds kFourthCopy{5};  // a reader blocked so long gets one more
constexpr std::uint32_t kHedgeRoom = 4;         // requests beyond a peer's depth, for hedges only
constexpr std::uint32_t kHedgeLooks = 2048;     // blocks looked at in one pass
constexpr std::chrono::milliseconds kHedgeTick{20};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

double PiecePicker::State::expected(RequestId id) const {
    BlockTable::Request const& request = table.request(id);
    PickerPeer const& peer = at(request.peer);
    double const ahead = double{kBlockBytes} * (request.ahead + peer.late_blocks.owed(request.sent, now));
    return peer.rate.expected(rate(peer), ahead - progress(peer), now - request.sent);
}

void PiecePicker::State::check_silence() {
    for (PickerPeer* const peer : peers) {
        if (!peer->rejects.empty()) {
            auto const over = [this](PickerPeer::Reject const& reject) { return reject.until <= now; };
            if (std::erase_if(peer->rejects, over) > 0) ++changes;
        }
        if (table.queue(peer->slot).size > 0) check_silence_of(*peer);
        if (peer->parole && peer->own_piece) Parole{*this}.give_up_urgent_piece(*peer);
    }
}

void PiecePicker::State::check_silence_of(PickerPeer& peer) {
    while (table.queue(peer.slot).first != kNone && now - table.request(table.queue(peer.slot).first).sent >= kGivenUp)
        withdraw(table.queue(peer.slot).first);
    RequestId const first = table.queue(peer.slot).first;
    Duration const silence = peer.rate.silence(now);
    if (first == kNone || silence < std::chrono::milliseconds(500)) return;

    if (silence >= PickerPeer::kSnubbedAfter && !peer.snubbed) {
        peer.snubbed = true;
        peer.late = true;
        release_own_piece(peer);
        // One request is left to learn that it is back.
        while (table.queue(peer.slot).last != first) withdraw(table.queue(peer.slot).last);
        doubt(first);
        return;
    }
    if (silence >= peer.rate.timeout() && !peer.late) {
        peer.late = true;
        release_own_piece(peer);
        doubt(first);
    }
    if (seconds(silence) < std::max(kLate, 4 * peer.rate.latency())) return;
    for (RequestId id = first; id != kNone; id = table.request(id).next_of_peer) {
        std::uint32_t const target = piece(table.request(id).block.piece).target;
        if (target >= sections[4] || !table.request(id).expected) continue;
        if (seconds_until(targets[target].wish.deadline) >= kUrgent) continue;
        peer.late = true;
        doubt(id);
    }
}

void PiecePicker::State::cancel_orphans() {
    if (orphans.empty()) return;
    for (PickerPeer const* peer : peers) table.number(peer->slot);
    for (PieceIndex const index : std::exchange(orphans, {})) {
        Piece const& p = piece(index);
        if (p.phase != Phase::in_flight || p.wanted || p.target != kNone) continue;
        FlightId const id = p.flight;
        auto const blocks = static_cast<std::uint32_t>(table.flight(id).blocks.size());
        if (table.flight(id).here > 0 && blocks - table.flight(id).here <= kLastBlocks) continue;
        for (std::uint32_t b = 0; b < blocks && p.flight == id; ++b) {
            for (RequestId request = table.flight(id).blocks[b].first; request != kNone && p.flight == id;) {
                RequestId const next = table.request(request).next_of_block;
                if (expected(request) >= at(table.request(request).peer).rate.latency()) withdraw(request);
                request = next;
            }
        }
    }
}

void PiecePicker::State::trim_background() {
    if (!std::exchange(trim_due, false) || open_targets.next(0) >= sections[4] || !urgent(kUrgent)) return;
    for (PickerPeer* const peer : peers) {
        std::uint32_t const depth = peer->rate.depth(rate(*peer), queue_seconds, false, peer->limit());
        for (RequestId id = table.queue(peer->slot).last; id != kNone && table.queue(peer->slot).expected > depth;) {
            BlockTable::Request const& request = table.request(id);
            RequestId const previous = request.previous_of_peer;
            if (request.expected && piece(request.block.piece).target >= sections[4]) withdraw(id);
            id = previous;
        }
    }
}

void PiecePicker::State::hedge() {
    if (now < next_hedge || pending_targets.next(0) >= sections[3] || !urgent(kUrgent)) return;
    next_hedge = now + kHedgeTick;
    for (PickerPeer const* peer : peers) table.number(peer->slot);
    std::uint32_t looks = 0;
    for (std::uint32_t i = pending_targets.next(0); i < sections[3] && looks < kHedgeLooks;
         i = pending_targets.next(i + 1)) {
        Target const& target = targets[i];
        FlightId const id = piece(target.wish.piece).flight;
        if (id == kNone || seconds_until(target.wish.deadline) >= kUrgent) continue;
        // While a block waits for a peer with room, copies of others only make it
        // wait longer.
        if (table.flight(id).free > 0) continue;
        looks += static_cast<std::uint32_t>(table.flight(id).blocks.size());
        hedge_piece(target, id);
    }
}

// The piece is here when the last of its blocks is: copies of the latest first, and none once that one cannot be
// helped.
void PiecePicker::State::hedge_piece(Target const& target, FlightId id) {
    std::vector<std::pair<double, std::uint32_t>> late;
    double const due = seconds_until(target.wish.deadline) + kHedgeSlack;
    auto const blocks = static_cast<std::uint32_t>(table.flight(id).blocks.size());
    for (std::uint32_t b = 0; b < blocks; ++b) {
        BlockTable::Block const& block = table.flight(id).blocks[b];
        if (block.here || block.expected == 0) continue;
        double soonest = kNever;
        for (RequestId r = block.first; r != kNone; r = table.request(r).next_of_block)
            if (table.request(r).expected) soonest = std::min(soonest, expected(r));
        if (soonest > due) late.emplace_back(soonest, b);
    }
    std::ranges::sort(late, std::ranges::greater{});
    double last = 0;  // when the piece comes with the copies so far
    for (auto const& [soonest, b] : late) {
        if (soonest <= last) return;
        double const copy = hedge_block(target, id, b, soonest);
        if (copy >= soonest) return;
        last = std::max(last, copy);
    }
}

// Asks for a copy if that saves enough of `current` seconds; returns when the block is then expected.
double PiecePicker::State::hedge_block(Target const& target, FlightId id, std::uint32_t block, double current) {
    BlockAddress const address{target.wish.piece, BlockIndex(block)};
    BlockTable::Block const& record = table.flight(id).blocks[block];
    bool const blocked = target.blocked_since != TimePoint{};
    std::uint32_t const copies = blocked && now - target.blocked_since >= kFourthCopy ? kCopies + 1 : kCopies;
    if (record.asked >= copies || (!blocked && !budget.affords(kBlockBytes))) return current;
    Seat* best = nullptr;
    for (Seat& seat : seats) {
        PickerPeer const& peer = *seat.peer;
        if (!seat.good || !peer.may_be_asked(address.piece) || !suits(peer, id, address.block)) continue;
        BlockTable::Queue const& queue = table.queue(peer.slot);
        std::uint32_t const depth = peer.rate.depth(seat.rate, queue_seconds, false, peer.limit());
        if (queue.expected + seat.owed >= depth + kHedgeRoom || queue.size >= peer.limit()) continue;
        if (best == nullptr || seat.expected() < best->expected()) best = &seat;
    }
    double const share = budget.affords(kBlockBytes) ? kHedgeShare : kHedgeShareInDebt;
    if (best == nullptr || best->expected() + std::max(kHedgeGain, share * current) >= current) return current;
    double const saved = best->expected();
    request(*best->peer, id, block);
    best->queued += kBlockBytes;
    budget.spend(kBlockBytes);
    return saved;
}

}  // namespace rqfs::torrent
