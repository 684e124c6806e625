#include "tests/cache/crash_harness.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace rqfs::cache {
namespace {

class Crash : public testing::Test {
protected:
    tests::TempDir directory{tests::TempDir::Where::memory};
    CrashHarness harness{directory / "store"};
};

TEST_F(Crash, AtARandomTimeLosesNothingThatWasRecorded) {
    std::mt19937 random(1);
    for (std::uint32_t round = 0; round < 6; ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        if (harness.put(round, {}, std::chrono::milliseconds(60 + random() % 120))) harness.begin_anew();
        harness.verify();
    }
    EXPECT_GT(harness.kills(), 0u);
}

TEST_F(Crash, WhileWritingLosesNothingThatWasRecorded) {
    if (!CrashHarness::has_strace()) GTEST_SKIP() << "strace is not installed or may not trace";
    for (std::uint32_t when = 1; when < 60; when += 9) {
        SCOPED_TRACE("pwrite64 number " + std::to_string(when));
        if (harness.put(when, CrashHarness::strace("pwrite64", "signal=KILL:when=" + std::to_string(when)))) harness.begin_anew();
        harness.verify();
    }
    EXPECT_GT(harness.kills(), 0u);
}

TEST_F(Crash, WhileSyncingLosesNothingThatWasRecorded) {
    if (!CrashHarness::has_strace()) GTEST_SKIP() << "strace is not installed or may not trace";
    for (std::uint32_t when = 1; when < 16; when += 4) {
        SCOPED_TRACE("fdatasync number " + std::to_string(when));
        if (harness.put(when, CrashHarness::strace("fdatasync", "signal=KILL:when=" + std::to_string(when)))) harness.begin_anew();
        harness.verify();
    }
    EXPECT_GT(harness.kills(), 0u);
}

// A failed sync says nothing about which bytes are on the disk: those pieces are written again before they are recorded.
TEST_F(Crash, AfterFailedSyncsEverythingIsRecordedInTheEnd) {
    if (!CrashHarness::has_strace()) GTEST_SKIP() << "strace is not installed or may not trace";
    { StoreFixture const made(directory / "store"); }

    EXPECT_TRUE(harness.put(1, CrashHarness::strace("fdatasync", "error=EIO:when=5+7")));

    EXPECT_GT(harness.recorded(), 100u);
    harness.verify();
}

// strace counts the calls of each thread by itself.
TEST_F(Crash, OfTheDiskWhileReadingGivesNoWrongByte) {
    if (!CrashHarness::has_strace()) GTEST_SKIP() << "strace is not installed or may not trace";
    ASSERT_TRUE(harness.put(3));
    auto command = CrashHarness::strace("pread64", "error=EIO:when=60+10");
    for (auto const& word : {std::string(CRASH_CHILD), std::string("read"), harness.store()}) command.push_back(word);

    auto const lines = harness.run(command);

    auto const count = [&](std::string const& what) {
        return std::count_if(lines.begin(), lines.end(), [&](std::string const& line) { return line.starts_with(what); });
    };
    EXPECT_EQ(count("wrong"), 0);
    EXPECT_LT(count("right"), 4 * 61) << "no fault was met";  // also by reading ahead, which says nothing
    EXPECT_GT(count("right"), 50);
    EXPECT_EQ(lines.back(), "done");
}

}  // namespace
}  // namespace rqfs::cache
