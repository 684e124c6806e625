#include "cache/state_db_sql.h"

#include "torrent/error.h"

#include <sqlite3.h>

#include <cerrno>

namespace rqfs::cache {

namespace {

bool says_full(sqlite3* handle, int code) {
    int const system = handle == nullptr ? 0 : sqlite3_system_errno(handle);
    return (code & 0xff) == SQLITE_FULL || ((code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT));
}

// Statements that do not fit the tables are those of a damaged schema: ours are fixed.
bool says_damaged(int code) {
    int const kind = code & 0xff;
    return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB || kind == SQLITE_ERROR || kind == SQLITE_FORMAT ||
           kind == SQLITE_CONSTRAINT || kind == SQLITE_MISMATCH || kind == SQLITE_TOOBIG ||
           code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS;
}

}  // namespace

void Sql::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Sql::Sql(std::string const& path) {
    sqlite3* handle = nullptr;
    int const code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);
    if (code != SQLITE_OK) fail(code);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // Alone on the file by the lock of the store: the index of the log is then kept in memory, and no file is mapped.
    run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
}

void Sql::fail(int code) const {
    std::string const text = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_.get());
    if (says_full(handle_.get(), code)) torrent::throw_error(torrent::Errc::no_space, "no space left for the database of the store");
    if (says_damaged(code)) throw DamagedDatabase(text);
    torrent::throw_error(torrent::Errc::io, "the database of the store failed: " + text);
}

void Sql::run(char const* statements) {
    int const code = sqlite3_exec(handle_.get(), statements, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

std::int64_t Sql::number(char const* query) {
    Statement statement(*this, query);
    if (!statement.step()) throw DamagedDatabase("a table is empty that never is");
    return statement.number(0);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(Sql& sql, char const* text) : sql_(sql) {
    sqlite3_stmt* statement = nullptr;
    int const code = sqlite3_prepare_v2(sql.handle(), text, -1, &statement, nullptr);
    statement_.reset(statement);
    if (code != SQLITE_OK) sql.fail(code);
}

Statement& Statement::bind(std::span<std::byte const> bytes) {
    // An empty span must be an empty blob, which is not NULL.
    static constexpr std::byte kNothing{};
    auto const* const data = bytes.empty() ? &kNothing : bytes.data();
    int const code = sqlite3_bind_blob64(statement_.get(), ++bound_, data, bytes.size(), nullptr);
    if (code != SQLITE_OK) sql_.fail(code);
    return *this;
}

Statement& Statement::bind(std::int64_t number) {
    int const code = sqlite3_bind_int64(statement_.get(), ++bound_, number);
    if (code != SQLITE_OK) sql_.fail(code);
    return *this;
}

bool Statement::step() {
    int const code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) {
        sqlite3_reset(statement_.get());
        sql_.fail(code);
    }
    return false;
}

void Statement::run() {
    while (step()) {
    }
    sqlite3_reset(statement_.get());
    bound_ = 0;
}

std::span<std::byte const> Statement::blob(int column) const {
    auto const* const data = static_cast<std::byte const*>(sqlite3_column_blob(statement_.get(), column));
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return {data, data == nullptr ? 0 : size};
}

std::string Statement::text(int column) const {
    auto const* const data = sqlite3_column_text(statement_.get(), column);
    return data == nullptr ? std::string() : std::string(reinterpret_cast<char const*>(data));
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

}  // namespace rqfs::cache
