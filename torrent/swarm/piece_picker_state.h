#pragma once

#include "torrent/swarm/availability.h"
#include "torrent/swarm/block_table.h"
#include "torrent/swarm/deadlines.h"
#include "torrent/swarm/hedge.h"
#include "torrent/swarm/index_set.h"
#include "torrent/swarm/picker_peer.h"
#include "torrent/swarm/picker_piece.h"
#include "torrent/swarm/picker_seat.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/swarm/second_tries.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace rqfs::torrent {

// What PiecePicker consists of, and the steps of a plan. Pieces' lists follow from their phase, wishes and blocks:
// reclassify() keeps them true, and every change of these goes through it.
struct PiecePicker::State {
    using FlightId = BlockTable::FlightId;
    using RequestId = BlockTable::RequestId;
    static constexpr std::uint32_t kNone = BlockTable::kNone, kUnlimited = kNone;
    using Piece = PickerPiece;
    using Phase = PickerPiece::Phase;
    using Seat = PickerSeat;
    using Target = PickerTarget;

    State(PieceLayout const& where, Bitfield pieces_here, std::uint64_t seed);

    PickerPeer* find(PeerHandle peer) const;
    PickerPeer& at(std::uint32_t slot) const { return *by_slot[slot]; }
    void join(PeerHandle handle, PeerTraits const& traits);
    void leave(PickerPeer& peer);
    void has(PickerPeer& peer, IndexSet set);
    void has_all(PickerPeer& peer);
    void lost(PickerPeer& peer, PieceIndex piece);
    void choke(PickerPeer& peer);
    void release_own_piece(PickerPeer& peer);  // others may help with it from now on
    double rate(PickerPeer const& peer) const;
    double progress(PickerPeer const& peer) const;  // bytes of the oldest request that are likely to be here

    // Pieces and requests (piece_picker_pieces.cpp).
    Piece& piece(PieceIndex index) { return pieces[index.value()]; }
    void advance(TimePoint time) { now = std::max(now, time); }
    void refresh();  // takes changed wishes into account
    void reclassify(PieceIndex index);
    void want(Bitfield const& wanted);
    FlightId in_flight(PieceIndex index);  // opens it when it is missing
    bool crowded(std::uint32_t times = 1) const;  // as many are in flight as may be, so many times
    bool may_begin(PieceIndex index);
    void settle(FlightId id);              // a piece with nothing asked and nothing here is missing again
    void request(PickerPeer& peer, FlightId id, std::uint32_t block);
    void withdraw(RequestId id);             // cancels
    void drop(RequestId id, bool remember);  // without a message
    void doubt(RequestId id);
    void doubt_all(PickerPeer& peer);
    void drop_all(PickerPeer& peer, bool remember);
    void end_flight(PieceIndex index, Phase next);
    std::vector<PieceIndex> unwanted();        // in flight, and not worth its memory
    std::optional<TimePoint> unwanted_from();
    Arrival arrived(PickerPeer& peer, BlockAddress block, Duration transfer);
    Arrival arrived_late(BlockAddress block);
    void disputed(PickerPeer& peer, BlockAddress block, Duration transfer);
    // Whether it is any use to ask this peer for it now: not twice, nor who rejected it, nor who may have spoilt it.
    bool suits(PickerPeer const& peer, FlightId id, BlockIndex block) const;
    std::uint32_t take(Seat& seat, PieceIndex index, std::uint32_t limit);
    double seconds_until(TimePoint when) const { return std::chrono::duration<double>(when - now).count(); }

    // The plan (piece_picker_plan.cpp).
    std::vector<Order> plan();
    std::optional<TimePoint> next_plan();
    bool reading() const { return sections[4] > 0; }  // somebody reads (pins and `download` do not count)
    bool urgent(double within_seconds) const;
    void seat_peers();
    void seat(PickerPeer& peer);
    void assign_targets();
    // `finish`: seconds in which all peers together could bring it and what comes before it.
    std::uint32_t assign_target(std::uint32_t target, std::uint32_t limit, double finish);
    double missing_bytes(std::uint32_t target) const;
    void assign_film_first(double index_in);  // before an index that comes in so many seconds
    Seat* quickest(std::uint32_t target, bool only_good, Seat const* previous);
    bool better_elsewhere(Seat const& seat, std::uint32_t target, double in_time);
    void share_with_copiers();
    void share_with_rarest();
    void assign_rest();
    void assign_far(Seat& seat, double at_least_seconds);

    // Without deadlines (piece_picker_background.cpp).
    void assign_background(Seat& seat, std::uint32_t limit);
    std::uint32_t assign_own(Seat& seat, std::uint32_t limit);
    std::uint32_t assign_begun(Seat& seat, std::uint32_t limit, bool of_others);
    std::uint32_t assign_fresh(Seat& seat, std::uint32_t limit);
    std::optional<PieceIndex> fresh_for(PickerPeer& peer);
    void finish();  // endgame
    void finish_with(Seat& seat);
    struct Parole;  // peers that may have sent bad data (piece_picker_parole.h)

    // What goes wrong (piece_picker_rescue.cpp).
    void check_silence();
    void check_silence_of(PickerPeer& peer);
    void cancel_orphans();
    void trim_background();
    void hedge();
    void hedge_piece(Target const& target, FlightId id);
    double hedge_block(Target const& target, FlightId id, std::uint32_t block, double current);
    double expected(RequestId id) const;  // seconds until it comes; queues are numbered

    PieceLayout layout;
    Bitfield have;
    std::vector<Piece> pieces;
    IndexSet needed;  // wanted or wished, and not here
    std::uint32_t wanted_missing = 0;
    Availability availability;
    Deadlines deadlines;
    BlockTable table;
    HedgeBudget budget;
    SecondTries second_tries;

    std::vector<Target> targets;              // most urgent first
    std::array<std::uint32_t, 6> sections{};  // first target of each Urgency, and the end
    IndexSet open_targets, pending_targets;   // with a block that may be asked; that is not here
    std::vector<FlightId> begun;              // in flight with a free block, wanted, not wished
    std::vector<PieceIndex> orphans;          // perhaps nobody wants them any more
    bool wishes_changed = false, trim_due = false, on_hold = false;
    std::map<PieceIndex, std::vector<BlockIndex>> padding;  // blocks nobody is asked for

    std::vector<std::unique_ptr<PickerPeer>> by_slot;
    std::vector<std::uint32_t> spare_slots;
    std::vector<PickerPeer*> peers;  // by handle
    std::unordered_map<PeerHandle, PickerPeer*> by_handle;
    std::uint32_t complete_peers = 0;

    std::vector<Seat> seats;  // by handle
    std::uint32_t rooms = 0;  // of all seats
    double median_rate = 0, all_rates = 0;  // bytes a second; the latter of all good peers together
    double queue_seconds = 0, copier_credit = 0, rarest_credit = 0;  // credits: blocks due to copiers, to rarest-first
    TimePoint now, median_at, next_hedge, next_finish;

    std::vector<Order> orders;
    std::uint64_t changes = 1, duplicate_bytes = 0;  // the former counts what may give an idle peer work
};

}  // namespace rqfs::torrent
