#pragma once

#include "torrent/bitfield.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/wish.h"
#include "torrent/units.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::torrent {

// Decides which block to ask of which peer next. Fed with events, it answers one question: plan().
//
// Of pieces in flight, which lie in memory, only so many are begun (limit::kUnverifiedBytes), and twice as many for what readers wait for.
//
// Pure: no clock, socket or thread; time is an argument and never goes back. Owned by Torrent, made when the metadata is known. A
// piece is in exactly one state here: missing, in flight (some block requested or here), complete (all blocks here, hash pending), have.
class PiecePicker {
public:
    struct PeerTraits {
        bool fast = false;                // BEP 6 negotiated: every request ends in a piece or a reject
        std::uint32_t max_requests = 250; // their reqq, or our default
    };

    enum class Arrival {
        wanted,      // store it: the first copy of a block that is missing
        duplicate,   // asked for, but another copy came first
        unrequested, // never asked of this peer (or so long ago that it is forgotten)
    };

    struct Order {
        enum class Kind { request, cancel };
        Kind kind = Kind::request;
        PeerHandle peer;
        BlockAddress block;
    };

    PiecePicker(PieceLayout const& layout, Bitfield have, std::uint64_t seed);
    PiecePicker(PiecePicker&&) noexcept;
    PiecePicker& operator=(PiecePicker&&) noexcept;
    ~PiecePicker();

    // Peers. A peer joins choking us and without pieces.
    void peer_joined(PeerHandle peer, PeerTraits const& traits, TimePoint now);
    void peer_left(PeerHandle peer, TimePoint now);  // what was asked of it is free again
    void peer_traits(PeerHandle peer, PeerTraits const& traits);
    void peer_has(PeerHandle peer, Bitfield const& pieces);
    void peer_has_all(PeerHandle peer);
    void peer_has(PeerHandle peer, PieceIndex piece);
    void peer_lost(PeerHandle peer, PieceIndex piece, TimePoint now);       // lt_donthave
    void peer_chokes(PeerHandle peer, bool choked, TimePoint now);  // without BEP 6 a choke drops what was asked
    void peer_allows(PeerHandle peer, PieceIndex piece);            // allowed fast: may be asked while choked
    void peer_suggests(PeerHandle peer, PieceIndex piece);
    void peer_parole(PeerHandle peer, bool on_parole);              // only whole pieces alone, or a second try

    // These blocks lie inside pad files (BEP 47): nobody is asked for them, they count as here as soon as another block of their piece is asked.
    // No piece consists of them alone. Called before anything is in flight.
    void set_padding(std::span<BlockAddress const> blocks);

    // Wishes. `wanted` are pieces `download` fetches rarest first; a reader's wishes replace what it wanted before.
    void set_wanted(Bitfield const& wanted);
    void set_wishes(ReaderId reader, std::vector<Wish> wishes, TimePoint now);
    void drop_reader(ReaderId reader, TimePoint now);
    // Nothing new is requested while on hold (no room for more data); what was asked goes on.
    void hold(bool on_hold);

    // Arrivals.
    // `transfer`: since when its bytes came.
    Arrival block_arrived(PeerHandle peer, BlockAddress block, TimePoint now, Duration transfer = Duration::zero());
    void block_rejected(PeerHandle peer, BlockAddress block, TimePoint now);
    void piece_verified(PieceIndex piece);               // complete -> have; or found by a check: any state -> have
    bool failed_before(PieceIndex piece) const;  // and did not pass since
    // Whether it was asked of this peer and its piece is fetched for the second time.
    bool second_try(BlockAddress block, PeerHandle peer) const;
    // Then, when it is another than was sent before: somebody else is asked.
    void block_disputed(PeerHandle peer, BlockAddress block, TimePoint now, Duration transfer = Duration::zero());
    // complete -> missing; `senders` by block: the next try asks others, and also those on parole, but a third does not
    void piece_failed(PieceIndex piece, std::vector<PeerHandle> const& senders, TimePoint now);
    void piece_lost(PieceIndex piece);                   // have -> missing: the store lost it
    // In-flight pieces that nobody wants any more and that hold data: the caller frees their memory and calls piece_abandoned().
    std::vector<PieceIndex> unwanted_pieces() const;
    void piece_abandoned(PieceIndex piece);              // in flight -> missing

    // Orders to be carried out now, in this order. Call after every batch of events and when next_plan() is due.
    std::vector<Order> plan(TimePoint now);
    // When plan() may have something new to say though no event comes (hedges, timeouts); nothing: never.
    std::optional<TimePoint> next_plan(TimePoint now) const;

    // Facts.
    bool knows(PeerHandle peer) const;
    Bitfield const& have() const;
    bool interesting(PeerHandle peer) const;             // it has a piece that somebody wants and we have not
    bool wanted_anywhere(PieceIndex piece) const;        // missing, and wished for or wanted
    std::uint32_t requests_in_flight(PeerHandle peer) const;
    double download_rate(PeerHandle peer, TimePoint now) const;   // bytes a second as estimated for the next request
    Duration round_trip(PeerHandle peer) const;          // request to first byte on an empty queue, smoothed; zero when unknown
    bool snubbed(PeerHandle peer, TimePoint now) const;  // asked, unchoked, and silent for 20 s
    std::uint32_t availability(PieceIndex piece) const;  // connected peers that have it
    std::uint64_t duplicate_bytes() const;
    std::vector<PieceIndex> in_flight() const;           // pieces with a block requested or here
    struct Asked {
        PeerHandle peer;
        TimePoint when;
        Duration expected;                               // from now until it should be here
    };
    std::vector<Asked> asked(BlockAddress block, TimePoint now) const;  // for `why`

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rqfs::torrent
