#include "fs/filesystem.h"
#include "fs/log.h"
#include "tests/support/fake_library.h"
#include "tests/support/run_engine.h"
#include "tests/support/virtual_clock.h"
#include "torrent/workers.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <sstream>
#include <string>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

// Reads of a film whose data is held back, and what the log says of them.
class ReadsOfFiles : public testing::Test {
protected:
    ReadsOfFiles() {
        hash = library.add(make_metainfo("film.mkv", {{{"film.mkv"}, 1'000'000, ""}}));
        library.holds_back = true;
        filesystem = std::make_unique<fs::Filesystem>(library, clock, workers, fs::Settings());
        filesystem->set_read_limits(10s, fs::OnTimeout::eio);
        auto const directory = filesystem->lookup(fs::kRootInode, "film.mkv");
        inode = directory.kind == fs::TorrentTree::Kind::directory
                    ? filesystem->lookup(directory.inode, "film.mkv").inode
                    : directory.inode;
        handle = run_engine(engine, filesystem->open(inode, O_RDONLY, ::gettid()));
        fs::log().sinks().push_back(sink);
        fs::log().set_level(spdlog::level::debug);
    }
    ~ReadsOfFiles() override {
        fs::log().set_level(before);
        fs::log().sinks().pop_back();
    }

    std::string log() const { return text.str(); }
    std::string line(std::string const& what) const {
        return what + " torrent=" + hash.short_hex() + " inode=" + std::to_string(inode) + " offset=8192";
    }
    // Whether the read of 4 KiB at 8 KiB has failed when the time is over.
    bool fails_after(torrent::Duration time) {
        bool failed = false;
        auto const end = [&](std::exception_ptr const& failure, auto const&) { failed = failure != nullptr; };
        boost::asio::co_spawn(engine, filesystem->read(handle, 8192, 4096), end);
        clock.run_for(engine, time);
        return failed;
    }

    boost::asio::io_context engine{1};
    VirtualClock clock;
    torrent::Workers workers;
    FakeLibrary library{engine.get_executor()};
    torrent::InfoHash hash;
    std::unique_ptr<fs::Filesystem> filesystem;
    fs::Inode inode = 0;
    fs::Handle handle = 0;
    std::ostringstream text;
    std::shared_ptr<spdlog::sinks::sink> sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text, true);
    spdlog::level::level_enum before = fs::log().level();
};

TEST_F(ReadsOfFiles, OneThatWaitedInVainIsInTheLog) {
    ASSERT_TRUE(fails_after(11s));

    EXPECT_NE(log().find("[info] " + line("a read waited in vain")), std::string::npos) << log();
}

TEST_F(ReadsOfFiles, OneThatIsAnsweredIsNotInTheLog) {
    library.holds_back = false;

    ASSERT_FALSE(fails_after(11s));

    EXPECT_EQ(log().find("a read"), std::string::npos) << log();
}

TEST_F(ReadsOfFiles, OneThatTheEngineRefusesIsInTheLogWithItsReason) {
    library.refuses = true;

    ASSERT_TRUE(fails_after(1s));

    EXPECT_NE(log().find("[debug] " + line("a read was refused") + " reason=\"" + FakeLibrary::kRefusal),
              std::string::npos)
        << log();
}

}  // namespace
}  // namespace rqfs::tests
