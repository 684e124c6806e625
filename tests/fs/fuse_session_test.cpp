#include "fs/fuse_session.h"

#include "fs/filesystem.h"
#include "fs/inode.h"
#include "fs/settings.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/fake_library.h"
#include "tests/support/run_engine.h"
#include "tests/support/virtual_clock.h"
#include "torrent/workers.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using fs::kRootInode;

constexpr std::uint32_t kBytes = 65'536;

// How the kernel's struct fuse_kstatfs begins.
struct KernelSpace {
    std::uint64_t blocks, free, available, files, free_files;
};

class Session : public testing::Test {
protected:
    void SetUp() override { start({}); }

    void start(fs::Settings const& settings) {
        library.add(make_metainfo("T", {{{"a"}, 1'000'000, ""}, {{"b"}, 100, ""}, {{"l"}, 0, "l", {"b"}}}));
        filesystem = std::make_unique<fs::Filesystem>(library, clock, workers, settings);
        session = std::make_unique<fs::FuseSession>(engine.get_executor(), *filesystem, clock, workers);
        session->attach(kernel.session_descriptor());
        kernel.initialize();
        directory = kernel.find(kRootInode, "T");
        a = kernel.find(directory, "a");
    }

    void TearDown() override {
        run_engine(engine, session->stop());
        EXPECT_FALSE(kernel.answered_twice());
        session.reset();
        filesystem.reset();
        EXPECT_EQ(library.streams, 0);
        EXPECT_EQ(library.waiting, 0);
    }

    void pass(torrent::Duration time) {
        clock.run_for(engine, time);
        kernel.turn();
    }

    boost::asio::io_context engine{1};
    VirtualClock clock;
    torrent::Workers workers;
    FakeLibrary library{engine.get_executor()};
    FakeKernel kernel{engine};
    std::unique_ptr<fs::Filesystem> filesystem;
    std::unique_ptr<fs::FuseSession> session;
    std::uint64_t directory = 0;
    std::uint64_t a = 0;
};

TEST_F(Session, ListsTheRootAndATorrent) {
    EXPECT_EQ(FakeKernel::names_of(kernel.wait(kernel.readdir(kRootInode, 0, 4096))),
              (std::vector<std::string>{".", "..", "T"}));
    EXPECT_EQ(FakeKernel::names_of(kernel.wait(kernel.readdir(directory, 0, 4096))),
              (std::vector<std::string>{".", "..", "a", "b", "l"}));
}

TEST_F(Session, ListsInAsManyPartsAsTheKernelLikes) {
    std::vector<std::string> names;
    std::uint64_t next = 0;
    for (;;) {
        auto const part = FakeKernel::names_of(kernel.wait(kernel.readdir(directory, next, 40)), &next);
        if (part.empty()) break;
        names.insert(names.end(), part.begin(), part.end());
    }

    EXPECT_EQ(names, (std::vector<std::string>{".", "..", "a", "b", "l"}));
}

TEST_F(Session, SaysNotFoundForNamesThatAreNot) {
    EXPECT_EQ(kernel.wait(kernel.lookup(kRootInode, "no")).error, ENOENT);
    EXPECT_EQ(kernel.wait(kernel.lookup(directory, "no")).error, ENOENT);
    EXPECT_EQ(kernel.wait(kernel.lookup(a, "no")).error, ENOENT);
}

TEST_F(Session, SaysStaleForNodesThatAreNot) {
    EXPECT_EQ(kernel.wait(kernel.getattr(0x7777'0000'0000)).error, ESTALE);
    EXPECT_EQ(kernel.wait(kernel.getattr(directory + 99)).error, ESTALE);
    EXPECT_EQ(kernel.wait(kernel.open(directory + 99)).error, ESTALE);
}

TEST_F(Session, ReadsWhatIsInMemoryAtOnce) {
    auto const handle = kernel.opened(a);

    auto const reply = kernel.wait(kernel.read(a, handle, 1000, kBytes));

    EXPECT_EQ(reply.error, 0);
    EXPECT_EQ(reply.data, fake_bytes(torrent::FileIndex(0), 1000, kBytes));
}

