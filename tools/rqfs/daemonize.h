#pragma once

#include <optional>
#include <string>

namespace rqfs::tools {

// Tells whoever waits for the daemon that it is ready, or why it is not: the parent process when we went to the
// background, and the service manager. Told once; when it is destroyed untold, the parent says that the daemon ended
// unexpectedly.
class Readiness {
public:
    Readiness() = default;                         // in the foreground: nobody but the service manager waits
    explicit Readiness(int pipe) : pipe_(pipe) {}  // takes the descriptor
    Readiness(Readiness&& other) noexcept : pipe_(other.pipe_) { other.pipe_ = -1; }
    Readiness& operator=(Readiness&&) = delete;
    ~Readiness();

    // False when the parent was killed meanwhile: then nobody wants the daemon any more. In the background, standard
    // input, output and error lead nowhere from now on.
    bool ready();
    // "rqfs: SENTENCE" on standard error, the parent's in the background, which then ends with `exit_status`.
    void failed(int exit_status, std::string const& sentence);

private:
    int pipe_ = -1;
};

// Splits the process before it has threads: nothing in the parent until the child has told; then the exit status to end
// with. In the child, which is the leader of a session of its own at "/", its Readiness.
struct Background {
    std::optional<int> exit_status;  // parent
    Readiness readiness;             // child
};
Background go_to_background();

}  // namespace rqfs::tools
