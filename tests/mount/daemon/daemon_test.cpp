#include "tests/support/program.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace rqfs::tests;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kStopMilliseconds = 3'000;  // promised

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

// The real daemon on a real mount of its own.
class Daemon : public testing::Test {
protected:
    Daemon() {
        EXPECT_NE(mkdtemp(directory.data()), nullptr);
        std::filesystem::create_directory(mountpoint());
    }

    void SetUp() override {
        if (access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/fuse";
    }

    ~Daemon() override {
        if (is_mounted()) {
            ctl({"stop"});
            umount2(mountpoint().c_str(), MNT_DETACH);
        }
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::string mountpoint() const { return directory + "/mnt"; }
    std::string socket() const { return directory + "/sock"; }

    // Nobody's own configuration, and no router of the DHT is asked.
    std::string quiet() const { return write("quiet.yaml", "network: {dht: false}\n"); }

    std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
        if (std::find(more.begin(), more.end(), "-c") == more.end()) more.insert(more.end(), {"-c", quiet()});
        more.insert(more.end(),
                    {"--store", directory + "/store", "--socket", socket(), "--listen", "127.0.0.1:0", mountpoint()});
        return more;
    }

    Finished start(std::vector<std::string> more = {}) const {
        return run_program(RQFS_PATH, arguments(std::move(more)));
    }

    Finished ctl(std::vector<std::string> command) const {
        command.insert(command.begin(), {"--socket", socket()});
        return run_program(RQFSCTL_PATH, command);
    }

    bool is_mounted() const {
        std::ifstream table("/proc/self/mountinfo");
        std::ostringstream text;
        text << table.rdbuf();
        return has(text.str(), " " + mountpoint() + " ");
    }

    void wait_until_mounted() const {
        for (int i = 0; i < 2'000 && ctl({"status"}).exit_status != 0; ++i)
            std::this_thread::sleep_for(milliseconds(5));
        EXPECT_TRUE(is_mounted());
    }

    std::string write(std::string const& name, std::string const& content) const {
        auto const path = directory + "/" + name;
        std::ofstream(path) << content;
        return path;
    }

    // Of one file of 1 MiB, which nobody has.
    std::string torrent_file() const {
        return write("film.torrent", "d4:infod6:lengthi1048576e4:name4:film12:piece lengthi262144e6:pieces80:" +
                                         std::string(80, 'h') + "ee");
    }

    std::string directory =
        std::filesystem::canonical(std::filesystem::temp_directory_path()).string() + "/rqfs-daemon-XXXXXX";
};

TEST_F(Daemon, ComesBackWhenTheMountAnswersAndEndsWhenToldTo) {
    auto const started = start();
    EXPECT_EQ(started.exit_status, 0) << started.err;
    EXPECT_TRUE(is_mounted());
    EXPECT_TRUE(has(ctl({"status"}).out, "mounted at  " + mountpoint() + "\n"));
    auto const begin = Clock::now();

    auto const stopped = ctl({"stop"});

    EXPECT_EQ(stopped.exit_status, 0) << stopped.err;
    EXPECT_LT(Clock::now() - begin, milliseconds(kStopMilliseconds));
    EXPECT_FALSE(is_mounted());
    EXPECT_NE(access(socket().c_str(), F_OK), 0);
    EXPECT_EQ(ctl({"list"}).exit_status, 3);
}

TEST_F(Daemon, EndsInOrderAtSigterm) {
    RunningProgram daemon(RQFS_PATH, arguments({"-f"}));
    wait_until_mounted();

    daemon.signal(SIGTERM);

    EXPECT_EQ(daemon.wait(kStopMilliseconds), 0);
    EXPECT_FALSE(is_mounted());
}

TEST_F(Daemon, EndsWhenTheMountIsTakenAway) {
    RunningProgram daemon(RQFS_PATH, arguments({"-f"}));
    wait_until_mounted();

    run_program("/usr/bin/fusermount3", {"-uz", mountpoint()});

    EXPECT_EQ(daemon.wait(kStopMilliseconds), 0);
}

TEST_F(Daemon, ShowsATorrentAsSoonAsItIsAdded) {
    ASSERT_EQ(start().exit_status, 0);

    auto const added = ctl({"add", torrent_file()});

    EXPECT_EQ(added.exit_status, 0) << added.err;
    EXPECT_TRUE(has(added.out, " " + mountpoint() + "/film\n")) << added.out;
    EXPECT_EQ(std::filesystem::file_size(mountpoint() + "/film/film"), 1u << 20);
    EXPECT_EQ(ctl({"path", mountpoint() + "/film/film"}).out, mountpoint() + "/film\n");
    EXPECT_EQ(ctl({"download", "film", mountpoint() + "/film/film"}).exit_status, 0);
    EXPECT_TRUE(has(ctl({"files", "film"}).out, "yes     film\n"));
}

TEST_F(Daemon, EndsInTimeWithAReaderBlocked) {
    RunningProgram daemon(RQFS_PATH, arguments({"-f"}));
    wait_until_mounted();
    ASSERT_EQ(ctl({"add", torrent_file()}).exit_status, 0);
    auto reader = std::async(std::launch::async, [path = mountpoint() + "/film/film"] {
        int const file = open(path.c_str(), O_RDONLY);
        char byte = 0;
        auto const size = read(file, &byte, 1);
        int const code = errno;
        close(file);
        return std::pair(size, code);
    });
    while (!has(ctl({"status", "film"}).out, " 1 read waiting")) std::this_thread::sleep_for(milliseconds(10));

    daemon.signal(SIGTERM);

    EXPECT_EQ(daemon.wait(kStopMilliseconds), 0);
    EXPECT_EQ(reader.get(), std::pair(ssize_t{-1}, EIO));
}

TEST_F(Daemon, MountsAgainWhereItWasKilled) {
    {
        RunningProgram daemon(RQFS_PATH, arguments({"-f"}));
        wait_until_mounted();
        ASSERT_EQ(ctl({"add", torrent_file()}).exit_status, 0);
    }
    EXPECT_TRUE(is_mounted()) << "nothing was left to clean up";

    auto const started = start();

    EXPECT_EQ(started.exit_status, 0) << started.err;
    EXPECT_EQ(std::filesystem::file_size(mountpoint() + "/film/film"), 1u << 20);
}

TEST_F(Daemon, RefusesAStoreThatIsInUse) {
    ASSERT_EQ(start().exit_status, 0);
    std::filesystem::create_directory(directory + "/other");

    auto const second = run_program(RQFS_PATH, {"--store", directory + "/store", "--socket", directory + "/sock2",
                                                "--listen", "127.0.0.1:0", directory + "/other"});

    EXPECT_EQ(second.exit_status, 1);
    EXPECT_EQ(second.err, "rqfs: another rqfs uses the store " + directory + "/store\n");
    EXPECT_EQ(ctl({"list"}).exit_status, 0);
}

TEST_F(Daemon, NamesThePortThatIsInUse) {
    int const taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(::listen(taken, 1), 0);
    ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &length), 0);
    auto const listen = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    auto const begin = Clock::now();

