#pragma once

#include "torrent/bitfield.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/units.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace rqfs::tests {

// What decides whom to ask for what in a simulated swarm: rqfs itself, or the policy of another program. Events go in,
// orders come out; time never goes back.
class Streamer {
public:
    using Order = torrent::PiecePicker::Order;

    virtual ~Streamer() = default;

    // Peers join choking.
    virtual void peer_joined(torrent::PeerHandle peer, torrent::Bitfield const& pieces, bool fast,
                             torrent::TimePoint now) = 0;
    virtual void peer_left(torrent::PeerHandle peer, torrent::TimePoint now) = 0;
    virtual void peer_chokes(torrent::PeerHandle peer, bool choked, torrent::TimePoint now) = 0;
    virtual void block_rejected(torrent::PeerHandle peer, torrent::BlockAddress block, torrent::TimePoint now) = 0;
    struct Received {
        torrent::BlockAddress address;
        bool good = true;                                        // what the piece's hash will say of it
        torrent::Duration transfer = torrent::Duration::zero();  // since when its bytes came
    };
    // False: the bytes were no use.
    virtual bool block_arrived(torrent::PeerHandle peer, Received const& block, torrent::TimePoint now) = 0;

    // The film is the whole torrent. A read is answered by the caller when has() holds for all its pieces.
    using Ticket = std::uint64_t;
    virtual Ticket read_started(torrent::ByteRange range, bool waits, torrent::TimePoint now) = 0;
    virtual void read_ended(Ticket ticket, bool waited, torrent::TimePoint now) = 0;
    virtual bool has(torrent::PieceIndex piece) const = 0;

    // Called after every batch of events and when next_plan() is due.
    virtual std::vector<Order> plan(torrent::TimePoint now) = 0;
    virtual std::optional<torrent::TimePoint> next_plan(torrent::TimePoint now) = 0;

    // Peers that are to be disconnected for good.
    virtual std::vector<torrent::PeerHandle> take_banned() = 0;
    // Of bytes that were taken: those thrown away with an unfinished piece, and with one whose hash was wrong.
    virtual std::uint64_t abandoned_bytes() const = 0;
    virtual std::uint64_t failed_bytes() const = 0;
};

}  // namespace rqfs::tests
