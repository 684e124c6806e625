#pragma once

#include "torrent/units.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace rqfs::torrent {

// How many waits were how long, in fixed logarithmic buckets: six a decade from 10 ms to 60 s. Pure.
//
// Bucket i holds what is at most kBounds[i] and above the bound before; the last one what is above 60 s.
class Histogram {
public:
    using Milliseconds = std::chrono::milliseconds;

    static constexpr std::array kBounds{
        Milliseconds(10),     Milliseconds(15),     Milliseconds(20),    Milliseconds(30),     Milliseconds(50),
        Milliseconds(70),     Milliseconds(100),    Milliseconds(150),   Milliseconds(200),    Milliseconds(300),
        Milliseconds(500),    Milliseconds(700),    Milliseconds(1'000), Milliseconds(1'500),  Milliseconds(2'000),
        Milliseconds(3'000),  Milliseconds(5'000),  Milliseconds(7'000), Milliseconds(10'000), Milliseconds(15'000),
        Milliseconds(20'000), Milliseconds(30'000), Milliseconds(60'000)};

    void add(Duration wait);  // a negative one counts as none

    std::span<std::uint64_t const> buckets() const { return buckets_; }  // one more than bounds
    std::uint64_t count() const { return count_; }
    Duration sum() const { return sum_; }
    Duration longest() const { return longest_; }

    // The wait that `share` (0 to 1) of all waits do not exceed, estimated as if each bucket's were spread evenly and
    // never more than the longest one; nothing without waits.
    std::optional<Duration> quantile(double share) const;

    friend bool operator==(Histogram const&, Histogram const&) = default;

private:
    std::array<std::uint64_t, kBounds.size() + 1> buckets_{};
    std::uint64_t count_ = 0;
    Duration sum_{};
    Duration longest_{};
};

// What became of the payload that peers sent, in bytes. `wanted` went into pieces; failed_hash and dropped are those of
// these that had to be thrown away again.
struct ReceivedBytes {
    std::uint64_t wanted = 0;
    std::uint64_t duplicate = 0;    // asked for, but another copy was here already
    std::uint64_t late = 0;         // nobody waited for it any more: taken back or forgotten, or never asked for
    std::uint64_t failed_hash = 0;  // of pieces whose hash was wrong
    std::uint64_t dropped = 0;      // of pieces given up half fetched, because nobody wanted them any more

    std::uint64_t wasted() const { return duplicate + late + failed_hash + dropped; }
    ReceivedBytes& operator+=(ReceivedBytes const& more);

    friend bool operator==(ReceivedBytes const&, ReceivedBytes const&) = default;
};

// How readers fared, and what it cost: of one session since its start, over all torrents that it has or had. Owned by
// Session, fed by the torrents. Engine thread only.
struct Statistics {
    Histogram open_to_first_byte;  // from open to the answer of the first read that was answered
    Histogram seek_to_first_byte;  // from the first read at a new place to its answer
    // Reads that went on where the one before ended and found their data missing: one a read, however it ended. Reads
    // that began while another of the same file waited are read-ahead of the kernel and not counted.
    Histogram stalled;
    ReceivedBytes received;
    // Fetched for the window of a reader and not read by anybody so far; of the torrents there now.
    std::uint64_t unread_read_ahead_bytes = 0;
    std::uint64_t kept_index_bytes = 0;  // memory that holds the indexes of open media files

    friend bool operator==(Statistics const&, Statistics const&) = default;
};

}  // namespace rqfs::torrent
