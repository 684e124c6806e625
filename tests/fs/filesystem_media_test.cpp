#include "fs/filesystem.h"
#include "tests/fs/media_file.h"
#include "tests/support/fake_library.h"
#include "tests/support/run_engine.h"
#include "tests/support/virtual_clock.h"
#include "torrent/workers.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace rqfs::tests {
namespace {

// What a read shows of a file's index is told to the engine.
class MediaOfFiles : public testing::Test {
protected:
    MediaOfFiles() {
        library.head = big(12, 4) + "ftypisom" + big(48, 4) + "moov" + big(40, 4) + "mvhd" + big(0, 12) + big(1000, 4) +
                       big(90'000, 4) + big(0, 12) + big(0, 4) + "mdat";
        library.add(make_metainfo("film.mp4", {{{"film.mp4"}, 1'000'000, ""}}));
        filesystem = std::make_unique<fs::Filesystem>(library, clock, workers, fs::Settings());
        auto const directory = filesystem->lookup(fs::kRootInode, "film.mp4");
        inode = directory.kind == fs::TorrentTree::Kind::directory
                    ? filesystem->lookup(directory.inode, "film.mp4").inode
                    : directory.inode;
        handle = run_engine(engine, filesystem->open(inode, O_RDONLY, ::gettid()));
    }

    void expect_told() const {
        EXPECT_TRUE(library.last_hints.index_known);
        EXPECT_EQ(library.last_hints.duration, std::chrono::seconds(90));
        EXPECT_TRUE(covers(library.last_hints.first, {12, 60}));
    }

    boost::asio::io_context engine{1};
    VirtualClock clock;
    torrent::Workers workers;
    FakeLibrary library{engine.get_executor()};
    std::unique_ptr<fs::Filesystem> filesystem;
    fs::Inode inode = 0;
    fs::Handle handle = 0;
};

TEST_F(MediaOfFiles, IsToldAfterAReadFromMemory) {
    ASSERT_TRUE(filesystem->try_read(handle, 0, 4096));

    expect_told();
}

TEST_F(MediaOfFiles, IsToldAfterAReadThatWaited) {
    library.answers_late = true;

    run_engine(engine, filesystem->read(handle, 0, 4096));

    expect_told();
}

TEST_F(MediaOfFiles, IsToldAfterAReadThatMayWaitForEver) {
    library.answers_late = true;
    filesystem->set_read_limits(std::chrono::milliseconds(0), fs::OnTimeout::eio);

    run_engine(engine, filesystem->read(handle, 0, 4096));

    expect_told();
}

TEST_F(MediaOfFiles, CostsNothingOnceItIsKnown) {
    ASSERT_TRUE(filesystem->try_read(handle, 0, 4096));
    auto const before = library.peeks;
    library.last_hints = {};

    for (std::uint64_t at = 0; at < 900'000; at += 4096) ASSERT_TRUE(filesystem->try_read(handle, at, 4096));

    EXPECT_EQ(library.peeks, before);
    EXPECT_EQ(library.last_hints, torrent::MediaHints());
}

TEST_F(MediaOfFiles, IsNotLookedForBeforeARead) {
    EXPECT_EQ(library.peeks, 0);
    EXPECT_EQ(library.last_hints, torrent::MediaHints());
}

}  // namespace
}  // namespace rqfs::tests
