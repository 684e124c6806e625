#pragma once

#include "torrent/bitfield.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/wish.h"
#include "torrent/units.h"

#include <cstdint>
#include <vector>

namespace rqfs::torrent {

// The pure half of Stream: from how a file is read (up to three cursors, rate, paced or greedy) follow the pieces that are wanted, by when.
//
// One an open file. Offsets are bytes within the file; `where` is the file's place in the torrent. Time is an argument.
class Demand {
public:
    using Ticket = std::uint64_t;  // one read under way

    // known_copier: the program that reads is one that copies (cp, rsync, sha256sum), so its start is not taken for a player's.
    Demand(PieceLayout const& layout, ByteRange where, bool known_copier, TimePoint opened);

    Ticket read_started(ByteRange range, TimePoint now);
    // The read was answered or given up. Unknown tickets are our bug.
    void read_ended(Ticket ticket, TimePoint now);

    // The pieces wanted now, most urgent first, without those in `have`. `goodput` is the torrent's payload rate, bytes a second.
    std::vector<Wish> wishes(Bitfield const& have, double goodput, TimePoint now) const;
    // When wishes() may change though no read comes (idle readers lose their window after 60 s).
    TimePoint next_change(TimePoint now) const;

    bool blocked() const;   // a read is under way
    bool greedy() const;    // reads as fast as it is given
    double rate() const;    // estimated bytes a second it consumes

private:
    struct Read {
        Ticket ticket;
        ByteRange range;
        TimePoint since;
    };
    struct Cursor;
    PieceLayout layout_;
    ByteRange where_;
    // The author of demand.cpp completes this part.
};

}  // namespace rqfs::torrent
