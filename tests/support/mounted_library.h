#pragma once

#include "fs/mount.h"
#include "fs/settings.h"
#include "tests/support/fake_library.h"
#include "torrent/clock.h"
#include "torrent/workers.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace rqfs::tests {

// Why nothing can be mounted here, as a sentence; empty when it can.
std::string why_no_mount();

// A directory of its own below /tmp, owned by `owner` when given; removed with what is in it at the end, mounts
// detached first.
class MountPoint {
public:
    explicit MountPoint(std::optional<uid_t> owner = std::nullopt);
    MountPoint(MountPoint const&) = delete;
    MountPoint& operator=(MountPoint const&) = delete;
    ~MountPoint();

    std::string const& path() const { return path_; }

private:
    std::string path_;
};

// A FakeLibrary really mounted, with an engine thread of its own, so that the test may use the files like any program.
class MountedLibrary {
public:
    // Throws what Mount::mount throws.
    MountedLibrary(std::string const& mount_point, fs::Settings const& settings,
                   std::function<void(FakeLibrary&)> const& fill);
    ~MountedLibrary();

    // Runs `function` on the engine thread and waits for it.
    template <class Function>
    auto on_engine(Function function) {
        std::packaged_task<decltype(function())()> task(std::move(function));
        auto result = task.get_future();
        post(std::move(task));
        return result.get();
    }

    FakeLibrary& library() { return *library_; }  // on the engine thread only
    fs::Mount& mount() { return *mount_; }        // the same
    int waiting() {
        return on_engine([this] { return library_->waiting; });
    }
    std::size_t pending() {
        return on_engine([this] { return mount_->pending(); });
    }
    // True when serve() has returned, within `limit`.
    bool ends_within(std::chrono::milliseconds limit) { return served_.wait_for(limit) == std::future_status::ready; }
    void stop();

private:
    template <class Task>
    void post(Task task) {
        boost::asio::post(engine_, [shared = std::make_shared<Task>(std::move(task))] { (*shared)(); });
    }
    void run(boost::asio::awaitable<void> task);

    boost::asio::io_context engine_{1};
    torrent::SteadyClock clock_;
    torrent::Workers workers_;
    std::unique_ptr<FakeLibrary> library_;
    std::unique_ptr<fs::Mount> mount_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
    std::future<void> served_;
    bool stopped_ = false;
};

// True when `condition` comes true within `limit` of real time.
bool eventually(std::function<bool()> const& condition, std::chrono::milliseconds limit = std::chrono::seconds(5));

}  // namespace rqfs::tests
