#include "torrent/swarm/piece_picker_state.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr double kUrgent = 3;     // seconds
constexpr double kParoleFar = 6;  // a deadline that leaves time for another try

}  // namespace

// The quickest of those on parole comes first: it fetches what is most urgent.
void PiecePicker::State::assign_to_parole() {
    std::vector<Seat*> on_parole;
    for (Seat& seat : seats)
        if (seat.room > 0 && seat.peer->parole) on_parole.push_back(&seat);
    std::ranges::stable_sort(on_parole, std::ranges::greater{}, &Seat::rate);
    for (Seat* const seat : on_parole) assign_parole(*seat);
}

// Whether this peer alone would have the rest of a piece sooner than all those who are not on parole.
bool PiecePicker::State::better_alone(PickerPeer const& peer, PieceIndex index) const {
    bool anybody = false;
    double others = 0;
    for (PickerPeer const* other : peers) {
        if (other->parole || !other->may_be_asked(index)) continue;
        anybody = true;
        if (!other->late && other->rate.known()) others += rate(*other);
    }
    return !anybody || (peer.rate.known() && !peer.late && rate(peer) > others);
}

std::optional<PieceIndex> PiecePicker::State::piece_for_parole(PickerPeer& peer) {
    // What readers wait for, where hardly anybody else is left to fetch it.
    for (std::uint32_t target = pending_targets.next(0); target < sections[4];
         target = pending_targets.next(target + 1)) {
        PieceIndex const index = targets[target].wish.piece;
        if (seconds_until(targets[target].wish.deadline) >= kParoleFar) break;
        FlightId const id = piece(index).flight;
        if (id != kNone && (table.flight(id).alone || table.flight(id).complete())) continue;
        if (peer.may_be_asked(index) && better_alone(peer, index)) return index;
    }
    if (auto const next = fresh_for(peer)) return next;
    for (std::uint32_t target = open_targets.previous(open_targets.size()); target < open_targets.size();
         target = open_targets.previous(target)) {
        PieceIndex const index = targets[target].wish.piece;
        if (piece(index).phase != Phase::missing || !peer.may_be_asked(index)) continue;
        if (seconds_until(targets[target].wish.deadline) >= kParoleFar) return index;
    }
    return std::nullopt;
}

void PiecePicker::State::assign_parole(Seat& seat) {
    PickerPeer& peer = *seat.peer;
    // A choked peer that rejects a piece it had allowed does not allow it any more (BEP 6).
    if (peer.own_piece && (!needed.test(peer.own_piece->value()) || !peer.may_be_asked(*peer.own_piece))) release_own_piece(peer);
    if (!peer.own_piece) {
        if (table.queue(peer.slot).size > 0) return;
        std::optional<PieceIndex> const next = piece_for_parole(peer);
        if (!next || !may_begin(*next)) return;
        own_alone(peer, *next);
    }
    PieceIndex const index = *peer.own_piece;
    if (piece(index).phase != Phase::in_flight) return;
    take(seat, index, kUnlimited);
    if (piece(index).phase != Phase::in_flight) peer.own_piece.reset();
}

void PiecePicker::State::own_alone(PickerPeer& peer, PieceIndex index) {
    BlockTable::Flight& flight = table.flight(in_flight(index));
    if (flight.owner != kNone) release_own_piece(at(flight.owner));
    peer.own_piece = index;
    flight.owner = peer.slot;
    flight.alone = true;
    // Whoever was asked before is too slow, or would spoil the proof.
    for (BlockTable::Block const& block : flight.blocks)
        for (RequestId id = block.first; id != kNone; id = table.request(id).next_of_block) table.doubt(id);
    reclassify(index);
}

void PiecePicker::State::give_up_urgent_piece(PickerPeer& peer) {
    PieceIndex const index = *peer.own_piece;
    std::uint32_t const target = piece(index).target;
    if (target == kNone || seconds_until(targets[target].wish.deadline) >= kUrgent) return;
    if (!better_alone(peer, index)) release_own_piece(peer);
}

}  // namespace rqfs::torrent
