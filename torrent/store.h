#pragma once

#include "torrent/endpoint.h"
#include "torrent/hash.h"
#include "torrent/info_hash.h"
#include "torrent/piece_store.h"
#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// What is remembered of a torrent besides its pieces.
struct TorrentRecord {
    InfoHash info_hash;
    std::string display_name;                        // a magnet's dn; empty when it had none
    std::vector<std::vector<std::string>> trackers;  // tiers of BEP 12, as the user gave them
    std::vector<std::string> user_trackers;          // those of them that the user named himself: asked without vetting
    std::vector<std::string> web_seeds;              // kept for later (BEP 19)
    std::vector<std::string> user_peers;             // of `connect`: HOST:PORT, dialled without vetting
    std::vector<std::string> magnet_peers;           // x.pe: the same, vetted
    std::vector<std::byte> info;                     // raw bytes of the info dictionary; empty until known
    std::optional<std::chrono::sys_seconds> created; // `creation date` of the torrent file
    std::chrono::sys_seconds added{};
    std::string directory;                           // its name in the mount; empty until the filesystem chose one
    bool paused = false;
    bool download = false;                           // the user wants it whole, or `wanted_files` of it
    std::vector<FileIndex> wanted_files;             // empty with download: all
    std::vector<FileIndex> selected_files;           // so= of the magnet: what `download` without files fetches; empty: all
    std::uint64_t downloaded_bytes = 0;              // payload over all runs, for trackers
    std::uint64_t uploaded_bytes = 0;
    bool completed_announced = false;                // event=completed goes out once in a torrent's life (BEP 3)
};

// The facts of a torrent that its piece store needs.
struct PieceFacts {
    std::uint64_t total_bytes = 0;
    std::uint32_t piece_bytes = 0;  // of every piece but the last
    std::vector<Sha1Digest> hashes; // one a piece
};

struct DiskSpace {
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;   // what an ordinary user may still write
    std::uint64_t unused_bytes = 0; // free_bytes and what the filesystem keeps for root: the rest of total_bytes is in use
};

// Everything that survives a restart. Implemented by cache/; engine thread only. Owned by Daemon, outlives Session.
// Throws system_error with Errc::io or Errc::no_space where the disk says no.
class Store {
public:
    virtual ~Store() = default;

    // All torrents in the order they were added, as of the last run. Called once, before anything else.
    virtual boost::asio::awaitable<std::vector<TorrentRecord>> load() = 0;
    // Durable when it returns. Saves of one torrent take effect in the order they were called.
    virtual boost::asio::awaitable<void> save(TorrentRecord record) = 0;
    // Forgets the torrent; with keep_data its pieces stay and are found again when it is added again.
    virtual boost::asio::awaitable<void> forget(InfoHash info_hash, bool keep_data) = 0;

    // Peers worth dialling after a restart, best first; replaces what was saved.
    virtual boost::asio::awaitable<void> save_peers(InfoHash info_hash, std::vector<Endpoint> peers) = 0;
    virtual boost::asio::awaitable<std::vector<Endpoint>> load_peers(InfoHash info_hash) = 0;

    // What the DHT found out (Dht::save), empty when nothing was saved; replaces what was saved.
    virtual boost::asio::awaitable<void> save_dht(std::vector<std::byte> state) = 0;
    virtual boost::asio::awaitable<std::vector<std::byte>> load_dht() = 0;

    // The pieces of one torrent; recorded ones are in have() at once, without touching the disk. Data that is in the file but not
    // recorded is hashed in the background. At most one open PieceStore a torrent. `observer` outlives it.
    virtual std::unique_ptr<PieceStore> open(InfoHash info_hash, std::shared_ptr<PieceFacts const> facts,
                                             PieceStore::Observer& observer) = 0;

    // A recent figure (refreshed in the background every few seconds); never waits.
    virtual DiskSpace space() const = 0;
};

}  // namespace rqfs::torrent
