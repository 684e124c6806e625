#include "torrent/net/local_networks.h"

#include "torrent/link_scope.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/interface_addresses.h"

#include <net/if.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace rqfs::torrent {

namespace {

bool listened_at(Address const& address, std::span<Endpoint const> listening) {
    return std::any_of(listening.begin(), listening.end(), [&](Endpoint const& at) {
        return at.address.is_v6() == address.is_v6() && (at.address == address || is_unspecified(at.address));
    });
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

std::vector<LocalNetwork> local_networks(std::span<Endpoint const> listening, InterfaceBinding const& binding) {
    auto const only = binding.now();
    std::vector<LocalNetwork> all;
    for (auto const& each : interface_addresses()) {
        constexpr unsigned needed = IFF_UP | IFF_MULTICAST;
        if ((each.flags & needed) != needed || (each.flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) != 0) continue;
        if (!binding.none() && (each.index != only.index || !binding.allows(each.address.is_v6()))) continue;
        if (listened_at(each.address, listening)) all.push_back({each.index, each.address, each.prefix_bits});
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
        else if (is_link_local_v6(same->address))
            *same = network;
    }
    return all;
}

}  // namespace rqfs::torrent