    auto const second = run_program(RQFS_PATH, {"--store", directory + "/store", "--socket", directory + "/sock2",
                                                "--listen", listen, mountpoint()});

    EXPECT_EQ(second.exit_status, 1);
    EXPECT_TRUE(has(second.err, listen)) << second.err;
    EXPECT_LT(Clock::now() - begin, milliseconds(2'000));
    ::close(taken);
}

TEST_F(Daemon, TellsWhyItCannotStartInOneSentence) {
    auto const bad = write("bad.yaml", "limits:\n  up: fast\n");
    std::vector<std::pair<std::vector<std::string>, std::string>> const cases{
        {{"-c", bad, mountpoint()}, "rqfs: " + bad + ":2: limits.up: "},
        {{"-c", "/nowhere.yaml", mountpoint()}, "rqfs: the configuration file /nowhere.yaml cannot be read"},
        {{"--store", directory + "/s", "--listen", "127.0.0.1:0", directory + "/missing"}, directory + "/missing"},
        {{"--store", directory + "/s", "--listen", "127.0.0.1:0", bad}, bad},
        {{"--store", directory + "/s", "--listen", "127.0.0.1:0", directory}, directory},
        {{"--store", "/dev/null/s", "--listen", "127.0.0.1:0", mountpoint()}, "/dev/null/s"}};

    for (auto const& [arguments, says] : cases) {
        auto const started =
            run_program(RQFS_PATH, arguments, {"XDG_CONFIG_HOME=" + directory, "XDG_RUNTIME_DIR=" + directory});

        EXPECT_EQ(started.exit_status, 1) << says;
        EXPECT_TRUE(has(started.err, says)) << started.err;
        EXPECT_EQ(std::count(started.err.begin(), started.err.end(), '\n'), 1) << started.err;
    }
    EXPECT_FALSE(is_mounted());
}

TEST_F(Daemon, LeavesTheStoreAloneWhenTheMountPointIsBad) {
    auto const started =
        run_program(RQFS_PATH, {"--store", directory + "/s", "--listen", "127.0.0.1:0", directory + "/missing"});

    EXPECT_EQ(started.exit_status, 1);
    EXPECT_FALSE(std::filesystem::exists(directory + "/s"));
}

TEST_F(Daemon, ReadsItsConfigurationAgain) {
    auto const config =
        write("rqfs.yaml", "limits: {up: 1M}\nnetwork: {dht: false}\nlog: {file: " + directory + "/log}\n");
    RunningProgram daemon(RQFS_PATH, arguments({"-f", "-c", config}));
    wait_until_mounted();
    EXPECT_EQ(ctl({"limit"}).out, "up 1.0 MiB/s, down unlimited\n");
    auto const log_says = [&](std::string const& text) {
        std::ostringstream log;
        log << std::ifstream(directory + "/log").rdbuf();
        return has(log.str(), text);
    };

    write("rqfs.yaml",
          "limits: {up: 2M}\ncache: {memory: 64M}\nnetwork: {dht: false}\nlog: {file: " + directory + "/log}\n");
    daemon.signal(SIGHUP);
    while (ctl({"limit"}).out != "up 2.0 MiB/s, down unlimited\n") std::this_thread::sleep_for(milliseconds(10));
    write("rqfs.yaml", "limits: {up: never}\n");
    daemon.signal(SIGHUP);
    while (!log_says("the old one stays")) std::this_thread::sleep_for(milliseconds(10));

    EXPECT_TRUE(log_says("a change takes effect at the next start key=cache.memory"));
    EXPECT_TRUE(log_says("rqfs.yaml:1: limits.up: a rate"));
    EXPECT_EQ(ctl({"limit"}).out, "up 2.0 MiB/s, down unlimited\n");
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(kStopMilliseconds), 0);
}

TEST_F(Daemon, SaysInItsStatusWhatIsWrongWithTheConfigurationUntilAGoodOneIsRead) {
    auto const config = write("rqfs.yaml", "network: {dht: false}\n");
    RunningProgram daemon(RQFS_PATH, arguments({"-f", "-c", config}));
    wait_until_mounted();
    auto const status_says = [&](std::string const& text) { return has(ctl({"status"}).out, text); };
    EXPECT_FALSE(status_says("config"));

    write("rqfs.yaml", "limits: {up: never}\n");
    daemon.signal(SIGHUP);
    while (!status_says("  config ")) std::this_thread::sleep_for(milliseconds(10));

    EXPECT_TRUE(status_says(", the settings from before go on: ")) << ctl({"status"}).out;
    EXPECT_TRUE(status_says("rqfs.yaml:1: limits.up: a rate")) << ctl({"status"}).out;
    write("rqfs.yaml", "network: {dht: false}\n");
    daemon.signal(SIGHUP);
    while (status_says("  config ")) std::this_thread::sleep_for(milliseconds(10));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(kStopMilliseconds), 0);
}

