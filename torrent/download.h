#pragma once

#include "torrent/bitfield.h"
#include "torrent/clock.h"
#include "torrent/event.h"
#include "torrent/metainfo/metainfo.h"
#include "torrent/piece_store.h"
#include "torrent/statistics.h"
#include "torrent/store.h"
#include "torrent/swarm/piece_assembly.h"
#include "torrent/swarm/piece_picker.h"
#include "torrent/swarm/rate_meter.h"
#include "torrent/swarm/seek_budget.h"
#include "torrent/swarm/suspects.h"
#include "torrent/swarm/unread_read_ahead.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <spdlog/logger.h>
#include <vector>

namespace rqfs::torrent {

// The pieces of one torrent on their way from peers to the store: what is asked of whom, blocks put together, hashed as they come, stored, and
// who is to blame when a hash fails.
//
// Owned by Torrent from the moment its metadata is known. Engine thread only; start() once, stop() before destruction.
class Download final : private PieceStore::Observer {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        virtual void carry_out(PiecePicker::Order const& order) = 0;
        // What interesting() says may have changed for any peer.
        virtual void wishes_changed() = 0;
        virtual void piece_stored(PieceIndex piece) = 0;                      // verified: readers go on, peers are told
        virtual void pieces_gone(std::span<PieceIndex const> pieces) = 0;     // the store lost them
        virtual void ban_peer(PeerHandle peer, std::string const& why) = 0;   // proven to have sent bad data
        virtual void store_condition_changed() = 0;
    };

    struct Parts {
        boost::asio::any_io_executor executor;
        Clock& clock;
        Workers& workers;
        Store& store;
        std::shared_ptr<spdlog::logger> logger;
        Statistics& statistics;  // of the session
    };

    Download(Parts parts, std::shared_ptr<Metainfo const> metainfo, Owner& owner);
    ~Download() override;

    void start();
    boost::asio::awaitable<void> stop();

    // Peer events go to the picker directly; every batch ends with replan().
    PiecePicker& picker() { return picker_; }
    PiecePicker const& picker() const { return picker_; }
    PieceAssembly const& assembly() const { return assembly_; }
    void peer_left(PeerHandle peer);
    // `transfer`: since when the bytes came.
    void block(PeerHandle peer, BlockAddress block, std::span<std::byte const> bytes, Duration transfer);
    void replan();

    // What an open file wants, and that it wants nothing more. Interest and requests follow in the same turn.
    void set_wishes(ReaderId reader, std::vector<Wish> wishes);
    void drop_reader(ReaderId reader);
    // Readers have had so much taken back that those who jump about should wait a moment before they tell new wishes.
    bool seeks_too_much() { return seek_budget_.spent(parts_.clock.now()); }
    // What `download` wants of the torrent.
    void set_wanted(Bitfield const& wanted);
    Bitfield const& wanted() const { return wanted_; }
    // Somebody waits for a piece now, so time matters more than thrift: the next plan comes within 20 ms.
    void set_urgent(bool urgent);

    PieceStore& store() { return *store_; }
    PieceStore const& store() const { return *store_; }
    Metainfo const& metainfo() const { return *metainfo_; }
    Bitfield const& have() const { return store_->have(); }
    bool complete() const { return have().all(); }
    bool wanted_complete() const { return missing_wanted_ == 0; }
    std::uint64_t have_bytes() const { return have_bytes_; }
    double goodput(TimePoint now) const { return goodput_.rate(now); }
    void set_logger(std::shared_ptr<spdlog::logger> logger) { parts_.logger = std::move(logger); }
    std::uint64_t downloaded_bytes() const { return goodput_.total(); }
    std::uint64_t wasted_bytes() const { return received_.wasted(); }
    bool suspected(PeerHandle peer) const { return suspects_.on_parole(peer); }

    // What readers tell of themselves goes there too.
    Statistics& statistics() { return parts_.statistics; }
    void pieces_read(PieceLayout::Pieces pieces) { read_ahead_.read(pieces); }
    std::uint64_t unread_read_ahead_bytes() const { return read_ahead_.bytes(); }

private:
    // PieceStore::Observer
    void pieces_lost(std::span<PieceIndex const> pieces) override;
    void piece_found(PieceIndex piece) override;
    void store_changed() override;

    void count(std::uint64_t ReceivedBytes::*what, std::uint64_t bytes);
    void fill_padding(PieceIndex piece);
    void hash_more(PieceIndex piece);
    boost::asio::awaitable<void> hash_more_of(HashRun run);
    void finish_piece(PieceIndex piece, bool good);
    boost::asio::awaitable<void> judge(PieceIndex piece, bool good, SharedBytes bytes, std::vector<PeerHandle> senders);
    void note_stored(PieceIndex piece);
    void apply(Suspects::Verdict const& verdict);
    void count_pieces();
    boost::asio::awaitable<void> keep_planning();
    void update_hold();
    void plan_for_readers();
    void tell_wishes();

    Parts parts_;
    std::shared_ptr<Metainfo const> metainfo_;
    Owner& owner_;
    std::unique_ptr<PieceStore> store_;
    PiecePicker picker_;
    PieceAssembly assembly_;
    Suspects suspects_;
    bool has_suspects_ = false;  // somebody is on parole, so a piece that passes may clear it
    std::map<PieceIndex, std::vector<BlockIndex>> padding_;  // blocks inside pad files
    Bitfield wanted_;
    std::uint32_t missing_wanted_ = 0;
    std::uint64_t have_bytes_ = 0;
    RateMeter goodput_;
    ReceivedBytes received_;
    UnreadReadAhead read_ahead_;
    bool urgent_ = false;
    bool planning_ = false;
    bool dormant_ = false;  // keep_planning() waits for a first request
    SeekBudget seek_budget_;
    std::map<ReaderId, std::optional<std::vector<Wish>>> untold_;  // what readers want now, until a plan may be made; nothing: the reader is gone
    double plans_left_ = 0;  // at once, for changed wishes
    TimePoint plans_since_{};
    Event wake_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