TEST_F(Session, ReadsNoFurtherThanTheEnd) {
    auto const handle = kernel.opened(a);

    EXPECT_EQ(kernel.wait(kernel.read(a, handle, 999'990, kBytes)).data,
              fake_bytes(torrent::FileIndex(0), 999'990, 10));
    EXPECT_EQ(kernel.wait(kernel.read(a, handle, 1'000'000, kBytes)).data, "");
    EXPECT_EQ(kernel.wait(kernel.read(a, handle, std::uint64_t{1} << 62, kBytes)).data, "");
}

TEST_F(Session, AnswersReadsWhenTheirDataComesWhateverTheirOrder) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const first = kernel.read(a, handle, 0, 10);
    auto const second = kernel.read(a, handle, 10, 10);
    EXPECT_FALSE(kernel.answered(first));

    auto const attributes = kernel.wait(kernel.getattr(a));
    library.deliver();

    EXPECT_EQ(attributes.error, 0);
    EXPECT_EQ(kernel.wait(second).data, fake_bytes(torrent::FileIndex(0), 10, 10));
    EXPECT_EQ(kernel.wait(first).data, fake_bytes(torrent::FileIndex(0), 0, 10));
}

TEST_F(Session, EndsAReadAtTheTimeout) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();

    pass(59s);
    EXPECT_FALSE(kernel.answered(read));
    pass(2s);

    EXPECT_EQ(kernel.wait(read).error, EIO);
    EXPECT_EQ(session->pending(), 0u);
}

TEST_F(Session, AnswersTheKernelsSecondTryAtOnceAndTheProgramsOwnAfterWaiting) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const ahead = kernel.read(a, handle, 0, kBytes);
    kernel.turn();
    pass(60s);
    EXPECT_EQ(kernel.wait(ahead).error, EIO);

    EXPECT_EQ(kernel.wait(kernel.read(a, handle, 0, 4096)).error, EIO);
    auto const again = kernel.read(a, handle, 0, 4096);
    pass(30s);
    EXPECT_FALSE(kernel.answered(again));
    library.deliver();
    EXPECT_EQ(kernel.wait(again).error, 0);
}

TEST_F(Session, SaysTryAgainAtTheTimeoutWhenConfigured) {
    filesystem->set_read_limits(5s, fs::OnTimeout::eagain);
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();

    pass(6s);

    EXPECT_EQ(kernel.wait(read).error, EAGAIN);
}

TEST_F(Session, WaitsForEverWhenTheUserWantsIt) {
    filesystem->set_read_limits(0s, fs::OnTimeout::eio);
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();

    pass(10min);

    EXPECT_FALSE(kernel.answered(read));
}

TEST_F(Session, FailsReadsOfAPausedTorrentAtOnce) {
    auto const handle = kernel.opened(a);
    library.torrent_state = torrent::TorrentState::paused;

    EXPECT_EQ(kernel.wait(kernel.read(a, handle, 0, 10)).error, EIO);
    library.answers_late = true;
    EXPECT_EQ(kernel.wait(kernel.read(a, handle, 0, 10)).error, EIO);
}

TEST_F(Session, EndsReadsOfARemovedTorrentAsStale) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();

    library.remove(library.entries()[0].info_hash);

    EXPECT_EQ(kernel.wait(read).error, ESTALE);
    EXPECT_EQ(kernel.wait(kernel.read(a, handle, 0, 10)).error, ESTALE);
    EXPECT_EQ(kernel.wait(kernel.getattr(a)).error, ESTALE);
    EXPECT_EQ(kernel.wait(kernel.lookup(kRootInode, "T")).error, ENOENT);
    EXPECT_EQ(kernel.wait(kernel.release(a, handle)).error, 0);
}

TEST_F(Session, TellsTheKernelOfNamesThatGo) {
    auto const before = kernel.notices();

    library.remove(library.entries()[0].info_hash);

    for (int i = 0; i < 5000 && kernel.notices() < before + 3; ++i) {
        kernel.turn();
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(kernel.notices(), before + 3);  // its name, its info-hash, the root's attributes
}

TEST_F(Session, AnswersAnInterruptedReadAtOnce) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();

    kernel.interrupt(read);

    EXPECT_EQ(kernel.wait(read).error, EINTR);
    EXPECT_EQ(session->pending(), 0u);
}

TEST_F(Session, AnswersAReadThatWasInterruptedBeforeItCame) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.interrupt(read);  // both are taken in one turn

    EXPECT_EQ(kernel.wait(read).error, EINTR);
}

