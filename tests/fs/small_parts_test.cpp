#include "fs/failed_reads.h"
#include "fs/mount_table.h"
#include "fs/read_policy.h"
#include "fs/reader_program.h"
#include "fs/reader_thread.h"
#include "fs/to_errno.h"
#include "fs/xattrs.h"
#include "torrent/error.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/error.hpp>

#include <cerrno>
#include <chrono>
#include <limits>
#include <new>
#include <stdexcept>

namespace rqfs::fs {
namespace {

using torrent::Errc;

int errno_of(Errc code, OnTimeout on_timeout = OnTimeout::eio) {
    return to_errno(std::make_exception_ptr(boost::system::system_error(torrent::make_error_code(code))), on_timeout);
}

TEST(ToErrno, KnowsEveryErrorOfTheEngine) {
    EXPECT_EQ(errno_of(Errc::not_found), ENOENT);
    EXPECT_EQ(errno_of(Errc::removed), ESTALE);
    EXPECT_EQ(errno_of(Errc::timed_out), EIO);
    EXPECT_EQ(errno_of(Errc::timed_out, OnTimeout::eagain), EAGAIN);
    for (auto const code :
         {Errc::malformed, Errc::paused, Errc::failed, Errc::corrupt, Errc::io, Errc::no_space, Errc::stopping})
        EXPECT_EQ(errno_of(code, OnTimeout::eagain), EIO);
}

TEST(ToErrno, KnowsEverythingElse) {
    using boost::system::system_error;

    EXPECT_EQ(to_errno(std::make_exception_ptr(system_error(boost::asio::error::operation_aborted))), EINTR);
    EXPECT_EQ(to_errno(std::make_exception_ptr(std::bad_alloc())), ENOMEM);
    EXPECT_EQ(to_errno(std::make_exception_ptr(std::runtime_error("x"))), EIO);
    EXPECT_EQ(to_errno(std::make_exception_ptr(7)), EIO);
    EXPECT_EQ(to_errno(std::make_exception_ptr(system_error(boost::asio::error::connection_refused))), EIO);
    try {
        throw_errno(EBADF);
    } catch (...) {
        EXPECT_EQ(to_errno(std::current_exception()), EBADF);
    }
}

TEST(ReadPolicy, WaitsAsLongAsItIsSet) {
    Settings settings;
    EXPECT_EQ(read_wait(settings), torrent::Duration(std::chrono::seconds(60)));
    settings.read_timeout = std::chrono::milliseconds(0);
    EXPECT_EQ(read_wait(settings), std::nullopt);
}

TEST(ReadPolicy, ReadsOnlyWithinTheFile) {
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

    EXPECT_EQ(readable_range(100, 0, 10), (torrent::ByteRange{0, 10}));
    EXPECT_EQ(readable_range(100, 95, 10), (torrent::ByteRange{95, 100}));
    EXPECT_EQ(readable_range(100, 100, 10), (torrent::ByteRange{100, 100}));
    EXPECT_EQ(readable_range(100, kMost, kMost), (torrent::ByteRange{100, 100}));
    EXPECT_EQ(readable_range(kMost, kMost - 1, kMost), (torrent::ByteRange{kMost - 1, kMost}));
    EXPECT_EQ(readable_range(0, 0, 10), (torrent::ByteRange{0, 0}));
}

TEST(FailedReads, KnowTheSecondTryOnceAndNotForLong) {
    using namespace std::chrono_literals;
    torrent::TimePoint const now(1000h);
    FailedReads reads;
    reads.failed({0, 131'072}, now);

    EXPECT_FALSE(reads.is_second_try({131'072, 135'168}, now));
    EXPECT_FALSE(reads.is_second_try({0, 262'144}, now));
    EXPECT_TRUE(reads.is_second_try({4096, 8192}, now + 1ms));
    EXPECT_FALSE(reads.is_second_try({4096, 8192}, now + 2ms));

    reads.failed({0, 131'072}, now);
    EXPECT_FALSE(reads.is_second_try({0, 4096}, now + 2s));
}

TEST(FailedReads, AreBounded) {
    FailedReads reads;
    torrent::TimePoint const now(std::chrono::hours(1));
    for (int i = 0; i < 1000; ++i) reads.failed({0, 10}, now);

    int known = 0;
    while (reads.is_second_try({0, 10}, now)) ++known;

    EXPECT_EQ(known, 64);
}

TEST(Xattrs, ShowProgressWithFourDigitsAndOneOnlyWhenComplete) {
    auto const progress = [](double value) {
        XattrFacts facts;
        facts.progress = value;
        return *xattr_value("user.rqfs.progress", facts);
    };

    EXPECT_EQ(progress(0), "0.0000");
    EXPECT_EQ(progress(0.00009), "0.0000");
    EXPECT_EQ(progress(0.0001), "0.0001");
    EXPECT_EQ(progress(0.7), "0.7000");
    EXPECT_EQ(progress(0.99999999), "0.9999");
    EXPECT_EQ(progress(1), "1.0000");
    EXPECT_EQ(progress(2), "1.0000");
    EXPECT_EQ(progress(-1), "0.0000");
}

TEST(Xattrs, AreThoseTheyList) {
    XattrFacts facts;
    facts.raw_name = std::string(100'000, 'x');
    for (auto const name : xattr_names()) EXPECT_TRUE(xattr_value(name, facts)) << name;

    EXPECT_FALSE(xattr_value("user.rqfs", facts));
    EXPECT_FALSE(xattr_value("", facts));
    EXPECT_LE(xattr_value("user.rqfs.rawname", facts)->size(), 65'536u);
}

TEST(MountTable, IsReadWithItsEscapes) {
    auto const table = parse_mount_table(
        "22 27 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
        "46 27 0:43 / /tmp/my\\040mount\\134x ro,nosuid - fuse.rqfs rqfs ro,user_id=0\n"
        "47 46 0:44 / /tmp/b rw shared:1 master:2 - tmpfs none rw\n");

    ASSERT_EQ(table.size(), 3u);
    EXPECT_EQ(table[0], (MountEntry{22, "/sys", "sysfs", "sysfs"}));
    EXPECT_EQ(table[1], (MountEntry{46, "/tmp/my mount\\x", "fuse.rqfs", "rqfs"}));
    EXPECT_EQ(table[2].type, "tmpfs");
    EXPECT_TRUE(has_mount(table, 46));
    EXPECT_FALSE(has_mount(table, 48));
}

TEST(MountTable, LeavesOutWhatItDoesNotUnderstand) {
    for (auto const* text : {"", "\n\n", "garbage", "1 2 3", "x 27 0:20 / /sys rw - sysfs sysfs rw",
                             "1 27 0:20 / /sys rw shared:7", "1 2 0:1 / /x rw -", "1 2 0:1 / /x rw - type"})
        EXPECT_TRUE(parse_mount_table(text).empty()) << text;
}

TEST(MountTable, ShowsTheUppermostMount) {
    auto const table = parse_mount_table("1 0 0:1 / /a rw - ext4 x rw\n2 1 0:2 / /a rw - fuse.rqfs rqfs rw\n");

    EXPECT_EQ(mounted_at(table, "/a")->id, 2);
    EXPECT_FALSE(mounted_at(table, "/b"));
    EXPECT_FALSE(read_mount_table().empty());
}

TEST(ReaderProgram, IsTheProgramOfTheThread) {
    auto const program = read_reader_program(::gettid());

    EXPECT_EQ(program.process_id, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(program.name, "test_fs");
    EXPECT_EQ(read_reader_program(0).process_id, 0u);
    EXPECT_EQ(read_reader_program(0x7FFF'FFF0).name, "");
}

TEST(ReaderThread, IsGoneWhenItHasEndedAlsoBeforeItIsWaitedFor) {
    pid_t const child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);

    EXPECT_EQ(gone_threads({::gettid(), child, 0, 0x7FFF'FFF0}), (std::vector<pid_t>{child, 0x7FFF'FFF0}));

    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(gone_threads({child}), std::vector<pid_t>{child});
}

}  // namespace
}  // namespace rqfs::fs
