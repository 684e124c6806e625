#include "tools/rqfs/logging.h"
#include "tools/rqfs/line_sink.h"
#include "torrent/error.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace {

using namespace rqfs::tools;

std::string read_now(int descriptor) {
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    std::string all;
    std::array<char, 65536> buffer{};
    ssize_t size = 0;
    while ((size = read(descriptor, buffer.data(), buffer.size())) > 0)
        all.append(buffer.data(), static_cast<std::size_t>(size));
    return all;
}

// A logger into one end of a connection, whose other end nobody reads for now.
void log_into_what_nobody_reads(std::array<int, 2> ends) {
    auto const sink = std::make_shared<DescriptorSink>(ends[1]);
    sink->set_pattern("%v");
    spdlog::logger logger("test", sink);
    auto const begin = std::chrono::steady_clock::now();

    for (int i = 0; i < 20'000; ++i) logger.info("line {} {}", i, std::string(100, 'x'));

    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
    auto const before = read_now(ends[0]);
    EXPECT_TRUE(before.starts_with("line 0 xxx"));
    EXPECT_TRUE(before.ends_with("x\n")) << "a line was torn";
    logger.info("again");
    auto const after = read_now(ends[0]);
    EXPECT_NE(after.find(" log lines were dropped: nobody took them\nagain\n"), std::string::npos) << after;
}

TEST(DescriptorSink, NeverWaitsForAPipeThatNobodyReads) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);

    log_into_what_nobody_reads(ends);

    EXPECT_EQ(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0) << "the descriptor that others share was changed";
    close(ends[0]);
    close(ends[1]);
}

TEST(DescriptorSink, NeverWaitsForASocketThatNobodyReads) {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);

    log_into_what_nobody_reads(ends);

    close(ends[0]);
    close(ends[1]);
}

TEST(DescriptorSink, KeepsAStrangersTextOnOneLine) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    auto const sink = std::make_shared<DescriptorSink>(ends[1]);
    sink->set_pattern("%l %v");
    spdlog::logger logger("test", sink);

    logger.warn("name={}", "a\n2026-01-01 error all is lost\x1b[2J\xFF");
    logger.warn("{}", std::string(100'000, 'y'));

    auto const text = read_now(ends[0]);
    EXPECT_TRUE(text.starts_with("warning name=a\\x0a2026-01-01 error all is lost\\x1b[2J\xEF\xBF\xBD\nwarning yyy"))
        << text.substr(0, 100);
    EXPECT_LE(text.size(), 4096u + 100u);
    EXPECT_TRUE(text.ends_with(" ...\n"));
    close(ends[0]);
    close(ends[1]);
}

class FileLog : public testing::Test {
protected:
    FileLog() { EXPECT_NE(mkdtemp(directory.data()), nullptr); }
    ~FileLog() override { std::filesystem::remove_all(directory); }

    std::string content(std::string const& name) const {
        std::ifstream file(directory + "/" + name);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }

    std::string directory = std::filesystem::temp_directory_path().string() + "/rqfs-log-XXXXXX";
};

TEST_F(FileLog, GoesOnInANewFileAfterARotation) {
    Config config;
    config.log_file = directory + "/rqfs.log";
    set_up_logging(config, true);
    auto const logger = spdlog::get("torrent");

    logger->info("first");
    std::filesystem::rename(config.log_file, directory + "/rqfs.log.1");
    logger->info("second");
    reopen_log_file();
    logger->info("third");

    EXPECT_NE(content("rqfs.log.1").find("first\n"), std::string::npos);
    EXPECT_NE(content("rqfs.log.1").find("second\n"), std::string::npos);
    EXPECT_NE(content("rqfs.log").find("info  torrent third\n"), std::string::npos) << content("rqfs.log");
}

TEST_F(FileLog, HasALevelForEachLogger) {
    Config config;
    config.log_file = directory + "/rqfs.log";
    config.log_level = "warn";
    config.log_levels["fs"] = "debug";
    set_up_logging(config, false);

    spdlog::get("fs")->debug("seen");
    spdlog::get("cache")->info("unseen");
    set_log_level("cache", "trace");
    spdlog::get("cache")->trace("seen later");
    set_log_level("all", "off");
    spdlog::get("rqfs")->error("unseen error");

    auto const text = content("rqfs.log");
    EXPECT_NE(text.find("fs      seen\n"), std::string::npos) << text;
    EXPECT_NE(text.find("cache   seen later\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("unseen"), std::string::npos) << text;
}

TEST_F(FileLog, SaysWhyAFileCannotBeWritten) {
    Config config;
    config.log_file = directory + "/missing/rqfs.log";

    try {
        set_up_logging(config, true);
        FAIL();
    } catch (boost::system::system_error const& error) {
        EXPECT_EQ(rqfs::torrent::sentence(error),
                  "the log file " + config.log_file + " cannot be written: No such file or directory");
    }
}

TEST(Logging, RefusesUnknownLoggersAndLevels) {
    EXPECT_THROW(set_log_level("net", "info"), boost::system::system_error);
    EXPECT_THROW(set_log_level("fs", "loud"), boost::system::system_error);
    EXPECT_THROW(set_log_level("fs", ""), boost::system::system_error);
}

}  // namespace
