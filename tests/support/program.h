#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace rqfs::tests {

struct Finished {
    int exit_status = -1;  // 128 + N when ended by signal N
    std::string out;
    std::string err;
};

// Runs a program to its end, at most 20 s without output. Safe where there are threads.
Finished run_program(std::string const& program, std::vector<std::string> const& arguments,
                     std::vector<std::string> const& more_environment = {});

// A program that goes on running; killed and reaped when destroyed.
class RunningProgram {
public:
    // `err` is its standard error; -1: ours.
    RunningProgram(std::string const& program, std::vector<std::string> const& arguments, int err = -1,
                   std::vector<std::string> const& more_environment = {});
    RunningProgram(RunningProgram const&) = delete;
    RunningProgram& operator=(RunningProgram const&) = delete;
    ~RunningProgram();

    pid_t process_id() const { return process_id_; }
    void signal(int number) const;
    // The exit status, or -1 when it still runs after so long.
    int wait(int milliseconds);

private:
    pid_t process_id_ = -1;
    bool reaped_ = false;
};

}  // namespace rqfs::tests
