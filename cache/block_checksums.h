#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rqfs::cache {

// CRC32C (Castagnoli, RFC 3720 appendix B.4) of what lies on disk, taken while the bytes are known to be right. Any thread.

enum class Crc32c { portable, sse42 };

bool supported(Crc32c implementation);
Crc32c fastest_crc32c();

std::uint32_t crc32c(std::span<std::byte const> bytes, Crc32c implementation = fastest_crc32c());

// One checksum for each 16 KiB block; the last block may be shorter. Three blocks are computed side by side, since the
// processor's instruction takes three cycles and can begin one in every cycle.
std::vector<std::uint32_t> block_checksums(std::span<std::byte const> bytes, Crc32c implementation = fastest_crc32c());

}  // namespace rqfs::cache
