#pragma once

#include "tests/sim/streaming/random.h"
#include "tests/sim/streaming/remote_choker.h"
#include "tests/sim/streaming/scenario.h"
#include "torrent/bitfield.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/units.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace rqfs::tests {

// A remote peer and the wire to it: serves what it is asked in order, at a rate that varies and stalls, after half a
// round trip each way; it may choke, lie or leave. Times are seconds since the run began.
class SimulatedPeer {
public:
    enum class Kind { honest, silent, crawling, flapping, rejecting, corrupting };
    struct Event {
        enum class Kind { block, reject, choke, unchoke, leave };
        Kind kind = Kind::block;
        double at = 0;
        torrent::BlockAddress block{};
        bool good = true;
        double transfer = 0;  // seconds since the block's first bytes came
    };

    // `number` counts all peers of the run; with the seed it says what the peer is like.
    SimulatedPeer(Scenario const& scenario, torrent::PieceLayout const& layout, std::uint32_t number,
                  std::uint64_t seed, double joined);

    torrent::PeerHandle handle() const { return handle_; }
    torrent::Bitfield const& pieces() const { return pieces_; }
    bool fast() const { return fast_; }
    Kind kind() const { return kind_; }

    // A message of ours leaves.
    void tell(torrent::PiecePicker::Order const& order, double now);
    // Reads what has come in by now, and returns the rate at which it would like to send during the step.
    double prepare(double now, double step);
    void send(double bytes, double now);
    // What has arrived here by now, oldest first.
    std::vector<Event> arrived(double now);

private:
    struct Message {
        double at;
        torrent::PiecePicker::Order order;
    };

    double trip_half() const { return trip_ / 2; }
    void choose_link(Scenario const& scenario, std::uint32_t number);
    void choose_kind(Scenario const& scenario);
    void receive(double now);
    void request(torrent::BlockAddress block, double now);
    void set_choking(bool choking, double now);
    void take_turns(double now);
    void commit(double now);
    void begin_block(torrent::BlockAddress block, double now);
    double rate(double now, double step);

    torrent::PieceLayout const& layout_;
    Random random_;
    torrent::PeerHandle handle_;
    torrent::Bitfield pieces_;
    Kind kind_ = Kind::honest;
    bool fast_ = true;
    bool steady_ = false;
    bool flaky_ = false;
    double base_ = 0;
    double trip_ = 0;
    double committed_seconds_ = 0;
    double leaves_at_ = 1e9;
    double noise_ = 0;
    double noise_at_ = -1;
    double rate_now_ = 0;
    double stalled_until_ = 0;
    bool choking_ = true;
    std::optional<RemoteChoker> choker_;
    double unchokes_at_ = 0;  // of one that flaps
    std::uint32_t blocks_sent_ = 0;

    std::deque<Message> coming_;
    std::deque<torrent::BlockAddress> queue_;
    std::deque<torrent::BlockAddress> buffer_;  // no longer to be cancelled
    double left_ = 0;                           // bytes of the buffer's first block
    double begun_ = 0;                          // when the first of them was sent
    std::deque<Event> going_;
};

}  // namespace rqfs::tests
