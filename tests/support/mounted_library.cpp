#include "tests/support/mounted_library.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace rqfs::tests {

namespace asio = boost::asio;

std::string why_no_mount() {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) return "this machine has no /dev/fuse that we may use";
    if (::geteuid() != 0 && std::system("command -v fusermount3 >/dev/null") != 0)
        return "fusermount3 is not installed";
    return "";
}

MountPoint::MountPoint(std::optional<uid_t> owner) : path_("/tmp/rqfs-mount-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no directory to mount on");
    if (owner && ::chown(path_.c_str(), *owner, static_cast<gid_t>(-1)) != 0) throw std::runtime_error("chown failed");
}

MountPoint::~MountPoint() {
    if (::geteuid() == 0)
        ::umount2(path_.c_str(), MNT_DETACH);
    else
        (void)!std::system(("fusermount3 -uzq " + path_ + " 2>/dev/null").c_str());
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

MountedLibrary::MountedLibrary(std::string const& mount_point, fs::Settings const& settings,
                               std::function<void(FakeLibrary&)> const& fill)
    : work_(asio::make_work_guard(engine_)) {
    thread_ = std::thread([this] { engine_.run(); });
    try {
        on_engine([&] {
            library_ = std::make_unique<FakeLibrary>(engine_.get_executor());
            fill(*library_);
            mount_ = std::make_unique<fs::Mount>(engine_.get_executor(), *library_, clock_, workers_, settings);
        });
        run(mount_->mount(mount_point));
        served_ = asio::co_spawn(engine_, mount_->serve(), asio::use_future);
    } catch (...) {
        stop();
        throw;
    }
}

MountedLibrary::~MountedLibrary() { stop(); }

void MountedLibrary::run(asio::awaitable<void> task) {
    asio::co_spawn(engine_, std::move(task), asio::use_future).get();
}

void MountedLibrary::stop() {
    if (stopped_) return;
    stopped_ = true;
    if (mount_) run(mount_->stop());
    if (served_.valid()) served_.wait();
    on_engine([this] {
        mount_.reset();
        library_.reset();
    });
    work_.reset();
    thread_.join();
}

bool eventually(std::function<bool()> const& condition, std::chrono::milliseconds limit) {
    auto const end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return condition();
}

}  // namespace rqfs::tests
