#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace rqfs::cache {

// The database file itself is damaged: what it says cannot be read, or not all of it.
class DamagedDatabase : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Statement;

// A connection to one SQLite database, used by one job at a time. Every call may block. Throws DamagedDatabase, or
// system_error with Errc::no_space or Errc::io.
class Sql {
public:
    explicit Sql(std::string const& path);

    void run(char const* statements);
    std::int64_t number(char const* query);
    sqlite3* handle() const { return handle_.get(); }
    [[noreturn]] void fail(int code) const;

private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    std::unique_ptr<sqlite3, Close> handle_;
};

// One prepared statement: bind in order, then run() or step() through its rows.
class Statement {
public:
    Statement(Sql& sql, char const* text);

    // The bytes must stay where they are until the next run(), step() or reset.
    Statement& bind(std::span<std::byte const> bytes);
    Statement& bind(std::int64_t number);
    bool step();  // true: there is a row
    void run();   // to its end; then it may be bound anew

    std::span<std::byte const> blob(int column) const;  // until the next step
    std::string text(int column) const;
    std::int64_t number(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    Sql& sql_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int bound_ = 0;
};

}  // namespace rqfs::cache
