#pragma once

#include "tools/rqfs/command_line.h"
#include "tools/rqfs/config.h"
#include "tools/rqfs/daemonize.h"

#include <string>

namespace rqfs::tools {

// What Daemon is built from.
struct DaemonOptions {
    CommandLine command_line;  // read again with the configuration at SIGHUP
    std::string config_file;
    bool config_may_be_missing = false;
    Config config;  // the file and the command line together; store and socket are set
};

// Builds the parts in order (workers, store, session, mount, control server), runs the engine on the calling thread
// until SIGTERM, SIGINT, `rqfsctl stop` or the end of the mount, and stops them in reverse, all within 3 s. Gives the
// exit status; `readiness` has been told.
int run_daemon(DaemonOptions options, Readiness& readiness);

}  // namespace rqfs::tools
