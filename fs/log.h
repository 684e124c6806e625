#pragma once

#include <spdlog/spdlog.h>

namespace rqfs::fs {

// The "fs" logger, made on first use without a sink if the daemon has not registered one. Any thread.
spdlog::logger& log();

}  // namespace rqfs::fs
