#pragma once

#include "cache/settings.h"
#include "fs/settings.h"
#include "torrent/error.h"
#include "torrent/settings.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tools {

// Everything a user may set in rqfs.yaml (rqfs.yaml.5), with the defaults of the folders it belongs to.
struct Config {
    torrent::Settings torrent;
    cache::CacheSettings cache;
    fs::Settings fs;
    std::string store;                              // absolute; empty: the default
    std::string socket;                             // absolute; empty: the default
    std::string log_level = "info";                 // of every logger that log_levels does not name
    std::map<std::string, std::string> log_levels;  // by logger: torrent, cache, fs, rqfs
    std::string log_file;                           // absolute; empty: stderr or the system's log
};

// The text of a configuration file; `name` begins every error: "NAME:LINE: KEY: what was expected". Pure.
torrent::Result<Config> parse_config(std::string_view text, std::string const& name);

// A file that is missing is {} when it `may_be_missing`. Blocks.
torrent::Result<Config> load_config(std::string const& file, bool may_be_missing);

// Every key there is, as "limits.up".
std::vector<std::string> known_config_keys();

// The keys whose values differ and take effect only at the next start.
std::vector<std::string> keys_for_next_start(Config const& now, Config const& next);

}  // namespace rqfs::tools
