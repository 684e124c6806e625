#pragma once

#include "torrent/units.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace rqfs::torrent {

// How fast one reader consumes, and whether it paces itself (a player) or takes all it can get (a copier). Pure; part
// of Demand.
//
// Who always waits for a read is a copier, unless it is given too little for the film that the file is: that is a
// player in need, as far as anybody can tell. A copier stays one, however little it is given, until it pauses or seeks:
// else it would become a player by giving way to one.
//
// Before that can be told, and of a player that fills a large buffer, it can be said who is ahead of its film: it was given
// seconds more of it than have passed, and can do without for as long while others cannot.
class ReaderRate {
public:
    ReaderRate(bool known_copier, TimePoint opened);

    void consumed(std::uint64_t bytes, TimePoint now);  // the reader's place moved on by this much
    void sought(TimePoint now);                         // it went elsewhere: players fill their buffers anew
    void waiting(bool waits, TimePoint now);            // a read is under way, or none is any more
    void film(double bytes_per_second);                 // what its duration makes of the file: it is played no slower

    bool greedy() const { return greedy_; }
    bool ahead(TimePoint now) const;  // has more of its film than it can have shown
    double rate() const { return std::max(rate_, film_); }  // bytes a second, within [kLeast, kMost]

    static constexpr double kUnknown = 1.25e6;  // 10 Mbit/s, a usual film (engine 2.3)
    static constexpr double kLeast = 64e3;
    static constexpr double kMost = 64e6;
    static constexpr std::chrono::seconds kPacedAtFirst{30};  // players fill 8 s to 150 MiB before they pace themselves
    static constexpr std::chrono::seconds kAhead{8};          // of its film; players begin with less

private:
    static constexpr std::size_t kWaitBuckets = 20;  // of half a second
    static constexpr std::size_t kByteBuckets = 30;  // of a second

    void account(TimePoint now);
    void classify(TimePoint now);
    void estimate(TimePoint now);
    void begin_epoch(TimePoint now);
    void begin_run(TimePoint now);
    bool in_need(TimePoint now) const;

    bool greedy_;
    bool waits_ = false;
    double rate_ = kUnknown;
    double film_ = 0;  // unknown
    bool measured_ = false;
    TimePoint accounted_;  // the waiting time is counted up to here
    TimePoint sought_;
    TimePoint hungry_since_;   // it has always waited since, and for some seconds before
    double taken_hungry_ = 0;  // bytes since then
    TimePoint run_since_;      // it has not paused or sought since
    double taken_running_ = 0;
    TimePoint epoch_;          // consumption is measured from here on
    TimePoint last_consumed_;
    bool copier_;
    std::array<Duration, kWaitBuckets> waited_{};
    std::array<std::uint64_t, kByteBuckets> bytes_{};
    std::int64_t byte_bucket_ = 0;
};

}  // namespace rqfs::torrent
