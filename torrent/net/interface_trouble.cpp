#include "torrent/net/interface_trouble.h"

#include "torrent/net/interface_binding.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <memory>
#include <optional>

namespace rqfs::torrent {

namespace {

// IFF_*; nothing where there is no such device.
std::optional<unsigned> flags_of(std::string const& device) {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return std::nullopt;
    std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> const owner(first, &::freeifaddrs);
    for (auto const* each = first; each != nullptr; each = each->ifa_next)
        if (device == each->ifa_name) return each->ifa_flags;
    return std::nullopt;
}

}  // namespace

InterfaceTrouble interface_trouble(InterfaceBinding const& binding) {
    auto const attachment = binding.now();
    if (attachment.index != 0 && !attachment.addresses.empty()) return InterfaceTrouble::none;
    if (binding.address()) return InterfaceTrouble::missing;
    auto const flags = flags_of(binding.text());
    if (!flags) return InterfaceTrouble::missing;
    return (*flags & IFF_UP) == 0 ? InterfaceTrouble::down : InterfaceTrouble::without_address;
}

std::string interface_trouble_text(InterfaceBinding const& binding, InterfaceTrouble trouble) {
    auto const& name = binding.text();
    if (trouble == InterfaceTrouble::none)
        return "the interface " + name + " has just come back and is about to be used";
    if (trouble == InterfaceTrouble::down)
        return "nothing is sent, because the interface " + name +
               " is down: connect the VPN, or bring it up (ip link set " + name + " up)";
    if (trouble == InterfaceTrouble::without_address)
        return "nothing is sent, because the interface " + name +
               " has no address: connect the VPN again, or give it one";
    if (binding.address())
        return "nothing is sent, because no interface that is up has the address " + name +
               ": connect the VPN, or name its interface in network.interface if it gives another address now";
    return "nothing is sent, because there is no interface " + name + ": connect the VPN, or correct network.interface";
}

}  // namespace rqfs::torrent
