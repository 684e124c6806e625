#include "cache/state_db.h"

#include "cache/log.h"
#include "cache/state_db_rescue.h"
#include "torrent/error.h"
#include "torrent/hash.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace rqfs::cache {

using torrent::Errc;
using torrent::InfoHash;
using torrent::PieceIndex;
using torrent::TorrentRecord;

namespace {

std::optional<InfoHash> hash_of(std::span<std::byte const> bytes) {
    auto const hash = InfoHash::from_bytes(bytes);
    if (!hash) return std::nullopt;
    return *hash;
}

// The DHT's nodes are one more list of addresses. Its key is no info-hash, so that databases of before and after are the
// same.
constexpr std::string_view kDhtKey = "dht";

std::span<std::byte const> dht_key() { return std::as_bytes(std::span(kDhtKey)); }

}  // namespace

StateDb::StateDb(std::string path) : path_(std::move(path)) { open_or_rebuild(); }

StateDb::~StateDb() = default;

void StateDb::open_or_rebuild() {
    try {
        open();
    } catch (DamagedDatabase const& e) {
        rebuild(e.what());
    } catch (...) {
        sql_.reset();
        throw;
    }
}

void StateDb::open() {
    finish_rescue(path_);
    sql_ = std::make_unique<Sql>(path_);
    sql_->run("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864");
    if (sql_->number("SELECT count(*) FROM sqlite_schema") == 0) create_tables(*sql_);
    auto const version = sql_->number("PRAGMA user_version");
    auto const table_version = sql_->number("SELECT version FROM format");
    // A version stands in two places: a flipped bit must not look like a newer rqfs.
    if (version > kVersion && version == table_version)
        torrent::throw_error(Errc::unsupported, "the store " + path_ + " was written by a newer rqfs (its version is " +
                                                    std::to_string(version) + ", this one knows " +
                                                    std::to_string(kVersion) + ")");
    if (version != kVersion || table_version != kVersion || !has_our_tables(*sql_))
        throw DamagedDatabase("its tables are not those of a store");
}

void StateDb::rebuild(std::string const& why) {
    log().warn("the database of the store is damaged, building it anew file={} reason={}", path_, why);
    sql_.reset();
    try {
        rescue_database(path_);
        open();
    } catch (DamagedDatabase const& again) {
        sql_.reset();
        torrent::throw_error(Errc::io, std::string("the database of the store cannot be built anew: ") + again.what());
    }
}

StoredState StateDb::load() {
    StoredState state;
    Statement torrents(*sql_, "SELECT info_hash,record FROM torrents NOT INDEXED ORDER BY id");
    while (torrents.step()) {
        auto const info_hash = hash_of(torrents.blob(0));
        auto record = info_hash ? decode_torrent(*info_hash, torrents.blob(1)) : std::nullopt;
        if (record) state.torrents.push_back(std::move(*record));
        else log().warn("a damaged record of a torrent was left out torrent={}", info_hash ? info_hash->short_hex() : "?");
    }
    read_metadata(state);
    Statement pieces(*sql_, "SELECT info_hash,recorded FROM pieces NOT INDEXED");
    while (pieces.step()) {
        auto const info_hash = hash_of(pieces.blob(0));
        auto stored = info_hash ? decode_pieces(*info_hash, pieces.blob(1)) : std::nullopt;
        if (stored) state.pieces.insert_or_assign(*info_hash, std::move(*stored));
    }
    return state;
}

void StateDb::read_metadata(StoredState& state) {
    std::map<InfoHash, std::size_t> places;
    for (std::size_t i = 0; i < state.torrents.size(); ++i) places.emplace(state.torrents[i].info_hash, i);
    Statement metadata(*sql_, "SELECT info_hash,info FROM metadata NOT INDEXED");
    while (metadata.step()) {
        auto const info_hash = hash_of(metadata.blob(0));
        auto const info = metadata.blob(1);
        if (!info_hash || InfoHash(torrent::sha1(info)) != *info_hash) continue;
        auto const [place, missing] = places.emplace(*info_hash, state.torrents.size());
        if (missing) {
            // Its record was damaged; the metadata proves itself and is worth more.
            TorrentRecord record;
            record.info_hash = *info_hash;
            record.added = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
            state.torrents.push_back(std::move(record));
        }
        state.torrents[place->second].info.assign(info.begin(), info.end());
    }
}

void StateDb::apply(std::span<Change const> changes) {
    if (sql_ == nullptr) open_or_rebuild();
    try {
        transact(changes);
    } catch (DamagedDatabase const& e) {
        rebuild(e.what());
        try {
            transact(changes);
        } catch (DamagedDatabase const& again) {
            torrent::throw_error(Errc::io, std::string("the database of the store failed: ") + again.what());
        }
    }
}

void StateDb::transact(std::span<Change const> changes) {
    sql_->run("BEGIN IMMEDIATE");
    try {
        for (auto const& change : changes) change(*this);
        sql_->run("COMMIT");
    } catch (...) {
        try {
            sql_->run("ROLLBACK");
        } catch (...) {
            // SQLite has rolled back by itself when the disk was full; what counts is the first failure.
        }
        throw;
    }
}

