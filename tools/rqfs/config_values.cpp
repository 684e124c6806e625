#include "tools/rqfs/config_values.h"

#include "tools/control/host_and_port.h"
#include "tools/control/log_level.h"
#include "tools/control/quantity.h"
#include "torrent/endpoint.h"
#include "torrent/net/dns_options.h"
#include "torrent/net/proxy_address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace rqfs::tools {

namespace {

using Problem = std::optional<std::string>;

constexpr std::uint64_t kLeastMemory = 16u << 20;

std::string instead_of(std::string_view expected, std::string const& value) {
    return std::string(expected) + " was expected, not \"" + value + "\"";
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, Number least, Number most, int base = 10) {
    Number value{};
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (code != std::errc() || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
    return value;
}

Problem take_rate(std::string const& value, std::uint64_t& into) {
    auto const rate = parse_rate(value);
    if (!rate) return rate.error().what;
    into = *rate;
    return std::nullopt;
}

Problem take_count(std::string const& value, std::uint32_t& into, std::uint32_t most) {
    auto const count = parse_number<std::uint32_t>(value, 1, most);
    if (!count) return instead_of("a whole number from 1 to " + std::to_string(most), value);
    into = *count;
    return std::nullopt;
}

Problem take_flag(std::string const& value, bool& into) {
    if (value != "true" && value != "false") return instead_of("true or false", value);
    into = value == "true";
    return std::nullopt;
}

Problem take_path(std::string const& value, std::string& into) {
    if (!value.starts_with('/')) return instead_of("an absolute path", value);
    into = value;
    return std::nullopt;
}

Problem take_level(std::string const& value, std::string& into) {
    if (!is_level(value)) return instead_of(kLevels, value);
    into = value;
    return std::nullopt;
}

Problem take_listen(std::string const& value, Config& config) {
    auto const endpoint = torrent::Endpoint::parse(value);
    if (!endpoint) return instead_of("ADDRESS:PORT like 0.0.0.0:6881 or [::]:6881", value);
    config.torrent.listen.push_back(value);
    return std::nullopt;
}

// IFNAMSIZ of Linux, its end among them.
constexpr std::size_t kDeviceName = 15;

Problem take_interface(std::string const& value, Config& config) {
    bool const name = value.size() <= kDeviceName && value != "." && value != ".." &&
                      value.find_first_of("/: \t\n") == std::string::npos;
    if (!name && !torrent::Address::parse(value))
        return instead_of("the name of an interface like tun0 or an address of this machine like 10.8.0.2", value);
    config.torrent.interface = value;
    return std::nullopt;
}

Problem take_dns(std::string const& value, Config& config) {
    auto const server = torrent::parse_name_server(value);
    if (!server || server->port == 0) return instead_of("ADDRESS or ADDRESS:PORT like 10.8.0.1 or [fd00::1]:53", value);
    config.torrent.dns.push_back(value);
    return std::nullopt;
}

Problem take_router(std::string const& value, Config& config) {
    auto const router = parse_host_and_port(value);
    if (!router) return instead_of("HOST:PORT like router.bittorrent.com:6881", value);
    config.torrent.dht_routers.push_back(value);
    return std::nullopt;
}

Problem take_list(std::string const& value, Config& config) {
    std::string file;
    if (auto problem = take_path(value, file)) return problem;
    config.torrent.ip_filter.push_back(std::move(file));
    return std::nullopt;
}

// Nothing of the value is repeated: a password may be in it.
Problem take_proxy(std::string const& value, Config& config) {
    auto const proxy = torrent::ProxyAddress::parse(value);
    if (!value.empty() && !proxy) return proxy.error().what;
    config.torrent.proxy = value;
    return std::nullopt;
}

Problem take_memory(std::string const& value, Config& config) {
    auto const bytes = parse_size(value);
    if (!bytes || *bytes < kLeastMemory) return instead_of("a size of at least 16M like 128M or 2G", value);
    config.cache.memory_bytes = *bytes;
    return std::nullopt;
}

Problem take_timeout(std::string const& value, Config& config) {
    auto const duration = parse_duration(value);
    if (!duration || duration->count() == 0)
        return instead_of("a duration above 0 and up to 24h like 60s, 500ms or 2m", value);
    config.fs.read_timeout = *duration;
    return std::nullopt;
}

Problem take_on_timeout(std::string const& value, Config& config) {
    if (value != "eio" && value != "eagain") return instead_of("eio or eagain", value);
    config.fs.on_timeout = value == "eio" ? fs::OnTimeout::eio : fs::OnTimeout::eagain;
    return std::nullopt;
}

Problem take_fetch(std::string const& value, Config& config) {
    using torrent::FetchPolicy;
    auto& fetch = config.torrent.stream.fetch;
    if (value == "window")
        fetch = FetchPolicy::window;
    else if (value == "file")
        fetch = FetchPolicy::file;
    else if (value == "torrent")
        fetch = FetchPolicy::torrent;
    else
        return instead_of("window, file or torrent", value);
    return std::nullopt;
}

Problem take_program(std::string const& value, std::vector<std::string>& into) {
    if (value.empty() || value.find('/') != std::string::npos)
        return instead_of("a program's name without its directory", value);
    into.push_back(value);
    return std::nullopt;
}

Problem take_budget(std::string const& value, Config& config) {
    auto const bytes = parse_size(value);
    if (!bytes) return instead_of("a size like 32M, or 0 for no limit", value);
    config.torrent.stream.scanner_budget_bytes = *bytes;
    return std::nullopt;
}

template <class Id>
Problem take_id(std::string const& value, std::optional<Id>& into) {
    auto const id = parse_user_id(value);
    if (!id) return instead_of("a number from 0 to 4294967294", value);
    into = *id;
    return std::nullopt;
}

Problem take_umask(std::string const& value, Config& config) {
    auto const umask = parse_umask(value);
    if (!umask) return instead_of("octal digits from 0 to 0777", value);
    config.fs.umask = *umask;
    return std::nullopt;
}

// What is above a torrent's or the machine's reach is a slip of the finger.
constexpr std::uint32_t kMostConnections = 65'535;
constexpr std::uint32_t kMostSlots = 1'000;

constexpr std::array kKeys{
    ConfigKey{"limits.up", false, [](auto const& v, auto& c) { return take_rate(v, c.torrent.up_limit); }},
    ConfigKey{"limits.down", false, [](auto const& v, auto& c) { return take_rate(v, c.torrent.down_limit); }},
    ConfigKey{"limits.lan", false, [](auto const& v, auto& c) { return take_flag(v, c.torrent.limit_lan); }},
    ConfigKey{"limits.connections", false,
              [](auto const& v, auto& c) { return take_count(v, c.torrent.connections, kMostConnections); }},
    ConfigKey{
        "limits.connections_per_torrent", false,
        [](auto const& v, auto& c) { return take_count(v, c.torrent.connections_per_torrent, kMostConnections); }},
    ConfigKey{"limits.upload_slots", false,
              [](auto const& v, auto& c) { return take_count(v, c.torrent.upload_slots, kMostSlots); }},
    ConfigKey{"network.listen", true, take_listen},
    ConfigKey{"network.interface", false, take_interface},
    ConfigKey{"network.dns", true, take_dns},
    ConfigKey{"network.test_network", false,
              [](auto const& v, auto& c) { return take_flag(v, c.torrent.test_network); }},
    ConfigKey{"network.lsd", false, [](auto const& v, auto& c) { return take_flag(v, c.torrent.lsd); }},
    ConfigKey{"network.port_mapping", false,
              [](auto const& v, auto& c) { return take_flag(v, c.torrent.port_mapping.emplace()); }},
    ConfigKey{"network.dht", false, [](auto const& v, auto& c) { return take_flag(v, c.torrent.dht); }},
    ConfigKey{"network.dht_routers", true, take_router},
    ConfigKey{"network.dht_read_only", false,
              [](auto const& v, auto& c) { return take_flag(v, c.torrent.dht_read_only); }},
    ConfigKey{"network.ip_filter", true, take_list},
    ConfigKey{"network.anonymous", false, [](auto const& v, auto& c) { return take_flag(v, c.torrent.anonymous); }},
    ConfigKey{"network.proxy", false, take_proxy},
    ConfigKey{"cache.memory", false, take_memory},
    ConfigKey{"read.timeout", false, take_timeout},
    ConfigKey{"read.on_timeout", false, take_on_timeout},
    ConfigKey{"stream.fetch", false, take_fetch},
    ConfigKey{"stream.copiers", true, [](auto const& v, auto& c) { return take_program(v, c.torrent.stream.copiers); }},
    ConfigKey{"stream.scanners", true,
              [](auto const& v, auto& c) { return take_program(v, c.torrent.stream.scanners); }},
    ConfigKey{"stream.scanner_budget", false, take_budget},
    ConfigKey{"mount.allow_other", false, [](auto const& v, auto& c) { return take_flag(v, c.fs.allow_other); }},
    ConfigKey{"mount.uid", false, [](auto const& v, auto& c) { return take_id(v, c.fs.uid); }},
    ConfigKey{"mount.gid", false, [](auto const& v, auto& c) { return take_id(v, c.fs.gid); }},
    ConfigKey{"mount.umask", false, take_umask},
    ConfigKey{"store", false, [](auto const& v, auto& c) { return take_path(v, c.store); }},
    ConfigKey{"socket", false, [](auto const& v, auto& c) { return take_path(v, c.socket); }},
    ConfigKey{"log.file", false, [](auto const& v, auto& c) { return take_path(v, c.log_file); }},
    ConfigKey{"log.level", false, [](auto const& v, auto& c) { return take_level(v, c.log_level); }},
    ConfigKey{"log.levels.torrent", false,
              [](auto const& v, auto& c) { return take_level(v, c.log_levels["torrent"]); }},
    ConfigKey{"log.levels.cache", false, [](auto const& v, auto& c) { return take_level(v, c.log_levels["cache"]); }},
    ConfigKey{"log.levels.fs", false, [](auto const& v, auto& c) { return take_level(v, c.log_levels["fs"]); }},
    ConfigKey{"log.levels.rqfs", false, [](auto const& v, auto& c) { return take_level(v, c.log_levels["rqfs"]); }},
};

}  // namespace

std::span<ConfigKey const> config_keys() { return kKeys; }

std::optional<unsigned> parse_umask(std::string_view text) { return parse_number<unsigned>(text, 0, 0777, 8); }

// 4294967295 means "nobody in particular" to the kernel.
std::optional<unsigned> parse_user_id(std::string_view text) { return parse_number<unsigned>(text, 0, 4294967294u); }

}  // namespace rqfs::tools
