#pragma once

#include "tests/sim/streaming/streamer.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/demand.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/swarm/rate_meter.h"
#include "torrent/swarm/suspects.h"
#include "torrent/units.h"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace rqfs::tests {

// rqfs in a simulated swarm, all of it that decides what is asked of whom, so that minutes of a swarm take milliseconds.
//
// The real thing: PiecePicker with all it is made of, Demand (cursors, rate, class), Suspects and RateMeter.
//
// Modelled here:
// - Of PieceAssembly, the workers and the store only who sent which block, and whether it was good: a piece is verified
//   and stored in no time. Whether blocks differ is said by made-up digests.
// - Of Readers, for one reader: wishes are told when a read begins or ends to wait, else every 20 ms at most, and at
//   Torrent's tick (100 ms while a read waits, else 250 ms) if one is under way or they are due.
// - Of Download: the picker is asked after every batch of events and when it says so, neither sooner nor later
//   (keep_planning() looks 20 ms apart, and wishes that change too often are planned together); never on hold.
//
// Not there: what the container tells (media hints), limits of many readers together, of seeks and of scanners, files
// beside the film, padding, Choker and uploads, PeerConnection's own queues. Readers, Download, Torrent and Session
// themselves run in virtual time in tests/sim/sessions, several readers and torrents at once, whose data is really
// hashed: too slow for these hundreds of swarms.
class RqfsStreamer final : public Streamer {
public:
    RqfsStreamer(torrent::PieceLayout const& layout, std::uint64_t seed);

    void peer_joined(torrent::PeerHandle peer, torrent::Bitfield const& pieces, bool fast,
                     torrent::TimePoint now) override;
    void peer_left(torrent::PeerHandle peer, torrent::TimePoint now) override;
    void peer_chokes(torrent::PeerHandle peer, bool choked, torrent::TimePoint now) override;
    void block_rejected(torrent::PeerHandle peer, torrent::BlockAddress block, torrent::TimePoint now) override;
    bool block_arrived(torrent::PeerHandle peer, Received const& block, torrent::TimePoint now) override;
    Ticket read_started(torrent::ByteRange range, bool waits, torrent::TimePoint now) override;
    void read_ended(Ticket ticket, bool waited, torrent::TimePoint now) override;
    bool has(torrent::PieceIndex piece) const override { return picker_.have().test(piece); }
    std::vector<Order> plan(torrent::TimePoint now) override;
    std::optional<torrent::TimePoint> next_plan(torrent::TimePoint now) override;
    std::vector<torrent::PeerHandle> take_banned() override { return std::exchange(banned_, {}); }
    std::uint64_t abandoned_bytes() const override { return abandoned_bytes_; }
    std::uint64_t failed_bytes() const override { return failed_bytes_; }

private:
    struct Receipt {
        torrent::PeerHandle sender;
        bool good = true;
        bool here = false;
    };
    struct Assembly {
        std::vector<Receipt> blocks;
        std::uint32_t here = 0;
        std::uint64_t bytes = 0;
    };

    void finish(torrent::PieceIndex piece, torrent::TimePoint now);
    void apply(torrent::Suspects::Verdict const& verdict);
    void refresh(torrent::TimePoint now);

    torrent::PieceLayout layout_;
    torrent::PiecePicker picker_;
    torrent::Demand demand_;
    torrent::Suspects suspects_;
    torrent::RateMeter goodput_;
    std::map<torrent::PieceIndex, Assembly> assembly_;
    std::vector<torrent::PeerHandle> banned_;
    std::uint32_t waiting_ = 0;  // reads
    torrent::TimePoint refreshed_{};
    torrent::TimePoint ticked_{};
    std::uint64_t abandoned_bytes_ = 0;
    std::uint64_t failed_bytes_ = 0;
};

}  // namespace rqfs::tests
