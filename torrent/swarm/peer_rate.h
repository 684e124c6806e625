#pragma once

#include "torrent/units.h"

#include <cstdint>

namespace rqfs::torrent {

// What one peer can be expected to deliver, learnt from its blocks: rate, time to the first byte, and how many requests
// keep it busy.
//
// Time counts only while something is asked of the peer. Bytes a second and seconds. Pure; owned by PiecePicker, one a
// peer.
class PeerRate {
public:
    void asked(TimePoint now);                                          // a request leaves
    // A block that was asked for at `sent`; its first bytes came `transfer` ago.
    void received(std::uint32_t bytes, TimePoint sent, TimePoint now, Duration transfer = Duration::zero());
    void received_late(std::uint32_t bytes, TimePoint now);             // one that was withdrawn before
    void emptied(TimePoint now);                                        // nothing is asked of it any more

    bool known() const { return fast_.bytes > 0; }  // it delivered something once
    // The lower of the averages over 2 s and 10 s, lower still while it is silent; only for a known peer. At least
    // kFloor.
    double rate(TimePoint now) const;
    // A guess for a peer that never delivered, given what the others do.
    double guess(double median, TimePoint now) const;
    // Since when it could have sent something and did not; zero when nothing is asked.
    Duration silence(TimePoint now) const;
    // Bytes that are likely to be here of the block it sends now, which was asked for at `sent`.
    double progress(double rate, TimePoint sent, TimePoint now) const;
    double latency() const;       // seconds from a request on an empty queue to the first of its data
    Duration round_trip() const;  // the same, zero when unknown
    Duration timeout() const;     // silence after which a block is given to others too

    // Seconds until a block comes that is asked now behind `ahead` bytes.
    double expected(double rate, double ahead) const;
    // The same for one that was asked `age` ago.
    double expected(double rate, double ahead, Duration age) const;
    // Requests that keep it busy for `queue_seconds`; `growing` also one more for every block while the rate still
    // rises.
    std::uint32_t depth(double rate, double queue_seconds, bool growing, std::uint32_t limit) const;

    // Requests to add to `ahead` bytes so that the last one is begun within the queue time.
    std::uint32_t room(double rate, double queue_seconds, double ahead) const;

    static constexpr double kFloor = 500;           // bytes a second
    static constexpr double kUnknownLatency = 0.2;  // seconds
    static constexpr std::uint32_t kUnknownDepth = 2;

private:
    struct Average {  // bytes and busy seconds, both fading with the same half-life
        double bytes = 0;
        double seconds = 0;
        void pass(double elapsed, double constant);
        double rate() const;
    };
    void pass_until(TimePoint now);
    void adapt_slow_start(TimePoint now);
    void add(std::uint32_t bytes, TimePoint now);

    Average fast_;
    Average slow_;
    double round_ = 0;  // bytes of about the last round trip
    TimePoint round_at_;
    bool busy_ = false;
    bool first_of_queue_ = false;  // the next block answers a request on an empty queue
    TimePoint busy_since_;
    TimePoint counted_until_;
    TimePoint last_received_;
    double latency_ = -1;
    double block_time_ = -1;  // mean and deviation of the time between blocks
    double block_deviation_ = 0;
    std::uint32_t slow_start_depth_ = kUnknownDepth;
    bool slow_start_ = true;
    TimePoint slow_start_tick_;
    double slow_start_rate_ = 0;
};

}  // namespace rqfs::torrent
