#include "torrent/net/interface_addresses.h"

#include "torrent/link_scope.h"

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
    return with_link_scope(Address::v6(bytes), in.sin6_scope_id);
}

unsigned bits_of(Address const& mask) {
    unsigned bits = 0;
    for (auto const byte : mask.bytes()) bits += static_cast<unsigned>(std::popcount(byte));
    return bits;
}

}  // namespace

std::vector<InterfaceAddress> interface_addresses() {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) return {};
    std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> const owner(first, &freeifaddrs);
    std::vector<InterfaceAddress> all;
    for (auto const* each = first; each != nullptr; each = each->ifa_next) {
        auto const address = address_of(each->ifa_addr);
        auto const mask = address_of(each->ifa_netmask);
        if (!address || !mask) continue;
        // What is listed here may be the label of an address (eth0:1), which is no device's name.
        auto const index = if_nametoindex(each->ifa_name);
        std::array<char, IF_NAMESIZE> device{};
        if (index != 0 && if_indextoname(index, device.data()) != nullptr)
            all.push_back({index, device.data(), each->ifa_flags, *address, bits_of(*mask)});
    }
    return all;
}

bool is_unspecified(Address const& address) {
    return std::all_of(address.bytes().begin(), address.bytes().end(), [](auto byte) { return byte == 0; });
}

}  // namespace rqfs::torrent
