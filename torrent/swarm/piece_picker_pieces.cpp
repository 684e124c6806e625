#include "torrent/swarm/piece_picker_state.h"

#include "torrent/settings.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rqfs::torrent {

namespace {

// What a reader has left may be what it comes back to, and blocks of it are still on their way.
constexpr std::uint64_t kParkedBytes = limit::kUnverifiedBytes / 4;
constexpr std::chrono::seconds kParked{60};
constexpr std::chrono::seconds kStuck{10};  // a choke may be as short, but memory is wanted
constexpr std::chrono::milliseconds kSoonest{250};  // until it is looked at again
// So much faster than all others together is a peer who is asked again for what it may have spoilt: most are honest.
constexpr double kMuchFaster = 4;
// A withdrawn block counts as owed for so many times what the peer should need for all that it was asked.
constexpr double kOwedFactor = 1.5;

Duration in_time(double seconds) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

PiecePicker::State::State(PieceLayout const& where, Bitfield pieces_here, std::uint64_t seed)
    : layout(where),
      have(std::move(pieces_here)),
      pieces(where.pieces()),
      needed(where.pieces()),
      availability(where.pieces(), seed) {
    for (std::uint32_t i = 0; i < layout.pieces(); ++i)
        if (have.test(PieceIndex(i))) pieces[i].phase = Phase::have;
}

void PiecePicker::State::refresh() {
    if (!wishes_changed) return;
    wishes_changed = false;
    std::vector<Target> fresh;
    for (Wish const& wish : deadlines.merged()) {
        if (wish.piece.value() >= layout.pieces() || piece(wish.piece).phase == Phase::have) continue;
        std::uint32_t const before = piece(wish.piece).target;
        bool const blocked = wish.urgency == Urgency::blocked_player || wish.urgency == Urgency::blocked_copier;
        bool const was_blocked = before != kNone && targets[before].blocked_since != TimePoint{};
        fresh.push_back({wish, !blocked ? TimePoint{} : was_blocked ? targets[before].blocked_since : now});
    }
    std::vector<Target> const old = std::exchange(targets, std::move(fresh));
    auto const size = static_cast<std::uint32_t>(targets.size());
    open_targets.reset(size);
    pending_targets.reset(size);
    for (Target const& target : old) piece(target.wish.piece).target = kNone;
    sections.fill(0);
    for (std::uint32_t i = 0; i < size; ++i) {
        piece(targets[i].wish.piece).target = i;
        ++sections[static_cast<std::size_t>(targets[i].wish.urgency) + 1];
    }
    for (std::size_t i = 1; i < sections.size(); ++i) sections[i] += sections[i - 1];
    for (PieceIndex const index : deadlines.copiers_wait()) {
        if (index.value() >= layout.pieces()) continue;
        if (std::uint32_t const target = piece(index).target; target != kNone) targets[target].copier_waits = true;
    }
    for (Target const& target : targets) reclassify(target.wish.piece);
    for (Target const& target : old) {
        if (piece(target.wish.piece).target != kNone) continue;
        reclassify(target.wish.piece);
        orphans.push_back(target.wish.piece);
    }
    trim_due = true;
    ++changes;
}

void PiecePicker::State::want(Bitfield const& wanted) {
    wanted_missing = 0;
    for (std::uint32_t i = 0; i < layout.pieces(); ++i) {
        bool const now_wanted = wanted.test(PieceIndex(i));
        if (now_wanted && pieces[i].phase != Phase::have) ++wanted_missing;
        if (now_wanted == pieces[i].wanted) continue;
        pieces[i].wanted = now_wanted;
        reclassify(PieceIndex(i));
        if (!now_wanted) orphans.push_back(PieceIndex(i));
    }
    ++changes;
}

void PiecePicker::State::reclassify(PieceIndex index) {
    Piece const& p = piece(index);
    bool const wished = p.target != kNone;
    BlockTable::Flight* const flight = p.flight == kNone ? nullptr : &table.flight(p.flight);
    bool const open = p.phase == Phase::missing || (flight != nullptr && flight->free > 0 && !flight->alone);

    if (p.phase != Phase::have && (p.wanted || wished))
        needed.set(index.value());
    else
        needed.clear(index.value());

    bool const offer = p.phase == Phase::missing && p.wanted && !wished;
    if (offer != availability.offered(index)) {
        if (offer) ++changes;
        offer ? availability.offer(index) : availability.withdraw(index);
    }
    if (flight != nullptr) {
        bool const list = open && p.wanted && !wished;
        if (list && flight->listed == kNone) {
            flight->listed = static_cast<std::uint32_t>(begun.size());
            begun.push_back(p.flight);
            ++changes;
        } else if (!list && flight->listed != kNone) {
            std::uint32_t const place = std::exchange(flight->listed, kNone);
            FlightId const last = begun.back();
            begun.pop_back();
            if (place < begun.size()) {
                begun[place] = last;
                table.flight(last).listed = place;
            }
        }
    }
    if (!wished) return;
    if (open ? open_targets.set(p.target) : (open_targets.clear(p.target), false)) ++changes;
    if (p.phase == Phase::missing || p.phase == Phase::in_flight)
        pending_targets.set(p.target);
    else
        pending_targets.clear(p.target);
}

PiecePicker::State::FlightId PiecePicker::State::in_flight(PieceIndex index) {
    Piece& p = piece(index);
    if (p.phase == Phase::missing) {
        p.flight = table.open(index, layout.blocks(index));
        p.phase = Phase::in_flight;
        if (auto const pads = padding.find(index); pads != padding.end())
            for (BlockIndex const block : pads->second) table.arrived(p.flight, block);
        reclassify(index);
    }
    return p.flight;
}

void PiecePicker::State::settle(FlightId id) {
    BlockTable::Flight const& flight = table.flight(id);
    auto const pads = padding.find(flight.piece);
    if (flight.here == (pads == padding.end() ? 0 : pads->second.size()) && flight.outstanding == 0)
        end_flight(flight.piece, Phase::missing);
    else
        reclassify(flight.piece);
}

void PiecePicker::State::end_flight(PieceIndex index, Phase next) {
    Piece& p = piece(index);
    if (p.flight != kNone) {
        FlightId const id = p.flight;
        // The list of begun pieces is left while the flight still has its place in
        // it.
        table.flight(id).alone = true;
        reclassify(index);
        for (std::uint32_t b = 0; b < table.flight(id).blocks.size(); ++b)
            while (table.flight(id).blocks[b].first != kNone) withdraw(table.flight(id).blocks[b].first);
        if (p.flight == kNone) return end_flight(index, next);
        std::uint32_t const owner = table.flight(id).owner;
        if (owner != kNone && at(owner).own_piece == index) at(owner).own_piece.reset();
        if (crowded()) ++changes;
        table.close(id);
        p.flight = kNone;
    }
    if (p.wanted && (p.phase == Phase::have) != (next == Phase::have)) {
        if (next == Phase::have)
            --wanted_missing;
        else
            ++wanted_missing;
    }
    p.phase = next;
    next == Phase::have ? have.set(index) : have.clear(index);
    reclassify(index);
}

void PiecePicker::State::request(PickerPeer& peer, FlightId id, std::uint32_t block) {
    RequestId const request = table.ask(id, BlockIndex(block), peer.slot, now);
    table.flight(id).touched = now;
    peer.rate.asked(now);
    orders.push_back({Order::Kind::request, peer.handle, table.request(request).block});
    if (table.flight(id).free == 0) reclassify(table.flight(id).piece);
}

void PiecePicker::State::withdraw(RequestId id) {
    BlockTable::Request const& request = table.request(id);
    orders.push_back({Order::Kind::cancel, at(request.peer).handle, request.block});
    drop(id, true);
}

void PiecePicker::State::drop(RequestId id, bool remember) {
    BlockTable::Request const request = table.request(id);
    PickerPeer& peer = at(request.peer);
    if (remember) {
        BlockTable::Queue const& queue = table.queue(peer.slot);
        double const left = peer.rate.expected(rate(peer), double{kBlockBytes} * queue.size);
        peer.late_blocks.remember(request.block, request.sent, now + in_time(kOwedFactor * left), now);
    }
    table.drop(id);
    peer.nothing_as_of = 0;
    if (table.queue(peer.slot).size == 0) peer.rate.emptied(now);
    settle(request.flight);
}

void PiecePicker::State::doubt(RequestId id) {
    table.doubt(id);
    reclassify(table.request(id).block.piece);
}

void PiecePicker::State::doubt_all(PickerPeer& peer) {
    peer.rate.emptied(now);
    for (RequestId id = table.queue(peer.slot).first; id != kNone; id = table.request(id).next_of_peer)
        if (!peer.allows(table.request(id).block.piece)) doubt(id);
}

void PiecePicker::State::drop_all(PickerPeer& peer, bool remember) {
    while (table.queue(peer.slot).first != kNone) drop(table.queue(peer.slot).first, remember);
}

bool PiecePicker::State::crowded(std::uint32_t times) const {
    return std::uint64_t{table.in_use().size()} * layout.piece_bytes() > times * limit::kUnverifiedBytes;
}

bool PiecePicker::State::may_begin(PieceIndex index) {
    Piece const& p = piece(index);
    if (p.flight != kNone || !crowded()) return true;
    if (p.target == kNone || crowded(2)) return false;
    Urgency const urgency = targets[p.target].wish.urgency;
    return urgency == Urgency::blocked_player || urgency == Urgency::blocked_copier;
}

std::vector<PieceIndex> PiecePicker::State::unwanted() {
    refresh();
    std::vector<FlightId> parked;
    // Where they are crowded the least of those that nobody has the rest of gives way to others.
    FlightId least = kNone;
    auto const stuck = [this](BlockTable::Flight const& flight) {
        return flight.outstanding == 0 && flight.free > 0 && now - flight.touched >= kStuck &&
               std::ranges::none_of(peers, [&](PickerPeer const* peer) { return peer->may_be_asked(flight.piece); });
    };
    for (FlightId const id : table.in_use()) {
        BlockTable::Flight const& flight = table.flight(id);
        Piece const& p = piece(flight.piece);
        if (!p.wanted && p.target == kNone && flight.outstanding == 0) parked.push_back(id);
        bool const less = least == kNone || flight.here < table.flight(least).here;
        if (less && crowded() && stuck(flight)) least = id;
    }
    std::ranges::sort(parked, [this](FlightId a, FlightId b) {
        return std::pair(table.flight(b).touched, table.flight(a).piece) <
               std::pair(table.flight(a).touched, table.flight(b).piece);
    });
    std::vector<PieceIndex> unwanted;
    std::uint64_t bytes = 0;
    for (FlightId const id : parked) {
        BlockTable::Flight const& flight = table.flight(id);
        bytes += layout.bytes(flight.piece);
        if (bytes > kParkedBytes || now - flight.touched >= kParked) unwanted.push_back(flight.piece);
    }
    if (least != kNone) unwanted.push_back(table.flight(least).piece);
    std::ranges::sort(unwanted);
    unwanted.erase(std::ranges::unique(unwanted).begin(), unwanted.end());
    return unwanted;
}

std::optional<TimePoint> PiecePicker::State::unwanted_from() {
    std::optional<TimePoint> from;
    for (FlightId const id : table.in_use())
        from = std::min(from.value_or(TimePoint::max()), table.flight(id).touched + kParked);
    return from ? std::optional(std::max(*from, now + kSoonest)) : std::nullopt;
}

PiecePicker::Arrival PiecePicker::State::arrived(PickerPeer& peer, BlockAddress block, Duration transfer) {
    FlightId const id = piece(block.piece).flight;
    RequestId const request = id == kNone ? kNone : table.find(id, block.block, peer.slot);
    if (request == kNone && !peer.late_blocks.take(block, now)) return Arrival::unrequested;
    budget.received(layout.bytes(block));
    peer.late = false;
    peer.snubbed = false;
    if (request == kNone) {
        peer.rate.received_late(layout.bytes(block), now);
        return arrived_late(block);
    }

    peer.rate.received(layout.bytes(block), table.request(request).sent, now, transfer);
    if (!peer.late_blocks.empty()) peer.late_blocks.answered(table.request(request).sent);
    table.arrived(id, block.block);
    table.flight(id).touched = now;
    while (table.flight(id).blocks[block.block.value()].first != kNone) {
        RequestId const asked = table.flight(id).blocks[block.block.value()].first;
        asked == request ? drop(asked, false) : withdraw(asked);
    }
    if (table.flight(id).complete()) end_flight(block.piece, Phase::complete);
    return Arrival::wanted;
}

// It counts for what it says of the peer, but the block is still missing.
void PiecePicker::State::disputed(PickerPeer& peer, BlockAddress block, Duration transfer) {
    FlightId const id = piece(block.piece).flight;
    RequestId const request = id == kNone ? kNone : table.find(id, block.block, peer.slot);
    if (request == kNone && !peer.late_blocks.take(block, now)) return;
    budget.received(layout.bytes(block));
    peer.late = false;
    peer.snubbed = false;
    second_tries.disputed(block, peer.handle);
    if (request == kNone) return peer.rate.received_late(layout.bytes(block), now);
    peer.rate.received(layout.bytes(block), table.request(request).sent, now, transfer);
    if (!peer.late_blocks.empty()) peer.late_blocks.answered(table.request(request).sent);
    drop(request, false);
}

PiecePicker::Arrival PiecePicker::State::arrived_late(BlockAddress block) {
    refresh();
    Piece const& p = piece(block.piece);
    bool const welcome = (p.phase == Phase::in_flight || p.phase == Phase::missing) && may_begin(block.piece);
    FlightId const id = welcome ? in_flight(block.piece) : kNone;
    if (id == kNone || table.flight(id).blocks[block.block.value()].here) {
        duplicate_bytes += layout.bytes(block);
        return Arrival::duplicate;
    }
    table.arrived(id, block.block);
    table.flight(id).touched = now;
    while (table.flight(id).blocks[block.block.value()].first != kNone)
        withdraw(table.flight(id).blocks[block.block.value()].first);
    if (table.flight(id).complete())
        end_flight(block.piece, Phase::complete);
    else
        reclassify(block.piece);
    return Arrival::wanted;
}

bool PiecePicker::State::suits(PickerPeer const& peer, FlightId id, BlockIndex block) const {
    BlockTable::Flight const& flight = table.flight(id);
    if (flight.blocks[block.value()].first != kNone && table.find(id, block, peer.slot) != kNone) return false;
    BlockAddress const address{flight.piece, block};
    if (peer.rejected_lately(address, now)) return false;
    if (flight.alone || !second_tries.sent(address, peer.handle)) return true;
    double others = 0;  // bytes a second of those who have not sent it
    for (PickerPeer const* other : peers)
        if (!other->late && other->may_be_asked(flight.piece) && !second_tries.sent(address, other->handle))
            others += rate(*other);
    return kMuchFaster * others <= rate(peer);
}

std::uint32_t PiecePicker::State::take(Seat& seat, PieceIndex index, std::uint32_t limit) {
    if (seat.room == 0 || !may_begin(index)) return 0;
    PickerPeer& peer = *seat.peer;
    FlightId const id = in_flight(index);
    std::uint32_t taken = 0;
    while (taken < limit && seat.room > 0 && table.flight(id).free > 0) {
        std::uint32_t const block = table.find_free(id, [&](BlockIndex free) { return suits(peer, id, free); });
        if (block == kNone) break;
        request(peer, id, block);
        seat.queued += kBlockBytes;
        --seat.room;
        --rooms;
        ++taken;
    }
    if (taken == 0) settle(id);
    return taken;
}

}  // namespace rqfs::torrent
