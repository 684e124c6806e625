#include "tools/control/log_level.h"

#include <algorithm>
#include <array>

namespace rqfs::tools {

bool is_level(std::string_view text) {
    constexpr std::array<std::string_view, 6> names{"trace", "debug", "info", "warn", "error", "off"};
    return std::find(names.begin(), names.end(), text) != names.end();
}

}  // namespace rqfs::tools
