#include "cache/state_db_rescue.h"

#include "cache/log.h"
#include "torrent/error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <vector>

namespace rqfs::cache {

namespace {

// Short enough that the whole schema fits into the first page: rescue relies on it.
constexpr std::array kTables{
    "CREATE TABLE format(version INTEGER NOT NULL)",
    "CREATE TABLE torrents(id INTEGER PRIMARY KEY AUTOINCREMENT,info_hash BLOB NOT NULL UNIQUE,record BLOB NOT NULL)",
    "CREATE TABLE metadata(info_hash BLOB PRIMARY KEY,info BLOB NOT NULL)",
    "CREATE TABLE pieces(info_hash BLOB PRIMARY KEY,recorded BLOB NOT NULL)",
    "CREATE TABLE checksums(info_hash BLOB NOT NULL,piece INTEGER NOT NULL,sums BLOB NOT NULL,PRIMARY KEY(info_hash,piece)) WITHOUT ROWID",
    "CREATE TABLE peers(info_hash BLOB PRIMARY KEY,peers BLOB NOT NULL)",
};

// From both ends: a damaged page in the middle hides only its own rows.
struct Copy {
    char const* read;
    char const* read_back;
    char const* write;
    int columns;
};

constexpr std::array kCopies{
    Copy{"SELECT id,info_hash,record FROM torrents NOT INDEXED ORDER BY id",
         "SELECT id,info_hash,record FROM torrents NOT INDEXED ORDER BY id DESC",
         "INSERT OR IGNORE INTO torrents(id,info_hash,record) VALUES(?1,?2,?3)", 3},
    Copy{"SELECT rowid,info_hash,info FROM metadata NOT INDEXED ORDER BY rowid",
         "SELECT rowid,info_hash,info FROM metadata NOT INDEXED ORDER BY rowid DESC",
         "INSERT OR IGNORE INTO metadata(rowid,info_hash,info) VALUES(?1,?2,?3)", 3},
    Copy{"SELECT rowid,info_hash,recorded FROM pieces NOT INDEXED ORDER BY rowid",
         "SELECT rowid,info_hash,recorded FROM pieces NOT INDEXED ORDER BY rowid DESC",
         "INSERT OR IGNORE INTO pieces(rowid,info_hash,recorded) VALUES(?1,?2,?3)", 3},
    Copy{"SELECT piece,info_hash,sums FROM checksums ORDER BY info_hash,piece",
         "SELECT piece,info_hash,sums FROM checksums ORDER BY info_hash DESC,piece DESC",
         "INSERT OR IGNORE INTO checksums(piece,info_hash,sums) VALUES(?1,?2,?3)", 3},
    Copy{"SELECT rowid,info_hash,peers FROM peers NOT INDEXED ORDER BY rowid",
         "SELECT rowid,info_hash,peers FROM peers NOT INDEXED ORDER BY rowid DESC",
         "INSERT OR IGNORE INTO peers(rowid,info_hash,peers) VALUES(?1,?2,?3)", 3},
};

std::size_t copy_rows(Sql& from, Sql& to, char const* read, char const* write) {
    std::size_t rows = 0;
    try {
        Statement in(from, read);
        Statement out(to, write);
        while (in.step()) {
            out.bind(in.number(0)).bind(in.blob(1)).bind(in.blob(2)).run();
            ++rows;
        }
    } catch (DamagedDatabase const&) {
        // The rest is read from the other end.
    }
    return rows;
}

// A damaged first page takes the schema with it. It is the same in every database of ours, so that of a new one stands in for it.
void replace_first_page(std::string const& damaged, std::string const& fresh) {
    std::vector<char> page(4096);
    std::ifstream in(fresh, std::ios::binary);
    if (!in.read(page.data(), static_cast<std::streamsize>(page.size()))) return;
    // The size in pages (offset 28) counts only when these two counters agree (offsets 24 and 92): let them differ.
    page[27] = static_cast<char>(page[95] + 1);
    std::fstream out(damaged, std::ios::binary | std::ios::in | std::ios::out);
    out.write(page.data(), static_cast<std::streamsize>(page.size()));
}

std::string rebuilt_name(std::string const& path) { return path + ".rebuilt"; }

bool readable(std::string const& path) {
    try {
        Sql sql(path);
        return has_our_tables(sql);
    } catch (DamagedDatabase const&) {
        return false;
    }
}

std::size_t copy_all(std::string const& damaged, Sql& to) {
    std::size_t rows = 0;
    try {
        Sql from(damaged);
        for (auto const& copy : kCopies) {
            rows += copy_rows(from, to, copy.read, copy.write);
            rows += copy_rows(from, to, copy.read_back, copy.write);
        }
    } catch (DamagedDatabase const&) {
        // Not even its first page can be read.
    }
    return rows;
}

void move(std::string const& from, std::string const& to) {
    std::error_code code;
    std::filesystem::rename(from, to, code);
    if (code && code != std::errc::no_such_file_or_directory)
        torrent::throw_error(torrent::Errc::io, "cannot rename " + from + ": " + code.message());
}

void discard(std::string const& path) {
    for (auto const* const suffix : {"-wal", "-journal", ""}) {
        std::error_code code;
        std::filesystem::remove(path + suffix, code);
    }
}

}  // namespace

void create_tables(Sql& sql) {
    sql.run("BEGIN IMMEDIATE");
    for (auto const* const table : kTables) sql.run(table);
    sql.run("INSERT INTO format VALUES(1); PRAGMA user_version=1; COMMIT");
}

bool has_our_tables(Sql& sql) {
    Statement tables(sql, "SELECT sql FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid");
    std::size_t found = 0;
    while (tables.step())
        if (found == kTables.size() || tables.text(0) != kTables[found++]) return false;
    return found == kTables.size();
}

void rescue_database(std::string const& path) {
    auto const aside = path + ".damaged";
    auto const unfinished = path + ".new";
    discard(unfinished);
    std::size_t rows = 0;
    {
        Sql fresh(unfinished);
        fresh.run("PRAGMA page_size=4096; PRAGMA synchronous=FULL");
        create_tables(fresh);
        if (!readable(path)) replace_first_page(path, unfinished);
        fresh.run("BEGIN IMMEDIATE");
        rows = copy_all(path, fresh);
        fresh.run("COMMIT");
    }
    move(unfinished, rebuilt_name(path));
    discard(aside);
    for (auto const* const suffix : {"-wal", "-journal", ""}) move(path + suffix, aside + suffix);
    move(rebuilt_name(path), path);
    log().warn("the database was damaged and has been built anew rows={} old={}", rows, aside);
}

void finish_rescue(std::string const& path) {
    if (!std::filesystem::exists(rebuilt_name(path))) return;
    // Its log is that of the damaged one.
    for (auto const* const suffix : {"-wal", "-journal", ""}) move(path + suffix, path + ".damaged" + suffix);
    move(rebuilt_name(path), path);
}

}  // namespace rqfs::cache
