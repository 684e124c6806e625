#include "fs/read_policy.h"

#include <algorithm>

namespace rqfs::fs {

std::optional<torrent::Duration> read_wait(Settings const& settings) {
    if (settings.read_timeout <= std::chrono::milliseconds::zero()) return std::nullopt;
    return settings.read_timeout;
}

torrent::ByteRange readable_range(std::uint64_t file_bytes, std::uint64_t offset, std::uint64_t bytes) {
    std::uint64_t const begin = std::min(offset, file_bytes);
    return {begin, begin + std::min(bytes, file_bytes - begin)};
}

}  // namespace rqfs::fs
