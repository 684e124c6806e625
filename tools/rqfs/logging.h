#pragma once

#include "tools/rqfs/config.h"

#include <functional>
#include <string_view>

namespace rqfs::tools {

// Gives the loggers torrent, cache, fs and rqfs their sink and levels: `log.file` where it is set, else standard error
// in the foreground and the system's log in the background. Called before anything logs. Throws system_error when the
// file cannot be opened.
void set_up_logging(Config const& config, bool foreground);

// After a rotation; nothing without a file.
void reopen_log_file();

void set_log_levels(Config const& config);

// `logger` is one of the four, or "all". Throws Errc::malformed naming what is allowed.
void set_log_level(std::string_view logger, std::string_view level);

}  // namespace rqfs::tools
