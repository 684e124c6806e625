#include "torrent/workers.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <thread>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

std::size_t hash_threads() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4); }

// Whatever the number of cores: these wait for the disk, and a write that is held up beside an fdatasync must leave some for reads.
constexpr std::size_t kDiskThreads = 4;

}  // namespace

Workers::Workers()
    : hash_threads_(hash_threads()),
      disk_threads_(kDiskThreads),
      hash_(hash_threads_->get_executor()),
      disk_(disk_threads_->get_executor()) {}

Workers::Workers(asio::any_io_executor const& engine) : hash_(engine), disk_(engine) {}

Workers::~Workers() {
    if (hash_threads_) hash_threads_->join();
    if (disk_threads_) disk_threads_->join();
}

void Workers::JobBase::run() noexcept {
    try {
        invoke();
    } catch (...) {
        failure = std::current_exception();
    }
}

asio::awaitable<void> Workers::finish(Lane lane, JobBase* job) {
    auto const executor = lane == Lane::hash ? hash_ : disk_;
    // The operation takes no notice of cancellation; the coroutine learns of it at its next wait.
    auto start = [executor, job](auto handler) {
        // The handler must be completed on the engine's own executor, and keeps its loop alive until then.
        auto engine = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
        asio::post(executor, [job, engine, handler = std::move(handler)]() mutable {
            job->run();
            asio::post(engine, std::move(handler));
        });
    };
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void()>(start, asio::use_awaitable);
}

}  // namespace rqfs::torrent
