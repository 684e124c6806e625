#pragma once

#include "cache/state_db.h"
#include "torrent/event.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::cache {

// The one way to the database: changes and queries run on the disk lane in the order they were asked for, one job at a time; what has
// gathered meanwhile shares a transaction, and so its sync. Engine thread only; owned by DiskStore.
class StateQueue {
public:
    StateQueue(boost::asio::any_io_executor const& executor, torrent::Workers& workers, std::string path);
    ~StateQueue();

    // Durable when it returns; throws what the database threw. The order is that of the calls, not of the waiting. A cancelled caller's
    // change is made all the same.
    boost::asio::awaitable<void> write(StateDb::Change change);

    // The value of `query`, which sees every change asked for before.
    template <class T>
    boost::asio::awaitable<T> read(std::function<T(StateDb&)> query) {
        auto const value = std::make_shared<std::optional<T>>();
        StateDb::Change change = [value, query = std::move(query)](StateDb& db) { value->emplace(query(db)); };
        return finish_read<T>(write(std::move(change)), value);
    }

    // Does what is queued, closes the database.
    boost::asio::awaitable<void> stop();

private:
    struct Pending;
    struct Database;

    template <class T>
    static boost::asio::awaitable<T> finish_read(boost::asio::awaitable<void> done, std::shared_ptr<std::optional<T>> value) {
        co_await std::move(done);
        co_return std::move(**value);
    }

    static boost::asio::awaitable<void> finish(std::shared_ptr<Pending> pending);
    static std::vector<std::exception_ptr> apply(std::shared_ptr<Database> database, std::vector<StateDb::Change> changes);
    static void close(std::shared_ptr<Database> database);
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> run_batch();

    boost::asio::any_io_executor executor_;
    torrent::Workers& workers_;
    std::shared_ptr<Database> database_;  // touched by one job at a time only
    std::vector<std::shared_ptr<Pending>> pending_;
    bool busy_ = false;
    torrent::Event work_;
    torrent::Event idle_;
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::cache
