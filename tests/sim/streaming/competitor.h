#pragma once

#include "tests/sim/streaming/random.h"
#include "tests/sim/streaming/scenario.h"
#include "tests/sim/streaming/streamer.h"
#include "torrent/bitfield.h"
#include "torrent/metainfo/piece_layout.h"
#include "torrent/units.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace rqfs::tests {

// What the models of other programs' policies have in common: peers and their rates, blocks asked for and here, pieces
// put together, the place of the last read. A policy says in tick() and jumped() what to ask and to cancel.
//
// They are models: their order counts, not their seconds. Blocks are numbered through the torrent.
class Competitor : public Streamer {
public:
    Competitor(torrent::PieceLayout const& layout, Scenario const& scenario, std::uint64_t seed);

    void peer_joined(torrent::PeerHandle peer, torrent::Bitfield const& pieces, bool fast,
                     torrent::TimePoint now) override;
    void peer_left(torrent::PeerHandle peer, torrent::TimePoint now) override;
    void peer_chokes(torrent::PeerHandle peer, bool choked, torrent::TimePoint now) override;
    void block_rejected(torrent::PeerHandle peer, torrent::BlockAddress block, torrent::TimePoint now) override;
    bool block_arrived(torrent::PeerHandle peer, Received const& block, torrent::TimePoint now) override;
    Ticket read_started(torrent::ByteRange range, bool waits, torrent::TimePoint now) override;
    void read_ended(Ticket, bool, torrent::TimePoint) override {}
    bool has(torrent::PieceIndex piece) const override { return have_.test(piece); }
    std::vector<Order> plan(torrent::TimePoint now) override;
    std::optional<torrent::TimePoint> next_plan(torrent::TimePoint) override { return next_tick_; }
    std::vector<torrent::PeerHandle> take_banned() override { return std::exchange(banned_, {}); }
    std::uint64_t abandoned_bytes() const override { return 0; }
    std::uint64_t failed_bytes() const override { return failed_bytes_; }

protected:
    using Block = std::uint32_t;
    struct Peer {
        torrent::PeerHandle handle;
        torrent::Bitfield pieces;
        bool fast = true;
        bool choked = true;
        bool snubbed = false;
        std::vector<std::pair<Block, double>> asked;  // and when; oldest first
        double first_at = -1;                         // its first block came
        double last_at = -1;
        double busy_since = 0;
        double wait_until = 0;           // after it rejected something
        std::array<double, 10> bytes{};  // by second, of the last ten
        std::int64_t second = 0;
        std::uint32_t bad_pieces = 0;

        bool was_asked(Block block) const;
    };

    virtual void tick() = 0;
    virtual void jumped() {}  // the reader is somewhere else
    virtual void piece_done(torrent::PieceIndex) {}
    virtual void piece_freed(torrent::PieceIndex) {}  // what was asked of a peer will not come, or the hash was wrong

    double rate(Peer const& peer) const;  // bytes a second over the last ten seconds
    bool here(Block block) const { return here_[block]; }
    std::uint32_t times_asked(Block block) const { return times_asked_[block]; }
    torrent::PieceIndex piece_of(Block block) const { return torrent::PieceIndex(block / piece_blocks_); }
    Block first_block(torrent::PieceIndex piece) const { return piece.value() * piece_blocks_; }
    Block end_block(torrent::PieceIndex piece) const { return first_block(piece) + layout_.blocks(piece); }
    torrent::BlockAddress address(Block block) const;
    bool may_be_asked(Peer const& peer, Block block) const { return !peer.choked && peer.pieces.test(piece_of(block)); }
    void ask(Peer& peer, Block block);
    void cancel(Peer& peer, Block block);
    void forget(Peer& peer, Block block);  // without a message
    std::vector<Peer*> shuffled();
    Block reader() const { return first_block(layout_.piece_at(position_)); }

    torrent::PieceLayout layout_;
    Scenario scenario_;
    Random random_;
    double now_ = 0;
    std::map<torrent::PeerHandle, Peer> peers_;
    torrent::Bitfield have_;

private:
    void finish(torrent::PieceIndex piece);
    void count(Peer& peer, std::uint32_t bytes);

    std::uint32_t piece_blocks_;
    std::vector<bool> here_;
    std::vector<std::uint16_t> times_asked_;
    std::vector<std::uint32_t> missing_;                                          // blocks of each piece
    std::map<torrent::PieceIndex, std::map<torrent::PeerHandle, bool>> senders_;  // and whether all of it was good
    std::uint64_t position_ = 0;
    std::uint64_t last_end_ = 0;
    torrent::TimePoint next_tick_{};
    std::vector<Order> orders_;
    std::vector<torrent::PeerHandle> banned_;
    std::uint64_t failed_bytes_ = 0;
};

}  // namespace rqfs::tests
