#include "tests/support/mounted_library.h"
#include "torrent/error.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

void fill(FakeLibrary& library) {
    std::vector<FakeFile> files;
    for (int i = 0; i < 60; ++i) files.push_back({{"file" + std::to_string(i)}, 10'000'000, ""});
    library.add(make_metainfo("T", files));
    library.holds_back = true;
}

// A copy of this process must not keep the mount alive: it would never be seen to close.
void become_a_stranger() { ::close_range(3, ~0u, 0); }

// A program that reads the first bytes of a file; its exit status is the errno it got.
pid_t start_reader(std::string const& path) {
    pid_t const child = ::fork();
    if (child != 0) return child;
    become_a_stranger();
    int const file = ::open(path.c_str(), O_RDONLY);
    std::array<char, 4096> bytes{};
    ::_exit(file >= 0 && ::read(file, bytes.data(), bytes.size()) >= 0 ? 0 : errno);
}

// A program that touches a file's memory without a descriptor.
pid_t start_mapper(std::string const& path) {
    pid_t const child = ::fork();
    if (child != 0) return child;
    become_a_stranger();
    int const file = ::open(path.c_str(), O_RDONLY);
    auto const* const memory = static_cast<char const volatile*>(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0));
    ::close(file);
    ::_exit(memory[0]);
}

// The errno a reader ended with, or nothing when it has not within `limit`.
std::optional<int> end_of(pid_t child, std::chrono::milliseconds limit) {
    int status = 0;
    if (!eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }, limit)) return std::nullopt;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int fusermount(std::string const& options, std::string const& path) {
    return std::system(("fusermount3 " + options + " " + path + " 2>/dev/null").c_str());
}

class MountedReaders : public testing::Test {
protected:
    void SetUp() override {
        if (auto const why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
        make({});
    }
    void make(fs::Settings const& settings) {
        mounted.reset();
        mounted = std::make_unique<MountedLibrary>(point.path(), settings, fill);
    }
    std::string file(int i) const { return point.path() + "/T/file" + std::to_string(i); }
    std::vector<pid_t> block_readers(int count) {
        std::vector<pid_t> readers;
        for (int i = 0; i < count; ++i) readers.push_back(start_reader(file(i)));
        EXPECT_TRUE(eventually([&] { return mounted->waiting() >= count; }));
        return readers;
    }

    MountPoint point;
    std::unique_ptr<MountedLibrary> mounted;
};

TEST_F(MountedReaders, GetTheirBytesWhenTheyArrive) {
    auto const readers = block_readers(3);

    mounted->on_engine([&] { mounted->library().deliver(); });

    for (auto const reader : readers) EXPECT_EQ(end_of(reader, 2s), 0);
}

TEST_F(MountedReaders, ThatAreKilledLeaveNothingBehind) {
    auto const readers = block_readers(20);

    for (auto const reader : readers) ::kill(reader, SIGKILL);

    for (auto const reader : readers) EXPECT_EQ(end_of(reader, 1s), 1000 + SIGKILL);
    EXPECT_TRUE(eventually([&] { return mounted->pending() == 0; }, 1s));
    EXPECT_TRUE(eventually([&] { return mounted->on_engine([&] { return mounted->mount().open_files(); }) == 0; }, 1s));
}

TEST_F(MountedReaders, ThatAreKilledOverTheirMemoryLeaveNothingBehind) {
    auto const reader = start_mapper(file(0));
    ASSERT_TRUE(eventually([&] { return mounted->waiting() >= 1; }));

    ::kill(reader, SIGKILL);

    EXPECT_EQ(end_of(reader, 1s), 1000 + SIGKILL);
    EXPECT_TRUE(eventually([&] { return mounted->pending() == 0; }, 2500ms));
}

TEST_F(MountedReaders, DoNotHoldUpThoseOfOtherFiles) {
    auto const blocked = block_readers(50);
    struct stat stat;

    EXPECT_EQ(::stat(file(55).c_str(), &stat), 0);
    EXPECT_TRUE(std::filesystem::exists(point.path() + "/T"));
    mounted->on_engine([&] { mounted->library().holds_back = false; });
    EXPECT_EQ(end_of(start_reader(file(55)), 2s), 0);

    mounted->on_engine([&] { mounted->library().deliver(); });
    for (auto const reader : blocked) EXPECT_EQ(end_of(reader, 2s), 0);
}

TEST_F(MountedReaders, WaitAtMostTheReadTimeout) {
    fs::Settings settings;
    settings.read_timeout = 500ms;
    make(settings);
    auto const begin = std::chrono::steady_clock::now();

    EXPECT_EQ(end_of(start_reader(file(0)), 3s), EIO);

    auto const took = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(took, 500ms);
    EXPECT_LT(took, 900ms);  // once, though the kernel tries twice
}

TEST_F(MountedReaders, AreToldToTryAgainWhenConfigured) {
    fs::Settings settings;
    settings.read_timeout = 300ms;
    settings.on_timeout = fs::OnTimeout::eagain;
    make(settings);

    EXPECT_EQ(end_of(start_reader(file(0)), 3s), EAGAIN);
}

TEST_F(MountedReaders, OfARemovedTorrentEndAtOnce) {
    auto const readers = block_readers(5);
    auto const hash = mounted->on_engine([&] { return mounted->library().entries()[0].info_hash; });

    mounted->on_engine([&] { mounted->library().remove(hash); });

    for (auto const reader : readers) EXPECT_TRUE(end_of(reader, 1s).value_or(0) != 0);
    EXPECT_TRUE(eventually([&] { return mounted->pending() == 0; }, 1s));
}

TEST_F(MountedReaders, AreAnsweredByAStopWithinASecond) {
    auto const readers = block_readers(50);
    auto const begin = std::chrono::steady_clock::now();

    mounted->stop();

    EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
    for (auto const reader : readers) EXPECT_EQ(end_of(reader, 1s), EIO);
    EXPECT_TRUE(std::filesystem::is_empty(point.path()));
}

TEST_F(MountedReaders, KeepAPlainUnmountFromHappening) {
    auto const readers = block_readers(1);

    EXPECT_NE(fusermount("-u", point.path()), 0);

    EXPECT_FALSE(mounted->ends_within(1500ms));
    mounted->on_engine([&] { mounted->library().deliver(); });
    EXPECT_EQ(end_of(readers[0], 2s), 0);
    EXPECT_EQ(fusermount("-u", point.path()), 0);
    EXPECT_TRUE(mounted->ends_within(2s));
}

TEST_F(MountedReaders, AreEndedByALazyUnmount) {
    auto const readers = block_readers(5);

    EXPECT_EQ(fusermount("-uz", point.path()), 0);

    EXPECT_TRUE(mounted->ends_within(2s));
    for (auto const reader : readers) EXPECT_EQ(end_of(reader, 1s), EIO);
}

TEST_F(MountedReaders, MayUnmountAndMountManyTimes) {
    for (int i = 0; i < 10; ++i) {
        auto const readers = block_readers(5);
        ASSERT_EQ(fusermount("-uz", point.path()), 0);
        ASSERT_TRUE(mounted->ends_within(3s));
        for (auto const reader : readers) ASSERT_TRUE(end_of(reader, 1s));
        make({});
    }
}

}  // namespace
}  // namespace rqfs::tests
