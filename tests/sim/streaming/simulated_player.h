#pragma once

#include "tests/sim/streaming/random.h"
#include "tests/sim/streaming/scenario.h"
#include "tests/sim/streaming/streamer.h"
#include "torrent/bitfield.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/units.h"

#include <cstdint>
#include <deque>
#include <vector>

namespace rqfs::tests {

// A player behind the kernel's page cache: reads of 128 KiB, the one it waits for and the one after it, until it has
// its buffer full; it shows a picture once it has enough, and seeks now and then. What the kernel has asked for when
// the player seeks stays asked for.
class SimulatedPlayer {
public:
    SimulatedPlayer(Scenario const& scenario, torrent::PieceLayout const& layout, std::uint64_t seed);

    // True when a read began or ended.
    bool play(Streamer& streamer, double now, double step);

    // Seconds from the begin and from each seek until there was a picture; what never came counts up to the next seek.
    std::vector<double> waits(double end) const;
    double stalled_seconds() const { return stalled_; }
    std::uint64_t read_bytes() const;  // of pieces that were read from, whole

private:
    struct Read {
        Streamer::Ticket ticket;
        torrent::ByteRange range;
        bool done;
    };

    void seek(double now);
    bool start_read(Streamer& streamer, torrent::ByteRange range, double now);
    bool answer(Streamer& streamer, std::deque<Read>& reads, double now);
    bool fill(Streamer& streamer, double now);
    void show(double now, double step);
    bool here(Streamer const& streamer, torrent::ByteRange range) const;

    Scenario scenario_;
    torrent::PieceLayout layout_;
    Random random_;
    torrent::Bitfield touched_;
    std::deque<torrent::ByteRange> first_looks_;  // read one by one before the film
    std::deque<Read> reads_;                      // in order; the first is what the player waits for
    std::deque<Read> left_;                       // of places it has left
    std::uint64_t next_ = 0;                      // where the kernel's next read begins
    double buffered_ = 0;
    bool playing_ = false;
    std::size_t seeks_done_ = 0;
    double waits_since_ = 0;
    std::vector<double> waits_;
    double stalled_ = 0;
};

}  // namespace rqfs::tests
