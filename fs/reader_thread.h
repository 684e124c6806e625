#pragma once

#include <sys/types.h>

#include <vector>

namespace rqfs::fs {

// Those of `threads` that have ended, waited for by their parents or not. Blocks a little: for a worker. Ids of 0
// (threads of another PID namespace) count as alive.
std::vector<pid_t> gone_threads(std::vector<pid_t> threads);

}  // namespace rqfs::fs
