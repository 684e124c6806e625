#include "torrent/net/interface_binding.h"

#include "torrent/link_scope.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/interface_addresses.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/udp.hpp>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace rqfs::torrent {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

error_code last_error() { return {errno, boost::system::system_category()}; }

}  // namespace

bool InterfaceBinding::Attachment::has(bool v6) const {
    return std::any_of(addresses.begin(), addresses.end(), [&](Address const& each) { return each.is_v6() == v6; });
}

bool InterfaceBinding::Attachment::has(Address const& address) const {
    return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

bool InterfaceBinding::Attachment::serves(Address const& listening) const {
    return is_unspecified(listening) ? has(listening.is_v6()) : has(listening);
}

InterfaceBinding::InterfaceBinding(std::string_view setting) : setting_(setting) {
    if (auto const address = Address::parse(setting)) address_ = *address;
}

InterfaceBinding::Attachment InterfaceBinding::now() const {
    Attachment found;
    for (auto const& each : interface_addresses()) {
        bool const ours =
            address_ ? without_link_scope(each.address) == without_link_scope(*address_) : each.device == setting_;
        if (!ours || (each.flags & IFF_UP) == 0) continue;
        found.index = each.index;
        found.device = each.device;
        found.loopback = (each.flags & IFF_LOOPBACK) != 0;
        if (!is_link_local_v6(each.address)) found.addresses.push_back(each.address);
        if (address_) break;
    }
    std::sort(found.addresses.begin(), found.addresses.end());
    return found;
}

error_code InterfaceBinding::tie(int descriptor, bool v6) const {
    if (none()) return {};
    auto const attachment = now();
    if (attachment.index == 0) return asio::error::network_down;
    // Otherwise the kernel would speak there from an address of another interface.
    if (!attachment.has(v6)) return asio::error::network_unreachable;
    // Servers have addresses on loopback that are routed elsewhere: their source is all that can be asked for.
    if (address_ && attachment.loopback) return {};
    auto const& device = attachment.device;
    if (::setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), static_cast<socklen_t>(device.size())) ==
        0)
        return {};
    return errno == ENODEV ? error_code(asio::error::network_down) : last_error();
}

error_code InterfaceBinding::tie_outgoing(int descriptor, bool v6) const {
    if (auto const code = tie(descriptor, v6)) return code;
    if (!address_) return {};
    // The port is chosen when it connects: more connections than ports are possible.
    int const later = 1;
    if (::setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later) != 0) return last_error();
    asio::ip::udp::endpoint const source(to_asio(*address_), 0);
    return ::bind(descriptor, source.data(), static_cast<socklen_t>(source.size())) == 0 ? error_code() : last_error();
}

}  // namespace rqfs::torrent