TEST_F(Daemon, TellsTheServiceManagerWhenTheMountAnswers) {
    auto const path = directory + "/notify";
    int const notify = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    void* const generic = &address;
    ASSERT_EQ(bind(notify, static_cast<sockaddr*>(generic), sizeof(address)), 0);
    RunningProgram daemon(RQFS_PATH, arguments({"-f"}), -1, {"NOTIFY_SOCKET=" + path});

    std::array<char, 64> buffer{};
    auto const size = recv(notify, buffer.data(), buffer.size(), 0);

    EXPECT_EQ(std::string(buffer.data(), size < 0 ? 0 : static_cast<std::size_t>(size)), "READY=1");
    EXPECT_TRUE(is_mounted());
    close(notify);
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(kStopMilliseconds), 0);
}

TEST_F(Daemon, IsNotHeldUpByALogThatNobodyReads) {
    std::array<int, 2> err{};
    ASSERT_EQ(pipe2(err.data(), O_CLOEXEC), 0);
    fcntl(err[1], F_SETFL, O_NONBLOCK);
    while (::write(err[1], "x", 1) == 1) continue;
    fcntl(err[1], F_SETFL, 0);
    RunningProgram daemon(RQFS_PATH, arguments({"-f", "--log-level", "trace"}), err[1]);
    wait_until_mounted();

    daemon.signal(SIGTERM);

    EXPECT_EQ(daemon.wait(kStopMilliseconds), 0);
    close(err[0]);
    close(err[1]);
}

TEST_F(Daemon, EndsInOrderWheneverItIsTold) {
    unsigned const seed = 27;
    std::mt19937 random(seed);
    for (int i = 0; i < 30; ++i) {
        RunningProgram daemon(RQFS_PATH, arguments({"-f", "--log-level", "off"}));
        // Before its handlers are there a signal ends it by itself, which is as good.
        std::this_thread::sleep_for(milliseconds(random() % 150));
        daemon.signal(i % 2 == 0 ? SIGTERM : SIGINT);
        if (i % 3 == 0) daemon.signal(SIGTERM);

        auto const exit_status = daemon.wait(kStopMilliseconds);

        EXPECT_NE(exit_status, -1) << "round " << i << " seed " << seed;
        EXPECT_TRUE(exit_status == 0 || exit_status == 1 || exit_status == 128 + SIGTERM || exit_status == 128 + SIGINT)
            << exit_status;
        EXPECT_FALSE(is_mounted()) << "round " << i << " seed " << seed;
    }
}

}  // namespace