void StateDb::save(TorrentRecord const& record) {
    auto const row = encode_torrent(record);
    Statement(*sql_, "INSERT INTO torrents(info_hash,record) VALUES(?1,?2) ON CONFLICT(info_hash) DO UPDATE SET record=excluded.record")
        .bind(record.info_hash.bytes())
        .bind(row)
        .run();
    if (record.info.empty()) return;
    // Large, and the same for ever once known: written again only when what is there is damaged.
    Statement(*sql_, "INSERT INTO metadata(info_hash,info) VALUES(?1,?2) ON CONFLICT(info_hash) DO UPDATE SET info=excluded.info "
                     "WHERE info<>excluded.info")
        .bind(record.info_hash.bytes())
        .bind(record.info)
        .run();
}

void StateDb::forget(InfoHash const& info_hash, bool keep_data) {
    auto const key = info_hash.bytes();
    for (auto const* const text : {"DELETE FROM torrents WHERE info_hash=?1", "DELETE FROM metadata WHERE info_hash=?1",
                                   "DELETE FROM peers WHERE info_hash=?1"})
        Statement(*sql_, text).bind(key).run();
    if (keep_data) return;
    for (auto const* const text : {"DELETE FROM pieces WHERE info_hash=?1", "DELETE FROM checksums WHERE info_hash=?1"})
        Statement(*sql_, text).bind(key).run();
}

void StateDb::save_peers(InfoHash const& info_hash, std::span<torrent::Endpoint const> peers) {
    auto const row = encode_peers(info_hash, peers);
    Statement(*sql_, "INSERT OR REPLACE INTO peers(info_hash,peers) VALUES(?1,?2)").bind(info_hash.bytes()).bind(row).run();
}

std::vector<torrent::Endpoint> StateDb::load_peers(InfoHash const& info_hash) {
    Statement query(*sql_, "SELECT peers FROM peers WHERE info_hash=?1");
    query.bind(info_hash.bytes());
    if (!query.step()) return {};
    return decode_peers(info_hash, query.blob(0)).value_or(std::vector<torrent::Endpoint>());
}

void StateDb::save_dht(std::span<std::byte const> state) {
    auto const row = encode_dht(state);
    Statement(*sql_, "INSERT OR REPLACE INTO peers(info_hash,peers) VALUES(?1,?2)").bind(dht_key()).bind(row).run();
}

std::vector<std::byte> StateDb::load_dht() {
    Statement query(*sql_, "SELECT peers FROM peers WHERE info_hash=?1");
    query.bind(dht_key());
    if (!query.step()) return {};
    return decode_dht(query.blob(0)).value_or(std::vector<std::byte>());
}

StoredPieces StateDb::pieces_of(TorrentPlace const& place) {
    {
        Statement query(*sql_, "SELECT recorded FROM pieces WHERE info_hash=?1");
        query.bind(place.info_hash.bytes());
        if (query.step()) {
            auto stored = decode_pieces(place.info_hash, query.blob(0));
            if (stored && stored->fits(place)) return std::move(*stored);
        }
    }
    Statement(*sql_, "DELETE FROM checksums WHERE info_hash=?1").bind(place.info_hash.bytes()).run();
    return {place.total_bytes, place.piece_bytes, torrent::Bitfield(place.pieces)};
}

void StateDb::write_pieces(InfoHash const& info_hash, StoredPieces const& pieces) {
    auto const row = encode_pieces(info_hash, pieces);
    Statement(*sql_, "INSERT INTO pieces(info_hash,recorded) VALUES(?1,?2) ON CONFLICT(info_hash) DO UPDATE SET recorded=excluded.recorded")
        .bind(info_hash.bytes())
        .bind(row)
        .run();
}

void StateDb::record_pieces(TorrentPlace const& place, std::span<PieceRecord const> pieces) {
    auto stored = pieces_of(place);
    Statement insert(*sql_, "INSERT OR REPLACE INTO checksums(info_hash,piece,sums) VALUES(?1,?2,?3)");
    for (auto const& record : pieces) {
        auto const row = encode_checksums(place.info_hash, record.piece, record.checksums);
        insert.bind(place.info_hash.bytes()).bind(std::int64_t{record.piece.value()}).bind(row).run();
        stored.recorded.set(record.piece);
    }
    write_pieces(place.info_hash, stored);
}

void StateDb::remove_pieces(TorrentPlace const& place, std::span<PieceIndex const> pieces) {
    auto stored = pieces_of(place);
    Statement remove(*sql_, "DELETE FROM checksums WHERE info_hash=?1 AND piece=?2");
    for (auto const piece : pieces) {
        remove.bind(place.info_hash.bytes()).bind(std::int64_t{piece.value()}).run();
        stored.recorded.clear(piece);
    }
    write_pieces(place.info_hash, stored);
}

std::vector<PieceRecord> StateDb::load_checksums(InfoHash const& info_hash) {
    std::vector<PieceRecord> records;
    Statement query(*sql_, "SELECT piece,sums FROM checksums WHERE info_hash=?1 ORDER BY piece");
    query.bind(info_hash.bytes());
    while (query.step()) {
        PieceIndex const piece(static_cast<std::uint32_t>(query.number(0)));
        auto checksums = decode_checksums(info_hash, piece, query.blob(1));
        if (checksums) records.push_back({piece, std::move(*checksums)});
    }
    return records;
}

}  // namespace rqfs::cache
