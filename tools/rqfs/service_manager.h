#pragma once

#include <string_view>

namespace rqfs::tools {

// Tells whoever started us (sd_notify(3), Type=notify) "READY=1" and the like; nothing when nobody listens. Never
// waits.
void notify_service_manager(std::string_view state);

}  // namespace rqfs::tools