TEST_F(Session, AnswersThousandsOfInterruptedReads) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    std::mt19937 random(42);
    std::vector<FakeKernel::Unique> reads;
    for (int i = 0; i < 3000; ++i) {
        reads.push_back(kernel.read(a, handle, 0, 10));
        if (i % 50 == 0) kernel.turn();
    }
    std::shuffle(reads.begin(), reads.end(), random);
    for (auto const read : reads) kernel.interrupt(read);

    for (auto const read : reads) EXPECT_EQ(kernel.wait(read).error, EINTR);

    EXPECT_EQ(session->pending(), 0u);
}

TEST_F(Session, IgnoresInterruptsOfWhatItDoesNotKnow) {
    kernel.interrupt(123'456);

    EXPECT_EQ(kernel.wait(kernel.getattr(a)).error, 0);
}

TEST_F(Session, EndsTheReadsOfAThreadThatFlushes) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const mine = kernel.read(a, handle, 0, 10);
    kernel.thread = 1;
    auto const others = kernel.read(a, handle, 10, 10);
    kernel.thread = ::gettid();
    kernel.turn();

    EXPECT_EQ(kernel.wait(kernel.flush(a, handle)).error, 0);

    EXPECT_EQ(kernel.wait(mine).error, EINTR);
    EXPECT_FALSE(kernel.answered(others));
}

TEST_F(Session, EndsTheReadsOfThreadsThatAreGoneWhenAnotherFlushes) {
    constexpr pid_t kNoSuchThread = 0x7FFF'FFF0;
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    kernel.thread = kNoSuchThread;
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();
    kernel.thread = ::gettid();

    kernel.wait(kernel.flush(a, handle));

    EXPECT_EQ(kernel.wait(read).error, EINTR);
}

TEST_F(Session, EndsTheReadsOfThreadsThatAreGoneWithinASecondOrTwo) {
    constexpr pid_t kNoSuchThread = 0x7FFF'FFF0;
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    kernel.thread = kNoSuchThread;
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();

    pass(1500ms);

    EXPECT_EQ(kernel.wait(read).error, EINTR);
}

TEST_F(Session, RefusesWritersAndOpensOfDirectories) {
    EXPECT_EQ(kernel.wait(kernel.open(a, O_WRONLY)).error, EROFS);
    EXPECT_EQ(kernel.wait(kernel.open(a, O_RDWR)).error, EROFS);
    EXPECT_EQ(kernel.wait(kernel.open(directory)).error, EISDIR);
}

TEST_F(Session, RefusesHandlesItDidNotGive) {
    EXPECT_EQ(kernel.wait(kernel.read(a, 4711, 0, 10)).error, EBADF);
    EXPECT_EQ(kernel.wait(kernel.release(a, 4711)).error, 0);
}

TEST_F(Session, AnswersOperationsThatItDoesNotHave) {
    constexpr std::uint32_t kNoSuchOperation = 4000, kMakeDirectory = 9, kWrite = 16;

    EXPECT_EQ(kernel.wait(kernel.send(kNoSuchOperation, a, "")).error, ENOSYS);
    EXPECT_EQ(kernel.wait(kernel.send(kMakeDirectory, kRootInode, std::string(8, '\0') + "x" + '\0')).error, ENOSYS);
    EXPECT_EQ(kernel.wait(kernel.send(kWrite, a, std::string(64, '\0'))).error, ENOSYS);
}

TEST_F(Session, ReleasesTheStream) {
    auto const handle = kernel.opened(a);
    EXPECT_EQ(library.streams, 1);

    kernel.wait(kernel.release(a, handle));

    EXPECT_EQ(library.streams, 0);
    EXPECT_EQ(filesystem->open_files(), 0u);
}

TEST_F(Session, KeepsTheStreamOfAReadUnderWay) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    auto const read = kernel.read(a, handle, 0, 10);
    kernel.turn();
    kernel.wait(kernel.release(a, handle));
    EXPECT_EQ(library.streams, 1);

    library.deliver();

    EXPECT_EQ(kernel.wait(read).error, 0);
    EXPECT_EQ(library.streams, 0);
}

