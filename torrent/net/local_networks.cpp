#include "torrent/net/local_networks.h"

#include "torrent/net/address_policy.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

namespace rqfs::torrent {

namespace {

std::optional<Address> address_of(sockaddr const* from) {
    if (from == nullptr) return std::nullopt;
    if (from->sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, from, sizeof in);
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
        return Address::v4(bytes);
    }
    if (from->sa_family != AF_INET6) return std::nullopt;
    sockaddr_in6 in{};
    std::memcpy(&in, from, sizeof in);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return Address::v6(bytes);
}

unsigned bits_of(Address const& mask) {
    unsigned bits = 0;
    for (auto const byte : mask.bytes()) bits += static_cast<unsigned>(std::popcount(byte));
    return bits;
}

bool unspecified(Address const& address) {
    return std::all_of(address.bytes().begin(), address.bytes().end(), [](auto byte) { return byte == 0; });
}

bool listened_at(Address const& address, std::span<Endpoint const> listening) {
    return std::any_of(listening.begin(), listening.end(), [&](Endpoint const& at) {
        return at.address.is_v6() == address.is_v6() && (at.address == address || unspecified(at.address));
    });
}

bool link_local(Address const& address) {
    return address.is_v6() && address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0x80;
}

}  // namespace

bool LocalNetwork::contains(Address const& other) const {
    if (other.is_v6() != address.is_v6()) return false;
    auto const ours = address.bytes();
    auto const theirs = other.bytes();
    auto bits = prefix_bits;
    for (std::size_t i = 0; bits > 0 && i < ours.size(); ++i) {
        auto const here = std::min(bits, 8u);
        auto const mask = static_cast<std::uint8_t>(0xff00u >> here);
        if (((ours[i] ^ theirs[i]) & mask) != 0) return false;
        bits -= here;
    }
    return prefix_bits > 0;
}

std::vector<LocalNetwork> local_networks(std::span<Endpoint const> listening) {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) return {};
    std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> const owner(first, &freeifaddrs);
    std::vector<LocalNetwork> all;
    for (auto const* each = first; each != nullptr; each = each->ifa_next) {
        constexpr unsigned needed = IFF_UP | IFF_MULTICAST;
        if ((each->ifa_flags & needed) != needed || (each->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) != 0) continue;
        auto const address = address_of(each->ifa_addr);
        auto const mask = address_of(each->ifa_netmask);
        if (!address || !mask || !listened_at(*address, listening)) continue;
        if (auto const index = if_nametoindex(each->ifa_name); index != 0)
            all.push_back({index, *address, bits_of(*mask)});
    }
    std::sort(all.begin(), all.end());
    return all;
}

bool is_neighbour(std::span<LocalNetwork const> networks, Address const& address, unsigned interface) {
    if (!address.is_v6() && !is_local(address)) return false;
    return std::any_of(networks.begin(), networks.end(), [&](LocalNetwork const& network) {
        return (interface == 0 || network.interface == interface) && network.contains(address);
    });
}

std::vector<LocalNetwork> senders(std::span<LocalNetwork const> networks, bool v6) {
    std::vector<LocalNetwork> all;
    for (auto const& network : networks) {
        if (network.address.is_v6() != v6 || (!v6 && !is_local(network.address))) continue;
        auto const same = std::find_if(all.begin(), all.end(),
                                       [&](auto const& other) { return other.interface == network.interface; });
        if (same == all.end())
            all.push_back(network);
        else if (link_local(same->address))
            *same = network;
    }
    return all;
}

}  // namespace rqfs::torrent
