#pragma once

#include "cache/check_turn.h"
#include "cache/disk_tier.h"
#include "cache/memory_tier.h"
#include "cache/open_files.h"
#include "cache/record_codec.h"
#include "cache/settings.h"
#include "cache/state_queue.h"
#include "cache/store_parts.h"
#include "cache/write_behind.h"
#include "torrent/clock.h"
#include "torrent/store.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace rqfs::cache {

// Everything that survives a restart, in one directory: DIR/state.db, DIR/pieces/HEX (one sparse file a torrent) and DIR/lock. No name
// that comes from a torrent is a name on the disk. Owned by Daemon; engine thread only.
class DiskStore final : public torrent::Store {
public:
    // Makes DIR (mode 0700) if it is missing and locks it. Blocks: to be called before the engine runs. Throws system_error: Errc::busy
    // "another rqfs uses the store DIR", Errc::io.
    static std::unique_ptr<DiskStore> open(boost::asio::any_io_executor executor, torrent::Clock& clock,
                                           torrent::Workers& workers, std::string directory, CacheSettings const& settings);
    ~DiskStore() override;

    // Also throws Errc::unsupported when a newer rqfs wrote the database.
    boost::asio::awaitable<std::vector<torrent::TorrentRecord>> load() override;
    boost::asio::awaitable<void> save(torrent::TorrentRecord record) override;
    // The torrent's PieceStore has been stopped before.
    boost::asio::awaitable<void> forget(torrent::InfoHash info_hash, bool keep_data) override;
    boost::asio::awaitable<void> save_peers(torrent::InfoHash info_hash, std::vector<torrent::Endpoint> peers) override;
    boost::asio::awaitable<std::vector<torrent::Endpoint>> load_peers(torrent::InfoHash info_hash) override;
    boost::asio::awaitable<void> save_dht(std::vector<std::byte> state) override;
    boost::asio::awaitable<std::vector<std::byte>> load_dht() override;
    std::unique_ptr<torrent::PieceStore> open(torrent::InfoHash info_hash, std::shared_ptr<torrent::PieceFacts const> facts,
                                              torrent::PieceStore::Observer& observer) override;
    torrent::DiskSpace space() const override { return space_; }

    // To be awaited before destruction, when every PieceStore has been stopped.
    boost::asio::awaitable<void> stop();

    std::uint64_t memory_bytes() const { return memory_.bytes(); }

private:
    DiskStore(boost::asio::any_io_executor executor, torrent::Clock& clock, torrent::Workers& workers,
              std::unique_ptr<StoreDirectory> directory, CacheSettings const& settings);

    boost::asio::awaitable<void> finish_forget(boost::asio::awaitable<void> written, torrent::InfoHash info_hash, bool keep_data);
    boost::asio::awaitable<void> watch_space();

    torrent::Clock& clock_;
    torrent::Workers& workers_;
    std::unique_ptr<StoreDirectory> directory_;
    std::map<torrent::InfoHash, StoredPieces> stored_;  // what is recorded of torrents that are not open
    std::set<torrent::InfoHash> open_;
    std::uint32_t next_key_ = 0;
    torrent::DiskSpace space_;
    bool stopped_ = false;
    torrent::TaskGroup tasks_;
    MemoryTier memory_;
    OpenFiles files_;
    StateQueue state_;
    WriteBehind write_behind_;
    CheckTurn check_turn_;
    StoreParts parts_;
};

}  // namespace rqfs::cache
