#pragma once

#include <stdexcept>
#include <string>

namespace rqfs::tools {

// Exit statuses of rqfsctl.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNoDaemon = 3;

// Why rqfsctl ends: one plain sentence and the exit status that goes with it.
class Failure : public std::runtime_error {
public:
    explicit Failure(std::string const& sentence, int exit_status = kExitFailed)
        : std::runtime_error(sentence), exit_status_(exit_status) {}

    int exit_status() const { return exit_status_; }

private:
    int exit_status_;
};

}  // namespace rqfs::tools
