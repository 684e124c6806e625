#include "torrent/swarm/piece_picker_parole.h"

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
void PiecePicker::State::Parole::assign() {
    std::vector<Seat*> on_parole;
    for (Seat& seat : state.seats)
        if (seat.room > 0 && seat.peer->parole) on_parole.push_back(&seat);
    std::ranges::stable_sort(on_parole, std::ranges::greater{}, &Seat::rate);
    for (Seat* const seat : on_parole) assign(*seat);
}

// Whether this peer alone would have the rest of a piece sooner than all those who are not on parole.
bool PiecePicker::State::Parole::better_alone(PickerPeer const& peer, PieceIndex index) const {
    bool anybody = false;
    double others = 0;
    for (PickerPeer const* other : state.peers) {
        if (other->parole || !other->may_be_asked(index)) continue;
        anybody = true;
        if (!other->late && other->rate.known()) others += state.rate(*other);
    }
    return !anybody || (peer.rate.known() && !peer.late && state.rate(peer) > others);
}

std::optional<PieceIndex> PiecePicker::State::Parole::piece_for(PickerPeer& peer) const {
    auto const& targets = state.targets;
    // What readers wait for, where hardly anybody else is left to fetch it.
    for (std::uint32_t target = state.pending_targets.next(0); target < state.sections[4];
         target = state.pending_targets.next(target + 1)) {
        PieceIndex const index = targets[target].wish.piece;
        if (state.seconds_until(targets[target].wish.deadline) >= kParoleFar) break;
        FlightId const id = state.piece(index).flight;
        if (id != kNone && (state.table.flight(id).alone || state.table.flight(id).complete())) continue;
        if (state.second_tries.is_one(index)) continue;
        if (peer.may_be_asked(index) && better_alone(peer, index)) return index;
    }
    if (auto const next = state.fresh_for(peer)) return next;
    auto const& open = state.open_targets;
    for (std::uint32_t target = open.previous(open.size()); target < open.size(); target = open.previous(target)) {
        PieceIndex const index = targets[target].wish.piece;
        if (state.piece(index).phase != Phase::missing || !peer.may_be_asked(index)) continue;
        if (state.second_tries.is_one(index)) continue;
        if (state.seconds_until(targets[target].wish.deadline) >= kParoleFar) return index;
    }
    return std::nullopt;
}

void PiecePicker::State::Parole::assign(Seat& seat) {
    PickerPeer& peer = *seat.peer;
    // A choked peer that rejects a piece it had allowed does not allow it any more (BEP 6).
    if (peer.own_piece && (!state.needed.test(peer.own_piece->value()) || !peer.may_be_asked(*peer.own_piece)))
        state.release_own_piece(peer);
    if (!peer.own_piece) {
        help(seat);
        if (state.table.queue(peer.slot).size > 0) return;
        std::optional<PieceIndex> const next = piece_for(peer);
        if (!next || !state.may_begin(*next)) return;
        own_alone(peer, *next);
    }
    PieceIndex const index = *peer.own_piece;
    if (state.piece(index).phase != Phase::in_flight) return;
    state.take(seat, index, kUnlimited);
    if (state.piece(index).phase != Phase::in_flight) peer.own_piece.reset();
}

void PiecePicker::State::Parole::help(Seat& seat) {
    for (PieceIndex const index : state.second_tries.pieces()) {
        if (!state.second_tries.is_one(index) || !state.needed.test(index.value())) continue;
        PickerPiece const& piece = state.piece(index);
        bool const alone = piece.flight != kNone && state.table.flight(piece.flight).alone;
        if (piece.target == kNone && !alone && piece.phase != Phase::complete && seat.peer->may_be_asked(index))
            state.take(seat, index, kUnlimited);
    }
}

void PiecePicker::State::Parole::own_alone(PickerPeer& peer, PieceIndex index) const {
    BlockTable::Flight& flight = state.table.flight(state.in_flight(index));
    if (flight.owner != kNone) state.release_own_piece(state.at(flight.owner));
    peer.own_piece = index;
    flight.owner = peer.slot;
    flight.alone = true;
    // Whoever was asked before is too slow, or would spoil the proof.
    for (BlockTable::Block const& block : flight.blocks)
        for (RequestId id = block.first; id != kNone; id = state.table.request(id).next_of_block) state.table.doubt(id);
    state.reclassify(index);
}

void PiecePicker::State::Parole::give_up_urgent_piece(PickerPeer& peer) const {
    PieceIndex const index = *peer.own_piece;
    std::uint32_t const target = state.piece(index).target;
    if (target == kNone || state.seconds_until(state.targets[target].wish.deadline) >= kUrgent) return;
    if (!better_alone(peer, index)) state.release_own_piece(peer);
}

}  // namespace rqfs::torrent
