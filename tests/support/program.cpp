#include "tests/support/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

extern char** environ;

namespace rqfs::tests {

namespace {

constexpr int kPatienceMilliseconds = 20'000;

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

pid_t spawn(std::string const& program, std::vector<std::string> const& arguments, int out, int err,
            std::vector<std::string> const& more_environment) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (err >= 0) posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    auto variables = more_environment;
    for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
    pid_t child = 0;
    int const failed = posix_spawn(&child, program.c_str(), &actions, nullptr, pointers_to(words).data(),
                                   pointers_to(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot run " + program);
    return child;
}

int exit_status_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

void read_all(int descriptor, std::string& into) {
    std::array<char, 16384> buffer{};
    ssize_t size = 0;
    do {
        pollfd wait{descriptor, POLLIN, 0};
        if (poll(&wait, 1, kPatienceMilliseconds) <= 0)
            throw std::runtime_error("a program says nothing and does not end");
        size = read(descriptor, buffer.data(), buffer.size());
        if (size > 0) into.append(buffer.data(), static_cast<std::size_t>(size));
    } while (size > 0);
}

}  // namespace

Finished run_program(std::string const& program, std::vector<std::string> const& arguments,
                     std::vector<std::string> const& more_environment) {
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    pid_t const child = spawn(program, arguments, out[1], err[1], more_environment);
    close(out[1]);
    close(err[1]);
    Finished finished;
    auto errors = std::async(std::launch::async, [&] { read_all(err[0], finished.err); });
    read_all(out[0], finished.out);
    errors.get();
    int status = 0;
    waitpid(child, &status, 0);
    close(out[0]);
    close(err[0]);
    finished.exit_status = exit_status_of(status);
    return finished;
}

RunningProgram::RunningProgram(std::string const& program, std::vector<std::string> const& arguments, int err,
                               std::vector<std::string> const& more_environment)
    : process_id_(spawn(program, arguments, -1, err, more_environment)) {}

RunningProgram::~RunningProgram() {
    if (reaped_) return;
    kill(process_id_, SIGKILL);
    waitpid(process_id_, nullptr, 0);
}

void RunningProgram::signal(int number) const { kill(process_id_, number); }

int RunningProgram::wait(int milliseconds) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    do {
        int status = 0;
        if (waitpid(process_id_, &status, WNOHANG) == process_id_) {
            reaped_ = true;
            return exit_status_of(status);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (std::chrono::steady_clock::now() < end);
    return -1;
}

}  // namespace rqfs::tests
