#include "tests/cache/crash_harness.h"
#include "tests/support/sanitized.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace rqfs::cache {
namespace {

// The sweeps that take too long for the unit tests: hundreds of kills, one after the other on the same store, so that recovery is
// interrupted as well.
// Under a sanitizer the child is ten times slower, and it is there to find other faults than a crash leaves: every tenth kill.
constexpr std::uint32_t kStep = tests::kSanitized ? 10 : 1;

// When the power fails. Under a sanitizer nobody knows how long a child takes: from too early for it to record anything to too late to be hit.
std::vector<std::chrono::milliseconds> power_cuts() {
    std::vector<std::chrono::milliseconds> times;
    if (tests::kSanitized)
        for (auto time = std::chrono::milliseconds(100); time < std::chrono::seconds(5); time *= 2) times.push_back(time);
    else
        for (int round = 0; round < 20; ++round) times.push_back(std::chrono::milliseconds(80 + 20 * round));
    return times;
}

class StoreCrash : public testing::Test {
protected:
    void sweep(std::string const& call, std::uint32_t last, std::uint32_t step) {
        if (!CrashHarness::has_strace()) GTEST_SKIP() << "strace is not installed or may not trace";
        for (std::uint32_t when = 1; when <= last; when += step) {
            SCOPED_TRACE(call + " number " + std::to_string(when));
            if (harness.put(when, CrashHarness::strace(call, "signal=KILL:when=" + std::to_string(when)))) harness.begin_anew();
            harness.verify();
            if (HasFailure()) return;
        }
        EXPECT_GT(harness.kills(), 0u) << "no " << call << " was hit";
    }

    tests::TempDir directory;
    CrashHarness harness{directory / "store"};
};

TEST_F(StoreCrash, AtThreeHundredRandomTimesLosesNothing) {
    std::mt19937 random(7);
    for (std::uint32_t round = 0; round < 300; round += kStep) {
        SCOPED_TRACE("seed 7 round " + std::to_string(round));
        if (harness.put(round, {}, std::chrono::milliseconds(20 + random() % 150))) harness.begin_anew();
        harness.verify();
        if (HasFailure()) return;
    }
    EXPECT_GT(harness.kills(), 0u);
}

TEST_F(StoreCrash, AtEveryWriteLosesNothing) { sweep("pwrite64", 200, kStep); }
TEST_F(StoreCrash, AtEverySyncLosesNothing) { sweep("fdatasync", 60, kStep); }
TEST_F(StoreCrash, AtEveryDirectorySyncLosesNothing) { sweep("fsync", 8, kStep); }
TEST_F(StoreCrash, AtEveryTruncationLosesNothing) { sweep("ftruncate", 5, kStep); }
TEST_F(StoreCrash, AtEveryRemovalLosesNothing) { sweep("unlink", 5, kStep); }


TEST_F(StoreCrash, AfterFailedWritesEverythingIsRecordedInTheEnd) {
    if (!CrashHarness::has_strace()) GTEST_SKIP() << "strace is not installed or may not trace";
    { StoreFixture const made(directory / "store"); }

    EXPECT_TRUE(harness.put(2, CrashHarness::strace("pwrite64", "error=ENOSPC:when=20+31")));

    EXPECT_GT(harness.recorded(), 100u);
    harness.verify();
}

// kill -9 leaves the kernel's cache as it is; a power cut does not. The image of a mounted filesystem is copied while the child works: what
// the kernel had not written is not in the copy, which is then mounted and examined instead of the original.
class PowerCut : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0 || !command("mkfs.ext4 -V")) GTEST_SKIP() << "needs root and mkfs.ext4";
        ASSERT_TRUE(command("truncate -s 96M " + (directory / "image") + " && mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 " +
                            (directory / "image")));
        ASSERT_TRUE(command("mkdir " + (directory / "disk") + " " + (directory / "copy")));
        if (!command("mount -o loop " + (directory / "image") + " " + (directory / "disk"))) GTEST_SKIP() << "no loop device can be mounted";
    }
    void TearDown() override {
        command("umount " + (directory / "disk"));
        command("umount " + (directory / "copy"));
    }
    static bool command(std::string const& line) { return std::system((line + " >/dev/null 2>&1").c_str()) == 0; }

    tests::TempDir directory;
};

TEST_F(PowerCut, LosesNothingThatWasRecorded) {
    std::size_t recorded = 0, kills = 0;
    std::uint32_t round = 0;
    for (auto const time : power_cuts()) {
        SCOPED_TRACE("after " + std::to_string(time.count()) + " ms");
        CrashHarness harness(directory / "disk/store");
        harness.begin_anew();
        harness.put(round++, {}, time);
        kills += harness.kills();
        recorded += harness.recorded();
        // Everything promised was promised before this moment; nothing was synced since.
        ASSERT_TRUE(command("cp " + (directory / "image") + " " + (directory / "image2")));
        ASSERT_TRUE(command("mount -o loop " + (directory / "image2") + " " + (directory / "copy")));

        harness.move_to(directory / "copy/store");
        harness.verify();

        ASSERT_TRUE(command("umount " + (directory / "copy")));
        if (HasFailure()) return;
    }
    EXPECT_GT(recorded, 0u);
    EXPECT_GT(kills, 0u);
}

}  // namespace
}  // namespace rqfs::cache
