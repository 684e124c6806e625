#include "tools/rqfs/daemonize.h"
#include "tools/rqfs/last_resort.h"
#include "tools/rqfs/service_manager.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

namespace {

using namespace rqfs::tools;

struct Outcome {
    int exit_status = -1;
    std::string err;
};

// Runs `daemon` in a process that goes to the background, as rqfs does, and gives what its caller sees.
Outcome start(std::function<void(Readiness&)> const& daemon) {
    std::array<int, 2> err{};
    EXPECT_EQ(pipe(err.data()), 0);
    pid_t const caller = fork();
    if (caller == 0) {
        dup2(err[1], STDERR_FILENO);
        close(err[0]);
        close(err[1]);
        auto background = go_to_background();
        if (background.exit_status) _exit(*background.exit_status);
        daemon(background.readiness);
        _exit(99);
    }
    close(err[1]);
    Outcome outcome;
    std::array<char, 4096> buffer{};
    ssize_t size = 0;
    while ((size = read(err[0], buffer.data(), buffer.size())) > 0)
        outcome.err.append(buffer.data(), static_cast<std::size_t>(size));
    close(err[0]);
    int status = 0;
    waitpid(caller, &status, 0);
    outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
}

TEST(Daemonize, ReturnsToTheCallerWhenTheDaemonIsReady) {
    auto const outcome = start([](Readiness& readiness) {
        usleep(50'000);
        readiness.ready();
        // The caller's pipe must be closed by now: else the test would wait for us.
        usleep(500'000);
    });

    EXPECT_EQ(outcome.exit_status, 0);
    EXPECT_EQ(outcome.err, "");
}

TEST(Daemonize, CarriesTheSentenceAndTheExitStatusOver) {
    auto const outcome = start([](Readiness& readiness) { readiness.failed(7, "the mount point /x\n is not empty"); });

    EXPECT_EQ(outcome.exit_status, 7);
    EXPECT_EQ(outcome.err, "rqfs: the mount point /x\\x0a is not empty\n");
}

TEST(Daemonize, TellsWhenTheDaemonDiesUntold) {
    auto const killed = start([](Readiness&) { raise(SIGKILL); });
    auto const left = start([](Readiness&) { _exit(0); });

    EXPECT_EQ(killed.exit_status, 1);
    EXPECT_EQ(killed.err, "rqfs: the daemon was ended by signal 9\n");
    EXPECT_EQ(left.exit_status, 1);
    EXPECT_EQ(left.err, "rqfs: the daemon ended before it was ready\n");
}

TEST(Daemonize, LeadsASessionOfItsOwnAtTheRoot) {
    auto const outcome = start([](Readiness& readiness) {
        std::array<char, 8> directory{};
        bool const good =
            getsid(0) == getpid() && getcwd(directory.data(), directory.size()) != nullptr && directory[1] == '\0';
        readiness.failed(good ? 42 : 43, "");
    });

    EXPECT_EQ(outcome.exit_status, 42);
}

TEST(ServiceManager, IsToldAtItsSocket) {
    std::string directory = std::filesystem::temp_directory_path().string() + "/rqfs-notify-XXXXXX";
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    auto const path = directory + "/notify";
    int const socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    void* const generic = &address;
    ASSERT_EQ(bind(socket, static_cast<sockaddr*>(generic), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);

    Readiness readiness;
    EXPECT_TRUE(readiness.ready());

    unsetenv("NOTIFY_SOCKET");
    std::array<char, 64> buffer{};
    auto const size = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    close(socket);
    std::filesystem::remove_all(directory);
    EXPECT_EQ(std::string(buffer.data(), size < 0 ? 0 : static_cast<std::size_t>(size)), "READY=1");
}

TEST(ServiceManager, MayBeAbsent) {
    unsetenv("NOTIFY_SOCKET");
    notify_service_manager("READY=1");
    setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
    notify_service_manager("READY=1");
    setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
    notify_service_manager("READY=1");
    unsetenv("NOTIFY_SOCKET");
}

TEST(LastResort, EndsAProcessThatHangs) {
    pid_t const child = fork();
    if (child == 0) {
        end_process_in(std::chrono::milliseconds(50));
        while (true) pause();
    }
    int status = 0;

    waitpid(child, &status, 0);

    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 1);
}

}  // namespace
