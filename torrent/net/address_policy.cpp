#include "torrent/net/address_policy.h"

#include "torrent/link_scope.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rqfs::torrent {

namespace {

enum class Scope { nowhere, loopback, link, local, global };

struct Network4 {
    std::array<std::uint8_t, 4> prefix;
    unsigned bits;
    Scope scope;
};

// IANA's registry of special-purpose IPv4 addresses.
constexpr std::array kNetworks4{
    Network4{{0, 0, 0, 0}, 8, Scope::nowhere},    Network4{{10, 0, 0, 0}, 8, Scope::local},
    Network4{{100, 64, 0, 0}, 10, Scope::local},  Network4{{127, 0, 0, 0}, 8, Scope::loopback},
    Network4{{169, 254, 0, 0}, 16, Scope::link},  Network4{{172, 16, 0, 0}, 12, Scope::local},
    Network4{{192, 0, 0, 0}, 24, Scope::local},   Network4{{192, 0, 2, 0}, 24, Scope::local},
    Network4{{192, 88, 99, 0}, 24, Scope::local}, Network4{{192, 168, 0, 0}, 16, Scope::local},
    Network4{{198, 18, 0, 0}, 15, Scope::local},  Network4{{198, 51, 100, 0}, 24, Scope::local},
    Network4{{203, 0, 113, 0}, 24, Scope::local}, Network4{{255, 255, 255, 255}, 32, Scope::nowhere},
    Network4{{224, 0, 0, 0}, 4, Scope::nowhere},  Network4{{240, 0, 0, 0}, 4, Scope::local},
};

struct Network6 {
    std::array<std::uint8_t, 12> prefix;
    unsigned bits;
    Scope scope;
};

// IANA's registry of special-purpose IPv6 addresses; those that wrap an IPv4 address are looked at apart.
constexpr std::array kNetworks6{
    Network6{{0x20, 0x01, 0x00}, 23, Scope::local},  // protocols' own, Teredo among them, which wraps IPv4 too
    Network6{{0x3f, 0xff}, 20, Scope::local},        // documentation
    Network6{{0xfe, 0x80}, 10, Scope::link},
    Network6{{0xfe, 0xc0}, 10, Scope::local},
    Network6{{0xfc}, 7, Scope::local},
    Network6{{0xff}, 8, Scope::nowhere},
    Network6{{0x20, 0x01, 0x0d, 0xb8}, 32, Scope::local},
    Network6{{0x01, 0x00}, 64, Scope::nowhere},
};

// Services on ports from 1024 up that answer without asking who it is, or whose owners would be alarmed.
constexpr std::array<std::uint16_t, 26> kServicePorts{1433, 1521, 1723, 1900, 2049, 2181, 2375,  2376, 2379,
                                                      3128, 3306, 3389, 5060, 5061, 5351, 5353,  5432, 5900,
                                                      5984, 6000, 6379, 6443, 9100, 9200, 11211, 27017};

bool matches(std::span<std::uint8_t const> bytes, std::span<std::uint8_t const> prefix, unsigned bits) {
    for (std::size_t i = 0; bits > 0; ++i) {
        auto const here = std::min(bits, 8u);
        auto const mask = static_cast<std::uint8_t>(0xff00u >> here);
        if ((bytes[i] & mask) != (prefix[i] & mask)) return false;
        bits -= here;
    }
    return true;
}

Scope scope_of_v4(std::span<std::uint8_t const> bytes) {
    for (auto const& network : kNetworks4)
        if (matches(bytes, network.prefix, network.bits)) return network.scope;
    return Scope::global;
}

Scope scope_of(Address const& address) {
    auto const bytes = address.bytes();
    if (!address.is_v6()) return scope_of_v4(bytes);
    if (std::all_of(bytes.begin(), bytes.begin() + 12, [](auto b) { return b == 0; })) {
        if (bytes[12] != 0 || bytes[13] != 0 || bytes[14] != 0)
            return scope_of_v4(bytes.subspan(12));  // IPv4-compatible, RFC 4291
        return bytes[15] == 1 ? Scope::loopback : Scope::nowhere;
    }
    constexpr std::array<std::uint8_t, 12> nat64{0x00, 0x64, 0xff, 0x9b};  // RFC 6052
    if (matches(bytes, nat64, 96)) return scope_of_v4(bytes.subspan(12));
    constexpr std::array<std::uint8_t, 2> six_to_four{0x20, 0x02};  // RFC 3056
    if (matches(bytes, six_to_four, 16)) return scope_of_v4(bytes.subspan(2, 4));
    for (auto const& network : kNetworks6)
        if (matches(bytes, network.prefix, network.bits)) return network.scope;
    bool const unicast = bytes[0] >> 5 == 1;  // RFC 4291: 2000::/3 is all there is of the internet
    return unicast ? Scope::global : Scope::local;
}

bool is_service_port(std::uint16_t port) {
    return port < 1024 || std::find(kServicePorts.begin(), kServicePorts.end(), port) != kServicePorts.end();
}

}  // namespace

bool may_dial(Endpoint const& endpoint, AddressSource source, bool test_network, bool behind_proxy) {
    auto const scope = scope_of(endpoint.address);
    if (endpoint.port == 0 || scope == Scope::nowhere) return false;
    if (test_network || source == AddressSource::user) return true;
    if (behind_proxy && scope != Scope::global) return false;
    switch (source) {
        case AddressSource::user: return true;
        case AddressSource::incoming:  // the address has proved itself by connecting, the port is its word
            return scope != Scope::link && !is_service_port(endpoint.port);
        case AddressSource::lsd:
            // A link-local one on the link on which it spoke.
            if (link_scope(endpoint.address) != 0) return !is_service_port(endpoint.port);
            [[fallthrough]];
        case AddressSource::magnet:
        case AddressSource::resume:
            return (scope == Scope::local || scope == Scope::global) && !is_service_port(endpoint.port);
        case AddressSource::tracker:
        case AddressSource::pex:
        case AddressSource::dht: return scope == Scope::global && !is_service_port(endpoint.port);
    }
    return false;
}

bool is_local(Address const& address) {
    auto const scope = scope_of(address);
    return scope == Scope::local || scope == Scope::link || scope == Scope::loopback;
}

bool is_loopback(Address const& address) { return scope_of(address) == Scope::loopback; }

bool is_link_local_or_loopback(Address const& address) {
    auto const scope = scope_of(address);
    return scope == Scope::link || scope == Scope::loopback;
}

bool may_be_our_own(Address const& address, bool test_network) {
    auto const scope = scope_of(address);
    return scope == Scope::global || (test_network && scope != Scope::nowhere);
}

bool may_fetch_from(Address const& address, bool test_network) { return may_be_our_own(address, test_network); }

std::optional<Address> relay_address(Address const& said, Address const& proxy) {
    bool const unspecified = std::all_of(said.bytes().begin(), said.bytes().end(), [](auto b) { return b == 0; });
    if (unspecified) return proxy;
    auto const there = scope_of(said);
    auto const here = scope_of(proxy);
    switch (there) {
        case Scope::nowhere: return std::nullopt;
        case Scope::link:
        case Scope::loopback: return there == here ? said : proxy;
        case Scope::local: return here == Scope::global ? proxy : said;
        case Scope::global: return said;
    }
    return std::nullopt;
}

}  // namespace rqfs::torrent
