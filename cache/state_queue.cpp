#include "cache/state_queue.h"

#include <boost/asio/this_coro.hpp>

#include <span>

namespace rqfs::cache {

namespace asio = boost::asio;
using torrent::Workers;

struct StateQueue::Pending {
    Pending(asio::any_io_executor const& executor, StateDb::Change what) : change(std::move(what)), ended(executor) {}

    StateDb::Change change;
    torrent::Event ended;
    bool done = false;
    std::exception_ptr failure;
};

struct StateQueue::Database {
    std::string path;
    std::unique_ptr<StateDb> db;  // opened by the first job
};

StateQueue::StateQueue(asio::any_io_executor const& executor, Workers& workers, std::string path)
    : executor_(executor),
      workers_(workers),
      database_(std::make_shared<Database>()),
      work_(executor),
      idle_(executor),
      tasks_(executor, "state queue") {
    database_->path = std::move(path);
    tasks_.spawn(run());
}

StateQueue::~StateQueue() = default;

asio::awaitable<void> StateQueue::write(StateDb::Change change) {
    auto pending = std::make_shared<Pending>(executor_, std::move(change));
    pending_.push_back(pending);
    work_.notify();
    return finish(std::move(pending));
}

asio::awaitable<void> StateQueue::finish(std::shared_ptr<Pending> pending) {
    while (!pending->done) co_await pending->ended.wait();
    if (pending->failure) std::rethrow_exception(pending->failure);
}

asio::awaitable<void> StateQueue::run() {
    for (;;) {
        while (pending_.empty()) co_await work_.wait();
        busy_ = true;
        co_await run_batch();
        busy_ = false;
        if (pending_.empty()) idle_.notify();
    }
}

asio::awaitable<void> StateQueue::run_batch() {
    auto const batch = std::exchange(pending_, {});
    std::vector<StateDb::Change> changes;
    changes.reserve(batch.size());
    for (auto const& pending : batch) changes.push_back(std::move(pending->change));
    auto const failures = co_await workers_.run(Workers::Lane::disk, &StateQueue::apply, database_, std::move(changes));
    for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i]->failure = failures[i];
        batch[i]->done = true;
        batch[i]->ended.notify();
    }
}

std::vector<std::exception_ptr> StateQueue::apply(std::shared_ptr<Database> database, std::vector<StateDb::Change> changes) {
    std::vector<std::exception_ptr> failures(changes.size());
    try {
        if (database->db == nullptr) database->db = std::make_unique<StateDb>(database->path);
        database->db->apply(changes);
        return failures;
    } catch (...) {
        failures.assign(changes.size(), std::current_exception());
    }
    if (database->db == nullptr || changes.size() == 1) return failures;
    // One of them failed and took the others with it: each for itself.
    for (std::size_t i = 0; i < changes.size(); ++i) {
        try {
            database->db->apply(std::span(&changes[i], 1));
            failures[i] = nullptr;
        } catch (...) {
            failures[i] = std::current_exception();
        }
    }
    return failures;
}

void StateQueue::close(std::shared_ptr<Database> database) { database->db.reset(); }

asio::awaitable<void> StateQueue::stop() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (busy_ || !pending_.empty()) co_await idle_.wait();
    co_await tasks_.stop();
    co_await workers_.run(Workers::Lane::disk, &StateQueue::close, database_);
}

}  // namespace rqfs::cache
