#include "fs/mount_point.h"
#include "fs/mount_table.h"
#include "fs/stale_mount.h"
#include "tests/support/mounted_library.h"
#include "torrent/error.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

void fill(FakeLibrary& library) { library.add(make_metainfo("T", {{{"T"}, 1000, ""}})); }

std::string why_not(std::string const& path) {
    auto const prepared = fs::prepare_mount_point(path, false);
    return prepared ? "" : prepared.error().what;
}

class MountPoints : public testing::Test {
protected:
    void SetUp() override {
        if (auto const why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
    }

    // Mounts in a process of its own and kills it: a daemon that crashed.
    void crash() const {
        pid_t const daemon = ::fork();
        if (daemon == 0) {
            MountedLibrary const mounted(point.path(), {}, fill);
            for (;;) ::pause();
        }
        ASSERT_TRUE(eventually([&] { return fs::mounted_at(fs::read_mount_table(), point.path()).has_value(); }));
        ::kill(daemon, SIGKILL);
        ::waitpid(daemon, nullptr, 0);
    }

    MountPoint point;
};

TEST_F(MountPoints, ThatAreEmptyDirectoriesAreTaken) {
    auto const prepared = fs::prepare_mount_point(point.path() + "/.", false);

    ASSERT_TRUE(prepared);
    EXPECT_EQ(*prepared, point.path());
}

TEST_F(MountPoints, ThatAreMissingAreRefused) {
    EXPECT_EQ(why_not(point.path() + "/no"), "the mount point " + point.path() + "/no does not exist");
}

TEST_F(MountPoints, ThatAreFilesAreRefused) {
    std::ofstream(point.path() + "/file") << "x";

    EXPECT_EQ(why_not(point.path() + "/file"), "the mount point " + point.path() + "/file is not a directory");
}

TEST_F(MountPoints, ThatAreNotEmptyAreRefused) {
    std::ofstream(point.path() + "/file") << "x";

    EXPECT_EQ(why_not(point.path()), "the mount point " + point.path() + " is not empty");
}

TEST_F(MountPoints, ThatAnotherDaemonHasAreRefused) {
    MountedLibrary const mounted(point.path(), {}, fill);

    EXPECT_EQ(why_not(point.path()), "the mount point " + point.path() + " is in use by another rqfs");
    EXPECT_TRUE(std::filesystem::exists(point.path() + "/T/T"));
}

TEST_F(MountPoints, OfACrashedDaemonAreUsedAgain) {
    crash();
    ASSERT_NE(::access((point.path() + "/T").c_str(), F_OK), 0);

    MountedLibrary const mounted(point.path(), {}, fill);

    EXPECT_TRUE(std::filesystem::exists(point.path() + "/T/T"));
    int mounts = 0;
    for (auto const& entry : fs::read_mount_table()) mounts += entry.path == point.path() ? 1 : 0;
    EXPECT_EQ(mounts, 1);
}

TEST_F(MountPoints, OfACrashedDaemonGiveNotConnectedAtOnce) {
    crash();

    std::ifstream file(point.path() + "/T/T");
    EXPECT_FALSE(file.is_open());
    EXPECT_EQ(::access(point.path().c_str(), F_OK), -1);
    EXPECT_EQ(errno, ENOTCONN);
    auto const detached = fs::detach_stale_mount(point.path());
    ASSERT_TRUE(detached);
    EXPECT_TRUE(*detached);
    EXPECT_TRUE(std::filesystem::is_empty(point.path()));
}

TEST_F(MountPoints, ThatAreAliveAreNotDetached) {
    MountedLibrary const mounted(point.path(), {}, fill);

    auto const detached = fs::detach_stale_mount(point.path());

    ASSERT_TRUE(detached);
    EXPECT_FALSE(*detached);
    EXPECT_TRUE(std::filesystem::exists(point.path() + "/T/T"));
}

TEST_F(MountPoints, TakenBySomebodyElseMeanwhileAreLeftToThem) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can mount a tmpfs";
    MountedLibrary mounted(point.path(), {}, fill);
    ASSERT_EQ(::umount2(point.path().c_str(), MNT_DETACH), 0);
    ASSERT_EQ(::mount("none", point.path().c_str(), "tmpfs", 0, "size=64k"), 0);

    mounted.stop();

    auto const top = fs::mounted_at(fs::read_mount_table(), point.path());
    ASSERT_TRUE(top);
    EXPECT_EQ(top->type, "tmpfs");
}

}  // namespace
}  // namespace rqfs::tests
