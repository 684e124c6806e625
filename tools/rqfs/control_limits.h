#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rqfs::tools::limit {

// What a client of the control socket may make grow; it is the user, so these only catch mistakes.
inline constexpr std::size_t kControlConnections = 64;
inline constexpr std::uint32_t kControlHeaderBytes = 16u << 10;
inline constexpr std::uint64_t kControlBodyBytes = 1u << 20;
inline constexpr std::uint64_t kControlUploadBytes = 64u << 20;  // the largest torrent file that is understood
inline constexpr std::chrono::seconds kControlHeaderTime{
    5};  // from the connection, or the reply before, to the end of the header
inline constexpr std::chrono::seconds kControlBodyTime{30};
inline constexpr std::chrono::seconds kControlWriteTime{30};

}  // namespace rqfs::tools::limit
