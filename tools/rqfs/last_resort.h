#pragma once

#include <chrono>

namespace rqfs::tools {

// Ends the process with status 1 in `time`, whatever it is doing then: the end of a stop that hangs, be it in a
// coroutine, on a disk that does not answer or in a library. Everything that counts is on disk by its own rules, as
// after a crash.
void end_process_in(std::chrono::milliseconds time);

}  // namespace rqfs::tools
