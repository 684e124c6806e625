#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::tools {

// What rqfsctl was asked to do. Members that the command does not use keep their defaults.
struct Arguments {
    std::string command;  // "add", "list", ...
    std::string socket;   // empty: the default
    bool json = false;
    std::vector<std::string> sources;  // add
    bool paused = false;               // add
    bool download = false;             // add
    bool wait = false;                 // add
    std::vector<std::string>
        torrents;  // every T; one, or several for pause, resume and remove; empty for status of the session
    std::vector<std::string> files;             // download
    std::string path;                           // why
    bool keep_data = false;                     // remove
    bool cancel = false;                        // verify
    std::string endpoint;                       // connect
    std::vector<std::string> add_trackers;      // trackers
    std::vector<std::string> remove_trackers;   // trackers
    std::vector<std::string> replace_trackers;  // trackers
    std::optional<std::uint32_t> tier;          // trackers
    std::string tracker;                        // announce; empty: all
    std::optional<std::uint32_t> timeout;       // announce, connect: seconds
    std::optional<std::string> up;              // limit
    std::optional<std::string> down;            // limit
    std::string log_torrent;                    // log
    std::string log_peer;                       // log
    std::string log_level;                      // log: LOGGER=LEVEL
};

struct ParsedArguments {
    std::optional<Arguments> arguments;  // nothing: print `text` and end with `exit_status`
    std::string text;                    // help and version for stdout, one usage sentence for stderr
    int exit_status = 0;
};

ParsedArguments parse_arguments(std::vector<std::string> arguments);

// Every command and option, as "add", "add --wait", "--socket": what man page and completions must know.
std::vector<std::string> known_commands_and_options();

}  // namespace rqfs::tools
