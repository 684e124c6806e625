#pragma once

#include <spdlog/spdlog.h>

#include <memory>

namespace rqfs::torrent {

// The "torrent" logger, made on first use without a sink if the daemon has not registered one. Never null.
spdlog::logger& log();

// The same logger for objects that may get one of their own (a torrent, a peer: `rqfsctl log`).
std::shared_ptr<spdlog::logger> shared_log();

}  // namespace rqfs::torrent
