#pragma once

#include "cache/disk_jobs.h"
#include "cache/store_parts.h"
#include "cache/torrent_place.h"
#include "torrent/bitfield.h"
#include "torrent/piece_store.h"
#include "torrent/store.h"
#include "torrent/task_group.h"
#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

namespace rqfs::cache {

// Hashes what lies in the file of one torrent, in the background, one torrent of the store at a time. Engine thread only; owned by
// PieceCache.
class PieceCheck {
public:
    class Owner {
    public:
        virtual ~Owner() = default;
        // Whether memory alone holds it: the file has nothing to say about it.
        virtual bool in_memory_only(torrent::PieceIndex piece) const = 0;
        virtual bool stored(torrent::PieceIndex piece) const = 0;
        virtual void check_passed(torrent::PieceIndex piece, std::vector<std::uint32_t> checksums, std::shared_ptr<StoreFile> file) = 0;
        virtual void check_failed(std::vector<torrent::PieceIndex> pieces) = 0;  // all of them were stored
    };

    PieceCheck(StoreParts& parts, TorrentPlace const& place, std::shared_ptr<torrent::PieceFacts const> facts, Owner& owner);

    // Pieces in the file that are not stored, and stored ones that have a hole.
    void start_search();
    // Those and everything that is stored.
    void start_full();
    // Pieces whose checksums are lost: the file is asked whether it still holds them.
    void start_for(std::vector<torrent::PieceIndex> const& pieces);
    void cancel();
    torrent::PieceStore::CheckProgress progress() const;

    // The piece was written meanwhile: what a running job finds says nothing about it.
    void touched(torrent::PieceIndex piece) { in_job_.erase(piece); }

    boost::asio::awaitable<void> stop();

private:
    boost::asio::awaitable<void> run(std::uint64_t run, bool everything, torrent::Bitfield also);
    boost::asio::awaitable<torrent::Bitfield> candidates(bool everything, torrent::Bitfield also);
    boost::asio::awaitable<void> hash(std::uint64_t run, torrent::Bitfield wanted);
    boost::asio::awaitable<void> hash_batch(std::vector<HashItem> items);
    void start(bool everything, torrent::Bitfield also);

    StoreParts& parts_;
    TorrentPlace const& place_;
    std::shared_ptr<torrent::PieceFacts const> facts_;
    Owner& owner_;
    std::uint64_t current_run_ = 0;  // an older one ends at its next step
    bool running_ = false;
    bool full_ = false;              // of the run under way
    torrent::Bitfield remaining_;    // of the run under way; a new run takes them over
    std::uint64_t bytes_ = 0;
    std::uint64_t hashed_bytes_ = 0;
    std::size_t bad_pieces_ = 0;  // stored ones that failed, since a full check began
    std::set<torrent::PieceIndex> in_job_;
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::cache
