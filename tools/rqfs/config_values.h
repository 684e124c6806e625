#pragma once

#include "tools/rqfs/config.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::tools {

// One key of rqfs.yaml: how its value is taken.
struct ConfigKey {
    std::string_view name;  // "limits.up"
    bool is_list = false;   // takes several values, and one value alone
    // Takes the value, or says what was expected instead.
    std::optional<std::string> (*take)(std::string const& value, Config& config);
};

std::span<ConfigKey const> config_keys();

// The values that the command line and mount options share with the file; nothing for what is none.
std::optional<unsigned> parse_umask(std::string_view text);  // octal, 0 to 0777
std::optional<unsigned> parse_user_id(std::string_view text);

}  // namespace rqfs::tools
