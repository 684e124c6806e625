#pragma once

#include "cache/piece_check.h"
#include "cache/piece_checksums.h"
#include "cache/read_history.h"
#include "cache/record_codec.h"
#include "cache/store_parts.h"
#include "cache/torrent_place.h"
#include "cache/write_behind.h"
#include "torrent/bitfield.h"
#include "torrent/event.h"
#include "torrent/piece_store.h"
#include "torrent/store.h"
#include "torrent/task_group.h"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::cache {

// The pieces of one torrent: memory before disk. Made by DiskStore::open(), owned by the torrent; engine thread only.
//
// A piece it has is in memory, on disk with the checksums of its blocks, or both; only synced ones are recorded in the database.
class PieceCache final : public torrent::PieceStore, private WriteBehind::Torrent, private PieceCheck::Owner {
public:
    // `recorded`: pieces that the database lists. `stopped` gets what is recorded at the end of stop().
    PieceCache(StoreParts& parts, TorrentPlace place, std::shared_ptr<torrent::PieceFacts const> facts, torrent::Bitfield recorded,
               Observer& observer, std::function<void(StoredPieces)> stopped);
    ~PieceCache() override;

    torrent::Bitfield const& have() const override { return have_; }
    void put(torrent::PieceIndex piece, torrent::SharedBytes bytes) override;
    bool has_room() const override { return parts_.write_behind.has_room(*this); }
    std::optional<torrent::SharedBytes> try_read(torrent::PieceIndex piece, torrent::ByteRange range) override;
    boost::asio::awaitable<torrent::SharedBytes> read(torrent::PieceIndex piece, torrent::ByteRange range) override;
    void start_check() override { check_.start_full(); }
    void cancel_check() override { check_.cancel(); }
    CheckProgress check_progress() const override { return check_.progress(); }
    Condition condition() const override;
    void retry_now() override { parts_.write_behind.retry_now(); }
    boost::asio::awaitable<void> flush() override { return parts_.write_behind.flush(*this); }
    boost::asio::awaitable<void> stop() override;

private:
    using Run = std::pair<torrent::PieceIndex, std::uint64_t>;  // the part of a piece that begins at number * kRunBytes
    class Reading;

    TorrentPlace const& place() const override { return place_; }
    void piece_written(torrent::PieceIndex piece, std::vector<std::uint32_t> checksums) override;
    std::vector<PieceRecord> to_record(std::set<torrent::PieceIndex> const& pieces) const override;
    void pieces_recorded(std::set<torrent::PieceIndex> const& pieces) override;
    void sync_failed(std::set<torrent::PieceIndex> const& pieces) override;
    void piece_dropped(torrent::PieceIndex piece) override;
    void disk_changed() override { observer_.store_changed(); }

    bool in_memory_only(torrent::PieceIndex piece) const override { return have_.test(piece) && !on_disk_.test(piece); }
    bool stored(torrent::PieceIndex piece) const override { return on_disk_.test(piece); }
    void check_passed(torrent::PieceIndex piece, std::vector<std::uint32_t> checksums, std::shared_ptr<StoreFile> file) override;
    void check_failed(std::vector<torrent::PieceIndex> pieces) override { lose(std::move(pieces)); }

    torrent::ByteRange in_torrent(torrent::PieceIndex piece, torrent::ByteRange range) const;
    bool loading(torrent::PieceIndex piece, torrent::ByteRange runs) const;
    boost::asio::awaitable<std::optional<torrent::SharedBytes>> load(torrent::PieceIndex piece, torrent::ByteRange blocks);
    boost::asio::awaitable<std::optional<torrent::SharedBytes>> load_runs(torrent::PieceIndex piece, torrent::ByteRange runs);
    std::optional<torrent::SharedBytes> judge(torrent::PieceIndex piece, std::vector<std::uint32_t> const& checksums,
                                              torrent::ByteRange blocks, ReadOutcome outcome);
    void read_ahead(std::uint64_t from);
    boost::asio::awaitable<void> read_ahead(torrent::PieceIndex piece, torrent::ByteRange run);
    boost::asio::awaitable<void> load_checksums();
    void take_checksums(std::vector<PieceRecord> const& records);
    void lose(std::vector<torrent::PieceIndex> pieces);

    StoreParts& parts_;
    TorrentPlace const place_;
    Observer& observer_;
    std::function<void(StoredPieces)> stopped_;
    torrent::Bitfield have_;
    torrent::Bitfield on_disk_;
    torrent::Bitfield recorded_;
    PieceChecksums checksums_;
    enum class Loaded { no, loading, yes } checksums_loaded_ = Loaded::no;
    ReadHistory history_;
    std::set<Run> loading_;  // runs that a job reads now
    std::size_t read_ahead_jobs_ = 0;
    std::size_t readings_ = 0;
    bool stopping_ = false;
    bool has_stopped_ = false;
    torrent::Event loaded_;  // a run, the checksums, or the last reading has ended
    PieceCheck check_;
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::cache
