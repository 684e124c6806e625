#include "cache/disk_store.h"

#include "cache/piece_cache.h"
#include "torrent/error.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

namespace rqfs::cache {

namespace asio = boost::asio;
using torrent::InfoHash;
using torrent::Workers;

std::unique_ptr<DiskStore> DiskStore::open(asio::any_io_executor executor, torrent::Clock& clock, Workers& workers,
                                           std::string directory, CacheSettings const& settings) {
    auto locked = std::make_unique<StoreDirectory>(std::move(directory));
    return std::unique_ptr<DiskStore>(new DiskStore(std::move(executor), clock, workers, std::move(locked), settings));
}

DiskStore::DiskStore(asio::any_io_executor executor, torrent::Clock& clock, Workers& workers,
                     std::unique_ptr<StoreDirectory> directory, CacheSettings const& settings)
    : clock_(clock),
      workers_(workers),
      directory_(std::move(directory)),
      space_(disk_space(directory_->path())),
      tasks_(executor, "store"),
      memory_(settings.memory_bytes),
      files_(workers, tasks_, settings.open_files),
      state_(executor, workers, directory_->database()),
      write_behind_(executor, clock, workers, state_, files_, settings),
      check_turn_(executor),
      parts_{executor, clock, workers, memory_, files_, state_, write_behind_, check_turn_} {
    tasks_.spawn(watch_space());
}

DiskStore::~DiskStore() { assert(stopped_ && "DiskStore destroyed before stop()"); }

asio::awaitable<std::vector<torrent::TorrentRecord>> DiskStore::load() {
    std::function<StoredState(StateDb&)> query = [](StateDb& db) { return db.load(); };
    auto state = co_await state_.read<StoredState>(std::move(query));
    stored_ = std::move(state.pieces);
    co_return std::move(state.torrents);
}

// Not coroutines: the order of changes is that of the calls.
asio::awaitable<void> DiskStore::save(torrent::TorrentRecord record) {
    StateDb::Change change = [record = std::move(record)](StateDb& db) { db.save(record); };
    return state_.write(std::move(change));
}

asio::awaitable<void> DiskStore::save_peers(InfoHash info_hash, std::vector<torrent::Endpoint> peers) {
    if (peers.size() > kSavedPeers) peers.resize(kSavedPeers);
    StateDb::Change change = [info_hash, peers = std::move(peers)](StateDb& db) { db.save_peers(info_hash, peers); };
    return state_.write(std::move(change));
}

asio::awaitable<std::vector<torrent::Endpoint>> DiskStore::load_peers(InfoHash info_hash) {
    std::function<std::vector<torrent::Endpoint>(StateDb&)> query = [info_hash](StateDb& db) { return db.load_peers(info_hash); };
    return state_.read<std::vector<torrent::Endpoint>>(std::move(query));
}

asio::awaitable<void> DiskStore::save_dht(std::vector<std::byte> state) {
    StateDb::Change change = [state = std::move(state)](StateDb& db) { db.save_dht(state); };
    return state_.write(std::move(change));
}

asio::awaitable<std::vector<std::byte>> DiskStore::load_dht() {
    std::function<std::vector<std::byte>(StateDb&)> query = [](StateDb& db) { return db.load_dht(); };
    return state_.read<std::vector<std::byte>>(std::move(query));
}

asio::awaitable<void> DiskStore::forget(InfoHash info_hash, bool keep_data) {
    assert(!open_.contains(info_hash) && "a torrent is forgotten whose pieces are open");
    StateDb::Change change = [info_hash, keep_data](StateDb& db) { db.forget(info_hash, keep_data); };
    return finish_forget(state_.write(std::move(change)), info_hash, keep_data);
}

asio::awaitable<void> DiskStore::finish_forget(asio::awaitable<void> written, InfoHash info_hash, bool keep_data) {
    co_await std::move(written);
    if (keep_data) co_return;
    stored_.erase(info_hash);
    try {
        co_await workers_.run(Workers::Lane::disk, &remove_file, directory_->piece_file(info_hash.hex()));
    } catch (boost::system::system_error const& e) {
        if (e.code() != torrent::Errc::io) throw;
        torrent::throw_error(torrent::Errc::io, "the torrent was removed, but its data could not be: " + torrent::sentence(e));
    }
}

std::unique_ptr<torrent::PieceStore> DiskStore::open(InfoHash info_hash, std::shared_ptr<torrent::PieceFacts const> facts,
                                                     torrent::PieceStore::Observer& observer) {
    assert(!open_.contains(info_hash) && "a torrent has one PieceStore at a time");
    open_.insert(info_hash);
    TorrentPlace place{TorrentKey(next_key_++),
                       info_hash,
                       directory_->piece_file(info_hash.hex()),
                       facts->total_bytes,
                       std::max<std::uint32_t>(facts->piece_bytes, 1),
                       static_cast<std::uint32_t>(facts->hashes.size())};
    torrent::Bitfield recorded(place.pieces);
    auto const known = stored_.find(info_hash);
    if (known != stored_.end()) {
        if (known->second.fits(place)) recorded = std::move(known->second.recorded);
        stored_.erase(known);
    }
    auto stopped = [this, info_hash](StoredPieces pieces) {
        open_.erase(info_hash);
        stored_.insert_or_assign(info_hash, std::move(pieces));
    };
    return std::make_unique<PieceCache>(parts_, std::move(place), std::move(facts), std::move(recorded), observer, std::move(stopped));
}

asio::awaitable<void> DiskStore::watch_space() {
    for (;;) {
        co_await clock_.sleep(kSpaceInterval);
        auto const space = co_await workers_.run(Workers::Lane::disk, &disk_space, directory_->path());
        if (space.total_bytes != 0) space_ = space;
    }
}

asio::awaitable<void> DiskStore::stop() {
    assert(open_.empty() && "a PieceStore is still open");
    co_await write_behind_.stop();
    co_await state_.stop();
    co_await tasks_.stop();
    stopped_ = true;
}

}  // namespace rqfs::cache
