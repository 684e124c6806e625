#pragma once

#include "tests/cache/content.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace rqfs::cache {

// What the crash tests store: child and test make the same from nothing. The piece length is no multiple of anything.
inline std::vector<std::unique_ptr<Content>> crash_contents() {
    std::vector<std::unique_ptr<Content>> contents;
    for (std::uint32_t i = 0; i < 4; ++i) contents.push_back(std::make_unique<Content>(900 + i, 60 * 45'001 + 17, 45'001));
    return contents;
}

}  // namespace rqfs::cache
