#pragma once

#include "torrent/bitfield.h"
#include "torrent/media_hints.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/read_cursors.h"
#include "torrent/swarm/reader_rate.h"
#include "torrent/swarm/wish.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rqfs::torrent {

// The pure half of Stream: from how a file is read (up to three cursors, rate, paced or greedy) follow the pieces that
// are wanted, by when.
//
// One an open file. Offsets are bytes within the file; `where` is the file's place in the torrent. Time is an argument.
class Demand {
public:
    using Ticket = std::uint64_t;  // one read under way

    // known_copier: the program that reads is one that copies (cp, rsync, sha256sum), so its start is not taken for a
    // player's.
    Demand(PieceLayout const& layout, ByteRange where, bool known_copier, TimePoint opened);

    // The program looks into files here and there: each of its reads is waited for, and nothing else is wanted.
    void want_only_reads() { only_reads_ = true; }

    Ticket read_started(ByteRange range, TimePoint now);
    // The read was answered or given up. Unknown tickets are our bug.
    void read_ended(Ticket ticket, TimePoint now);

    // What is known of the file's index and duration, instead of what was known before. Ranges count in the file.
    void hint(MediaHints hints);

    // The pieces wanted now, most urgent first, without those in `have`. `goodput` is the torrent's payload rate, bytes
    // a second.
    std::vector<Wish> wishes(Bitfield const& have, double goodput, TimePoint now) const;
    // When wishes() may change though no read comes (idle readers lose their window after 60 s); TimePoint::max():
    // never.
    TimePoint next_change(TimePoint now) const;

    bool blocked() const;  // a read is under way
    // Of the read that started last. The first one is a jump too, or a probe.
    ReadCursors::Kind last_move() const { return last_move_; }
    bool greedy() const;   // reads as fast as it is given
    double rate() const;   // estimated bytes a second it consumes; of a greedy reader, what it got

    static constexpr std::chrono::seconds kIdle{60};  // without a read: only what is waited for (TorrServer)
    static constexpr std::size_t kMostWishes = 512;   // of one reader at a time

private:
    struct Read {
        Ticket ticket;
        ByteRange range;
        TimePoint since;
    };
    class Collector;

    bool idle(TimePoint now) const { return reads_.empty() && now - last_read_ >= kIdle; }
    // To readers that need what they show next.
    bool gives_way(TimePoint now) const { return rate_.greedy() || rate_.ahead(now); }
    double speed(double goodput) const;
    std::uint64_t window_bytes(ReadCursor const& cursor, double speed, bool healthy) const;
    bool healthy(ReadCursor const& cursor, Bitfield const& have, double speed) const;
    void want_window(Collector& collector, ReadCursor const& cursor, double speed, TimePoint now) const;
    void want_ends(Collector& collector, TimePoint now) const;
    void want_index(Collector& collector, TimePoint now) const;
    bool reads_on(TimePoint now) const;
    bool was_left(Read const& read, TimePoint now) const;
    ByteRange in_torrent(ByteRange range) const;

    PieceLayout layout_;
    ByteRange where_;
    std::uint64_t zone_bytes_;  // at each end of the file, where containers keep their indexes
    ReadCursors cursors_;
    ReaderRate rate_;
    std::vector<Read> reads_;  // under way, oldest first
    Ticket last_ticket_ = 0;
    ReadCursors::Kind last_move_ = ReadCursors::Kind::sequential;
    TimePoint last_read_;  // when one began or ended
    MediaHints hints_;
    bool known_film_ = false;  // its duration is known, and likely
    bool known_copier_;
    bool only_reads_ = false;
    bool plays_ = false;  // it has read on somewhere, so it has what it needs to begin with
    bool ends_ = false;   // head and tail are wanted: a large file is being read from its head
};

}  // namespace rqfs::torrent
