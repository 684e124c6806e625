#pragma once

#include "tools/control/default_paths.h"
#include "tools/rqfs/config.h"
#include "tools/rqfs/mount_options.h"

#include <optional>
#include <string>
#include <vector>

namespace rqfs::tools {

// What rqfs was started with.
struct CommandLine {
    std::string mountpoint;
    bool foreground = false;
    std::optional<std::string> config;  // nothing: the default file, which may be missing
    MountOptions mount_options;
    std::optional<std::string> store;
    std::optional<std::string> socket;
    std::vector<std::string> listen;
    std::optional<std::string> log_level;
};

struct ParsedCommandLine {
    std::optional<CommandLine> command_line;  // nothing: print `text` and end with `exit_status`
    std::string text;                         // help and version for stdout, one usage sentence for stderr
    int exit_status = 0;
};

ParsedCommandLine parse_command_line(std::vector<std::string> arguments);

// Every option, as "--store" and "-o": what the man page must know.
std::vector<std::string> known_options();

// The configuration with what the command line says instead, and the default store and socket where neither names one.
Config with_command_line(Config config, CommandLine const& command_line, Environment const& environment);

// Relative paths made absolute: the daemon leaves its directory.
void make_paths_absolute(CommandLine& command_line);

}  // namespace rqfs::tools
