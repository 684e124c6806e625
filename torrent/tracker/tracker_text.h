#pragma once

#include <string>
#include <string_view>

namespace rqfs::torrent {

// A tracker's text as it may be shown: at most limit::kTrackerTextBytes of it, control characters and bytes that are no
// UTF-8 written as \xNN. Pure.
std::string tracker_text(std::string_view text);

}  // namespace rqfs::torrent
