#pragma once

#include "cache/disk_jobs.h"
#include "cache/open_files.h"
#include "cache/settings.h"
#include "cache/state_queue.h"
#include "cache/torrent_place.h"
#include "torrent/clock.h"
#include "torrent/event.h"
#include "torrent/piece_store.h"
#include "torrent/shared_bytes.h"
#include "torrent/task_group.h"
#include "torrent/units.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace rqfs::cache {

// Brings verified pieces to the disk, of all torrents: one write a piece, then now and then one sync a file and one transaction that
// records what is synced. A piece is recorded only after a sync that succeeded. What cannot be written waits and is tried again every
// kRetryInterval: everything when the disk is full or the database fails, else only what belongs to the file in trouble. Engine thread
// only; owned by DiskStore.
class WriteBehind {
public:
    // The pieces of one torrent. Calls come from the coroutines of WriteBehind, never from within put().
    class Torrent {
    public:
        virtual ~Torrent() = default;
        virtual TorrentPlace const& place() const = 0;
        // In the file, though perhaps not on the disk: can be read from there.
        virtual void piece_written(torrent::PieceIndex piece, std::vector<std::uint32_t> checksums) = 0;
        virtual std::vector<PieceRecord> to_record(std::set<torrent::PieceIndex> const& pieces) const = 0;
        virtual void pieces_recorded(std::set<torrent::PieceIndex> const& pieces) = 0;
        // The disk did not take what was written: what the file holds is not to be believed.
        virtual void sync_failed(std::set<torrent::PieceIndex> const& pieces) = 0;
        // The disk is full and memory too: this piece, the one that waited longest, is given up.
        virtual void piece_dropped(torrent::PieceIndex piece) = 0;
        virtual void disk_changed() = 0;  // has_room() or condition() is another
    };

    WriteBehind(boost::asio::any_io_executor const& executor, torrent::Clock& clock, torrent::Workers& workers, StateQueue& state,
                OpenFiles& files, CacheSettings const& settings);

    void add(Torrent& torrent);
    // Gives up what is not written; ends when no job works for the torrent.
    boost::asio::awaitable<void> remove(Torrent& torrent);

    void put(Torrent& torrent, torrent::PieceIndex piece, torrent::SharedBytes bytes);
    // Data that proved right although nobody recorded it: to be synced and recorded.
    void found(Torrent& torrent, torrent::PieceIndex piece, std::shared_ptr<StoreFile> file);
    // The piece is lost: it is neither written nor recorded any more.
    void forget(Torrent& torrent, torrent::PieceIndex piece);

    // Not for a torrent whose file takes nothing: it must not use up the memory of the others.
    bool has_room(Torrent const& torrent) const;
    torrent::PieceStore::Condition condition(Torrent const& torrent) const;
    bool waits(Torrent const& torrent) const;
    void retry_now();
    // Returns when everything of the torrent is recorded, or an attempt failed.
    boost::asio::awaitable<void> flush(Torrent& torrent);

    boost::asio::awaitable<void> stop();

private:
    struct Unwritten {
        Torrent* torrent = nullptr;  // null: forgotten while it was being written
        torrent::PieceIndex piece;
        torrent::SharedBytes bytes;
    };
    struct Unsynced {
        std::set<torrent::PieceIndex> pieces;
        std::shared_ptr<StoreFile> file;  // kept open: it is the one that learns of a failure
    };
    using UnsyncedFiles = std::map<Torrent*, Unsynced>;
    // How the file of one torrent does, apart from what troubles all.
    struct Health {
        DiskFailure write;  // of its last write ...
        DiskFailure sync;   // ... and of its last sync; code 0: it went well
        torrent::TimePoint retry_at{};
        std::uint64_t failures = 0;
    };

    boost::asio::awaitable<void> write_loop();
    boost::asio::awaitable<void> write_batch();
    std::vector<WriteItem> take_batch();
    void finish_batch(WriteOutcome outcome);
    boost::asio::awaitable<void> commit_loop();
    boost::asio::awaitable<void> commit();
    boost::asio::awaitable<DiskFailure> sync(Torrent* torrent);
    boost::asio::awaitable<DiskFailure> record();
    boost::asio::awaitable<void> announce_loop();

    void add_unsynced(Torrent& torrent, torrent::PieceIndex piece, std::shared_ptr<StoreFile> const& file);
    bool has_room() const { return unwritten_bytes_ < settings_.memory_bytes / kUnwrittenDivisor; }
    Health health(Torrent const& torrent) const;  // what still counts of it
    torrent::TimePoint write_due() const;
    torrent::TimePoint commit_due() const;
    void put_back(Torrent* torrent, std::vector<Unwritten> const& batch, std::size_t written, DiskFailure const& failure);
    void drop_excess();
    void drop_excess_of(Torrent* torrent);
    void release(std::uint64_t bytes);
    void settle(DiskFailure& slot, DiskFailure const& outcome);
    void settle(Torrent* torrent, DiskFailure Health::*slot, DiskFailure const& outcome);
    void announce();
    boost::asio::awaitable<void> wait_until(torrent::Event& event, torrent::TimePoint when);

    torrent::Clock& clock_;
    torrent::Workers& workers_;
    StateQueue& state_;
    OpenFiles& files_;
    CacheSettings const settings_;

    std::map<Torrent*, Health, std::less<>> torrents_;
    std::deque<Unwritten> queue_;
    std::vector<Unwritten> writing_;  // what the job under way writes, all of one torrent
    Torrent* writing_for_ = nullptr;
    UnsyncedFiles unsynced_;
    UnsyncedFiles syncing_;
    Torrent* syncing_for_ = nullptr;
    bool recording_ = false;
    std::uint64_t unwritten_bytes_ = 0;
    std::uint64_t unsynced_bytes_ = 0;
    torrent::TimePoint oldest_unsynced_{};
    torrent::TimePoint last_written_{};
    torrent::TimePoint retry_at_{};  // nothing is tried before
    std::uint64_t failures_ = 0;     // that trouble all
    std::size_t flushes_ = 0;
    DiskFailure write_failure_;   // the disk was full at the last write ...
    DiskFailure commit_failure_;  // ... or at the last commit, or the database failed then; code 0: all is well
    bool announce_ = false;

    torrent::Event work_;      // for write_loop
    torrent::Event commit_;    // for commit_loop
    torrent::Event settled_;   // a batch or a commit has ended, well or not
    torrent::Event changed_;   // for announce_loop
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::cache
