#include "torrent/swarm/piece_picker_state.h"

#include <algorithm>

namespace rqfs::torrent {

namespace {

constexpr std::uint32_t kRandomFirst = 4;     // pieces fetched at random before rarest-first; libtorrent initial_picker_threshold
constexpr double kWholePiece = 20;            // seconds in which a peer fetches a piece of its own; libtorrent whole_pieces_threshold
constexpr std::uint32_t kBegunBlocks = 2048;  // blocks in flight above which begun pieces are shared; libtorrent
constexpr std::uint32_t kFinishLooks = 8;     // newest requests of a peer that are looked at for a second copy
constexpr double kFinishGain = 0.05;          // seconds a second copy must save, and the share of the time
constexpr double kFinishShare = 0.25;
constexpr std::chrono::milliseconds kFinishTick{20};

}  // namespace

void PiecePicker::State::assign_background(Seat& seat, std::uint32_t limit) {
    while (seat.room > 0 && limit > 0) {
        bool const may_begin = table.blocks_in_flight() < kBegunBlocks || begun.empty();
        std::uint32_t taken = assign_own(seat, limit);
        if (taken == 0) taken = assign_begun(seat, limit, false);
        if (taken == 0 && may_begin) taken = assign_fresh(seat, limit);
        if (taken == 0) taken = assign_begun(seat, limit, true);
        if (taken == 0 && !may_begin) taken = assign_fresh(seat, limit);
        if (taken == 0) return;
        limit -= taken;
    }
}

std::uint32_t PiecePicker::State::assign_own(Seat& seat, std::uint32_t limit) {
    PickerPeer const& peer = *seat.peer;
    if (!peer.own_piece) return 0;
    FlightId const id = piece(*peer.own_piece).flight;
    if (id == kNone || table.flight(id).listed == kNone || !peer.may_be_asked(*peer.own_piece)) return 0;
    return take(seat, *peer.own_piece, limit);
}

std::uint32_t PiecePicker::State::assign_begun(Seat& seat, std::uint32_t limit, bool of_others) {
    for (FlightId const id : begun) {
        BlockTable::Flight const& flight = table.flight(id);
        if (flight.owner != kNone && !of_others) continue;
        if (!seat.peer->may_be_asked(flight.piece)) continue;
        // The list may be another one after this.
        if (std::uint32_t const taken = take(seat, flight.piece, limit); taken > 0) return taken;
    }
    return 0;
}

std::uint32_t PiecePicker::State::assign_fresh(Seat& seat, std::uint32_t limit) {
    PickerPeer& peer = *seat.peer;
    std::optional<PieceIndex> const next = fresh_for(peer);
    if (!next) return 0;
    std::uint32_t const taken = take(seat, *next, limit);
    if (taken > 0 && peer.rate.known() && seat.rate * kWholePiece >= layout.bytes(*next)) {
        release_own_piece(peer);
        peer.own_piece = *next;
        table.flight(piece(*next).flight).owner = peer.slot;
    }
    return taken;
}

std::optional<PieceIndex> PiecePicker::State::fresh_for(PickerPeer& peer) {
    auto const offered = [&](PieceIndex index) { return availability.offered(index) && peer.may_be_asked(index); };
    std::erase_if(peer.suggested, [&](PieceIndex index) { return piece(index).phase == Phase::have; });
    if (auto const found = std::ranges::find_if(peer.suggested, offered); found != peer.suggested.end()) return *found;
    if (peer.choked) {
        auto const found = std::ranges::find_if(peer.allowed, offered);
        return found == peer.allowed.end() ? std::nullopt : std::optional(*found);
    }
    IndexSet const* const has = peer.all ? nullptr : &peer.pieces;
    if (have.count() < kRandomFirst) return availability.any(has);
    return peer.snubbed ? availability.commonest(has) : availability.rarest(has);
}

void PiecePicker::State::finish() {
    if (now < next_finish || wanted_missing == 0 || !begun.empty() || open_targets.count() > 0) return;
    bool const anybody_idle = std::ranges::any_of(
        seats, [&](Seat const& seat) { return seat.peer->rate.known() && table.queue(seat.peer->slot).size == 0; });
    if (!anybody_idle || availability.obtainable()) return;
    next_finish = now + kFinishTick;
    for (PickerPeer const* peer : peers) table.number(peer->slot);
    for (Seat& seat : seats) {
        PickerPeer const& peer = *seat.peer;
        if (seat.good && table.queue(peer.slot).size == 0) finish_with(seat);
    }
}

void PiecePicker::State::finish_with(Seat& seat) {
    RequestId worst = kNone;
    double worst_time = seat.expected() + kFinishGain;
    for (PickerPeer const* other : peers) {
        RequestId id = table.queue(other->slot).last;
        for (std::uint32_t looks = 0; id != kNone && looks < kFinishLooks;
             ++looks, id = table.request(id).previous_of_peer) {
            BlockTable::Request const& request = table.request(id);
            BlockTable::Flight const& flight = table.flight(request.flight);
            Piece const& p = pieces[request.block.piece.value()];
            if (!p.wanted || p.target != kNone || flight.alone || flight.blocks[request.block.block.value()].asked > 1)
                continue;
            if (!seat.peer->may_be_asked(request.block.piece) || !suits(*seat.peer, request.flight, request.block.block))
                continue;
            double const time = expected(id);
            if (seat.expected() + kFinishShare * time >= time || time <= worst_time) continue;
            worst_time = time;
            worst = id;
        }
    }
    if (worst == kNone) return;
    BlockTable::Request const request = table.request(worst);
    this->request(*seat.peer, request.flight, request.block.block.value());
}

}  // namespace rqfs::torrent
