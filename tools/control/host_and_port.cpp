#include "tools/control/host_and_port.h"

#include <charconv>
#include <system_error>

namespace rqfs::tools {

std::optional<HostAndPort> parse_host_and_port(std::string_view text) {
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    else if (host.find_first_of("[]:") != std::string_view::npos)
        return std::nullopt;
    std::uint16_t port = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, code] = std::from_chars(text.data() + colon + 1, end, port);
    if (host.empty() || code != std::errc() || stop != end || port == 0) return std::nullopt;
    return HostAndPort{std::string(host), port};
}

}  // namespace rqfs::tools
