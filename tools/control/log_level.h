#pragma once

#include <string_view>

namespace rqfs::tools {

// What a user may say for the level of a logger.
inline constexpr std::string_view kLevels = "trace, debug, info, warn, error or off";
bool is_level(std::string_view text);

}  // namespace rqfs::tools
