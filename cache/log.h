#pragma once

#include <spdlog/spdlog.h>

namespace rqfs::cache {

// The "cache" logger, made on first use without a sink if the daemon has not registered one. Any thread.
spdlog::logger& log();

}  // namespace rqfs::cache
