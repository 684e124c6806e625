#include "tests/cache/crash_harness.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

namespace rqfs::cache {
namespace {

// The sweeps that take too long for the unit tests: hundreds of kills, one after the other on the same store, so that recovery is
// interrupted as well.
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
    }

    tests::TempDir directory;
    CrashHarness harness{directory / "store"};
};

TEST_F(StoreCrash, AtThreeHundredRandomTimesLosesNothing) {
    std::mt19937 random(7);
    for (std::uint32_t round = 0; round < 300; ++round) {
        SCOPED_TRACE("seed 7 round " + std::to_string(round));
        if (harness.put(round, {}, std::chrono::milliseconds(20 + random() % 150))) harness.begin_anew();
        harness.verify();
        if (HasFailure()) return;
    }
}

TEST_F(StoreCrash, AtEveryWriteLosesNothing) { sweep("pwrite64", 200, 1); }
TEST_F(StoreCrash, AtEverySyncLosesNothing) { sweep("fdatasync", 60, 1); }
TEST_F(StoreCrash, AtEveryDirectorySyncLosesNothing) { sweep("fsync", 8, 1); }
TEST_F(StoreCrash, AtEveryTruncationLosesNothing) { sweep("ftruncate", 5, 1); }
TEST_F(StoreCrash, AtEveryRemovalLosesNothing) { sweep("unlink", 5, 1); }


TEST_F(StoreCrash, AfterFailedWritesEverythingIsRecordedInTheEnd) {
    if (!CrashHarness::has_strace()) GTEST_SKIP() << "strace is not installed or may not trace";
    { StoreFixture const made(directory / "store"); }

    EXPECT_TRUE(harness.put(2, CrashHarness::strace("pwrite64", "error=ENOSPC:when=20+31")));

    EXPECT_GT(harness.recorded(), 100u);
    harness.verify();
}

}  // namespace
}  // namespace rqfs::cache
