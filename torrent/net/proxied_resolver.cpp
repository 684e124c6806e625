#include "torrent/net/proxied_resolver.h"

#include "torrent/limits.h"
#include "torrent/net/placeholder_address.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kNameBytes = 255;  // RFC 1928, 5: its length is one byte

std::string lower_case(std::string name) {
    for (auto& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return name;
}

bool is_name(std::string_view text) {
    // Nothing that could end a line of a request.
    auto const good = [](char c) { return c > ' ' && c < 0x7f && c != ':' && c != '/' && c != '@'; };
    return !text.empty() && text.size() <= kNameBytes && std::all_of(text.begin(), text.end(), good);
}

// RFC 6761, 6.3: everywhere the machine that says it, so the proxy is not asked for its own.
bool is_localhost(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name == "localhost" || name.ends_with(".localhost");
}

}  // namespace

asio::awaitable<std::vector<Address>> ProxiedResolver::resolve(std::string host) {
    auto const literal = Address::parse(host);
    auto const name = lower_case(host);
    if ((literal && is_placeholder(*literal)) || (!literal && !is_name(name)))
        throw boost::system::system_error(asio::error::host_not_found,
                                          "nobody can be at " + host.substr(0, kNameBytes));
    auto const loopback = Address::v4({127, 0, 0, 1});
    auto const address = literal ? *literal : is_localhost(name) ? loopback : placeholder_for(name);
    co_return std::vector<Address>(1, address);
}

std::optional<ProxyTarget> ProxiedResolver::target(Endpoint const& endpoint) {
    if (!is_placeholder(endpoint.address)) return ProxyTarget{{}, endpoint.address, endpoint.port};
    auto const found = names_.find(endpoint.address);
    if (found == names_.end()) return std::nullopt;
    uses_.splice(uses_.begin(), uses_, found->second);
    return ProxyTarget{found->second->first, {}, endpoint.port};
}

Address ProxiedResolver::unused_address() {
    for (;;) {
        last_ = (last_ + 1) & 0xffffff;
        auto const byte = [this](unsigned shift) { return static_cast<std::uint8_t>(last_ >> shift & 0xff); };
        auto const address = Address::v4({0, byte(16), byte(8), byte(0)});
        if (is_placeholder(address) && !names_.contains(address)) return address;
    }
}

Address ProxiedResolver::placeholder_for(std::string const& name) {
    if (auto const known = addresses_.find(name); known != addresses_.end()) {
        uses_.splice(uses_.begin(), uses_, known->second);
        return known->second->second;
    }
    if (uses_.size() >= limit::kProxyNames) {
        addresses_.erase(uses_.back().first);
        names_.erase(uses_.back().second);
        uses_.pop_back();
    }
    uses_.emplace_front(name, unused_address());
    addresses_.emplace(name, uses_.begin());
    names_.emplace(uses_.front().second, uses_.begin());
    return uses_.front().second;
}

}  // namespace rqfs::torrent
