#pragma once

#include "cache/record_codec.h"
#include "cache/state_db_sql.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/store.h"
#include "torrent/units.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rqfs::cache {

// A piece that is on disk and synced, with the checksums of its blocks.
struct PieceRecord {
    torrent::PieceIndex piece;
    std::vector<std::uint32_t> checksums;
};

struct StoredState {
    std::vector<torrent::TorrentRecord> torrents;  // in the order they were added
    std::map<torrent::InfoHash, StoredPieces> pieces;
};

// The database of the store: torrents, metadata, pieces with their checksums, peers. SQLite in WAL mode with synchronous=FULL: what a
// transaction wrote is durable when apply() returns.
//
// A damaged database is set aside (NAME.damaged) and built anew from every row that can still be read and whose seal holds. Used by
// one job of the disk lane at a time; every call may block. Throws system_error with Errc::io or Errc::no_space; Errc::unsupported
// when a newer version wrote it.
class StateDb {
public:
    static constexpr std::int64_t kVersion = 1;
    using Change = std::function<void(StateDb&)>;

    explicit StateDb(std::string path);
    ~StateDb();

    // All changes in one transaction: all are durable when it returns, or none is and it throws.
    void apply(std::span<Change const> changes);

    // To be called in a Change.
    void save(torrent::TorrentRecord const& record);
    void forget(torrent::InfoHash const& info_hash, bool keep_data);
    void save_peers(torrent::InfoHash const& info_hash, std::span<torrent::Endpoint const> peers);
    void save_dht(std::span<std::byte const> state);
    // Pieces recorded with other facts than `place` has are forgotten first.
    void record_pieces(TorrentPlace const& place, std::span<PieceRecord const> pieces);
    void remove_pieces(TorrentPlace const& place, std::span<torrent::PieceIndex const> pieces);

    StoredState load();
    std::vector<torrent::Endpoint> load_peers(torrent::InfoHash const& info_hash);
    std::vector<std::byte> load_dht();
    // Rows whose seal is broken are left out.
    std::vector<PieceRecord> load_checksums(torrent::InfoHash const& info_hash);

private:
    void open_or_rebuild();
    void open();
    void rebuild(std::string const& why);
    void transact(std::span<Change const> changes);
    void read_metadata(StoredState& state);
    void write_pieces(torrent::InfoHash const& info_hash, StoredPieces const& pieces);
    StoredPieces pieces_of(TorrentPlace const& place);

    std::string path_;
    std::unique_ptr<Sql> sql_;
};

}  // namespace rqfs::cache
