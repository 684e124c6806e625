#include "tools/rqfs/daemonize.h"

#include "tools/control/text.h"
#include "tools/rqfs/service_manager.h"

#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>

namespace rqfs::tools {

namespace {

// What goes through the pipe: the exit status as one byte, then the sentence.
constexpr std::size_t kMessageBytes = 4096;  // PIPE_BUF: written in one piece

void print_failure(std::string const& sentence) {
    auto const line = "rqfs: " + printable(sentence) + "\n";
    std::fputs(line.c_str(), stderr);
}

std::string read_message(int pipe) {
    std::string message;
    std::array<char, kMessageBytes> buffer{};
    ssize_t size = 0;
    do {
        size = read(pipe, buffer.data(), buffer.size());
        if (size > 0) message.append(buffer.data(), static_cast<std::size_t>(size));
    } while (size > 0 || (size < 0 && errno == EINTR));
    return message;
}

int wait_for_child(int pipe, pid_t child) {
    auto const message = read_message(pipe);
    close(pipe);
    if (!message.empty()) {
        int const exit_status = static_cast<unsigned char>(message.front());
        if (exit_status != 0) print_failure(message.substr(1));
        return exit_status;
    }
    int status = 0;
    waitpid(child, &status, 0);
    print_failure(WIFSIGNALED(status) ? "the daemon was ended by signal " + std::to_string(WTERMSIG(status))
                                      : "the daemon ended before it was ready");
    return 1;
}

[[noreturn]] void throw_errno(char const* what) {
    throw boost::system::system_error(errno, boost::system::system_category(), what);
}

void lead_nowhere() {
    int const nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0) return;
    for (int const standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, standard);
    if (nowhere > STDERR_FILENO) close(nowhere);
}

}  // namespace

Readiness::~Readiness() {
    if (pipe_ >= 0) close(pipe_);
}

bool Readiness::ready() {
    notify_service_manager("READY=1");
    if (pipe_ < 0) return true;
    lead_nowhere();
    bool const told = write(pipe_, "\0", 1) == 1;
    close(pipe_);
    pipe_ = -1;
    return told;
}

void Readiness::failed(int exit_status, std::string const& sentence) {
    if (pipe_ < 0) return print_failure(sentence);
    auto const message = static_cast<char>(exit_status) + sentence.substr(0, kMessageBytes - 1);
    // A parent that was killed does not want to know.
    [[maybe_unused]] auto const written = write(pipe_, message.data(), message.size());
    close(pipe_);
    pipe_ = -1;
}

Background go_to_background() {
    std::array<int, 2> pipe{};
    if (pipe2(pipe.data(), O_CLOEXEC) != 0) throw_errno("no pipe to the background process");
    pid_t const child = fork();
    if (child < 0) throw_errno("no background process");
    if (child > 0) {
        close(pipe[1]);
        return {wait_for_child(pipe[0], child), Readiness()};
    }
    close(pipe[0]);
    setsid();
    if (chdir("/") != 0) throw_errno("no root directory");
    return {std::nullopt, Readiness(pipe[1])};
}

}  // namespace rqfs::tools
