#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rqfs::tools {

// Where a peer listens, as a user says it; the host is a name or an address, without brackets.
struct HostAndPort {
    std::string host;
    std::uint16_t port = 0;
};

// "seed.example:6881", "10.0.0.1:6881", "[fd99::1]:6881"; nothing for anything else. Port 0 is none.
std::optional<HostAndPort> parse_host_and_port(std::string_view text);

}  // namespace rqfs::tools
