#pragma once

#include <spdlog/spdlog.h>

namespace rqfs::tools {

// The "rqfs" logger of the daemon itself, made on first use without a sink if set_up_logging() has not run.
spdlog::logger& log();

}  // namespace rqfs::tools
