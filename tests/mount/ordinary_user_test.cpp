#include "fs/mount_point.h"
#include "fs/mount_table.h"
#include "tests/support/mounted_library.h"
#include "torrent/error.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

constexpr uid_t kNobody = 65534;

void fill(FakeLibrary& library) { library.add(make_metainfo("T", {{{"T"}, 100'000, ""}})); }

// A mount namespace of our own where /dev/fuse is for everybody, as udev makes it, whatever this machine has.
bool open_fuse_to_all(std::string const& device) {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mknod(device.c_str(), S_IFCHR | 0666, makedev(10, 229)) == 0 && ::chmod(device.c_str(), 0666) == 0 &&
           ::mount(device.c_str(), "/dev/fuse", nullptr, MS_BIND, nullptr) == 0;
}

class OrdinaryUser : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
        if (auto const why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
        if (std::system("command -v fusermount3 >/dev/null") != 0) GTEST_SKIP() << "fusermount3 is not installed";
    }

    // Runs `test` in a process of the user nobody; what it returns is what went wrong.
    std::string as_nobody(std::function<std::string()> const& test) {
        int pipe[2];
        EXPECT_EQ(::pipe(pipe), 0);
        pid_t const child = ::fork();
        if (child == 0) {
            std::string const failure = run(test);
            (void)!::write(pipe[1], failure.data(), failure.size());
            ::_exit(0);
        }
        ::close(pipe[1]);
        std::string failure;
        char bytes[512];
        for (ssize_t n; (n = ::read(pipe[0], bytes, sizeof bytes)) > 0;)
            failure.append(bytes, static_cast<std::size_t>(n));
        ::close(pipe[0]);
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? failure : "the process died of signal " + std::to_string(WTERMSIG(status));
    }

    std::string run(std::function<std::string()> const& test) const {
        if (!open_fuse_to_all(devices.path() + "/fuse")) return "no namespace of our own";
        if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)
            return "cannot become nobody";
        try {
            return test();
        } catch (boost::system::system_error const& e) {
            return torrent::sentence(e);
        }
    }

    MountPoint point{kNobody};
    MountPoint devices;
};

TEST_F(OrdinaryUser, MountsReadsAndUnmounts) {
    auto const failure = as_nobody([&]() -> std::string {
        MountedLibrary mounted(point.path(), {}, fill);
        std::ifstream file(point.path() + "/T/T");
        std::string const text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        if (text != fake_bytes(torrent::FileIndex(0), 0, 100'000)) return "wrong bytes";
        struct stat stat;
        if (::stat((point.path() + "/T/T").c_str(), &stat) != 0 || stat.st_uid != kNobody) return "wrong owner";
        mounted.stop();
        return fs::mounted_at(fs::read_mount_table(), point.path()) ? "still mounted" : "";
    });

    EXPECT_EQ(failure, "");
}

TEST_F(OrdinaryUser, IsToldOfALazyUnmount) {
    auto const failure = as_nobody([&]() -> std::string {
        MountedLibrary mounted(point.path(), {}, fill);
        std::ifstream file(point.path() + "/T/T");
        if (std::system(("fusermount3 -uz " + point.path()).c_str()) != 0) return "fusermount3 -uz failed";
        return mounted.ends_within(3s) ? "" : "serve() did not end";
    });

    EXPECT_EQ(failure, "");
}

TEST_F(OrdinaryUser, GetsRidOfADeadMount) {
    auto const failure = as_nobody([&]() -> std::string {
        pid_t const daemon = ::fork();
        if (daemon == 0) {
            MountedLibrary const mounted(point.path(), {}, fill);
            for (;;) ::pause();
        }
        if (!eventually([&] { return std::filesystem::exists(point.path() + "/T/T"); })) return "not mounted";
        ::kill(daemon, SIGKILL);
        ::waitpid(daemon, nullptr, 0);
        MountedLibrary const mounted(point.path(), {}, fill);
        return std::filesystem::exists(point.path() + "/T/T") ? "" : "not mounted again";
    });

    EXPECT_EQ(failure, "");
}

TEST_F(OrdinaryUser, MayNotMountOnAnothersDirectory) {
    MountPoint const others;

    auto const failure = as_nobody([&]() -> std::string {
        auto const prepared = fs::prepare_mount_point(others.path(), false);
        return prepared ? "" : prepared.error().what;
    });

    EXPECT_EQ(failure, "the mount point " + others.path() + " is not yours to mount on");
}

TEST_F(OrdinaryUser, IsToldWhatAllowOtherNeeds) {
    std::ifstream conf("/etc/fuse.conf");
    for (std::string line; std::getline(conf, line);)
        if (line == "user_allow_other") GTEST_SKIP() << "this machine allows it";

    auto const failure = as_nobody([&]() -> std::string {
        auto const prepared = fs::prepare_mount_point(point.path(), true);
        return prepared ? "" : prepared.error().what;
    });

    EXPECT_EQ(failure, "allow_other needs a line user_allow_other in /etc/fuse.conf");
}

}  // namespace
}  // namespace rqfs::tests