TEST_F(Session, GivesAttributesInTheSizeTheyNeed) {
    auto const size = kernel.wait(kernel.getxattr(a, "user.rqfs.infohash", 0));
    auto const value = kernel.wait(kernel.getxattr(a, "user.rqfs.infohash", 100));

    EXPECT_EQ(size.data.size(), 8u);
    EXPECT_EQ(size.data[0], 40);
    EXPECT_EQ(value.data, library.entries()[0].info_hash.hex());
    EXPECT_EQ(kernel.wait(kernel.getxattr(a, "user.rqfs.infohash", 39)).error, ERANGE);
    EXPECT_EQ(kernel.wait(kernel.getxattr(a, "security.capability", 100)).error, ENODATA);
    EXPECT_EQ(kernel.wait(kernel.getxattr(kRootInode, "user.rqfs.state", 100)).error, ENODATA);
    EXPECT_NE(kernel.wait(kernel.listxattr(a, 1000)).data.find("user.rqfs.rawname"), std::string::npos);
}

TEST_F(Session, ExplainsFilesInAnAttributeWithTheReadTimeout) {
    library.told_why.state = torrent::TorrentState::downloading;
    library.told_why.readers.push_back({"mpv", 1, false, 0, 0, {{{0, 10}, 1s, 0, {}}}});

    auto const size = kernel.wait(kernel.getxattr(a, "user.rqfs.why", 0));
    auto const value = kernel.wait(kernel.getxattr(a, "user.rqfs.why", 60'000));

    std::uint32_t told_size = 0;
    ASSERT_GE(size.data.size(), sizeof told_size);
    std::memcpy(&told_size, size.data.data(), sizeof told_size);
    EXPECT_GT(told_size, value.data.size()) << "the text may grow until it is asked for";
    EXPECT_NE(value.data.find("mpv"), std::string::npos) << value.data;
    EXPECT_NE(value.data.find("it fails with EIO after 1 min 0 s, in 59.0 s"), std::string::npos) << value.data;
    EXPECT_EQ(kernel.wait(kernel.getxattr(a, "user.rqfs.file", 100)).data, "0");
    EXPECT_NE(kernel.wait(kernel.listxattr(a, 1000)).data.find("user.rqfs.why"), std::string::npos);
    EXPECT_EQ(kernel.wait(kernel.getxattr(directory, "user.rqfs.why", 100)).error, ENODATA);
    EXPECT_EQ(kernel.wait(kernel.getxattr(directory, "user.rqfs.file", 100)).error, ENODATA);
}

TEST_F(Session, CountsWhatIsKeptForRootAsFreeSpaceAndLacksNoInodes) {
    auto const reply = kernel.wait(kernel.statfs());

    ASSERT_EQ(reply.error, 0);
    KernelSpace answer = {};
    ASSERT_GE(reply.data.size(), sizeof(answer));
    std::memcpy(&answer, reply.data.data(), sizeof(answer));
    EXPECT_EQ(answer.blocks, 1'000'000u);
    EXPECT_EQ(answer.free, 300'000u);
    EXPECT_EQ(answer.available, 250'000u);
    EXPECT_GT(answer.files, answer.free_files);
    EXPECT_GT(answer.free_files, answer.files / 2);
}

TEST_F(Session, ReadsLinks) {
    auto const link = kernel.find(directory, "l");

    EXPECT_EQ(kernel.wait(kernel.readlink(link)).data, "b");
    EXPECT_EQ(kernel.wait(kernel.readlink(a)).error, EINVAL);
}

TEST_F(Session, CountsForgets) {
    kernel.forget(a, 1'000'000);
    kernel.forget(0x7777'0000'0000, 1);

    EXPECT_EQ(kernel.wait(kernel.getattr(a)).error, 0);
}

TEST_F(Session, AnswersEverythingWhenItStops) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    std::vector<FakeKernel::Unique> reads;
    for (int i = 0; i < 200; ++i) reads.push_back(kernel.read(a, handle, 0, 10));
    kernel.turn();
    kernel.turn();
    kernel.turn();
    kernel.turn();
    ASSERT_EQ(session->pending(), 200u);

    run_engine(engine, session->stop());

    for (auto const read : reads) EXPECT_EQ(kernel.wait(read).error, EIO);
}

TEST_F(Session, EndsWhenTheKernelDoes) {
    library.holds_back = true;
    auto const handle = kernel.opened(a);
    kernel.read(a, handle, 0, 10);
    kernel.turn();

    kernel.close();

    run_engine(engine, session->gone());
    pass(0s);
    EXPECT_EQ(library.waiting, 0);
}

}  // namespace
}  // namespace rqfs::tests
