// The session's port in the routers before it, one for each address family: when it is asked for, and who is told.
#include "torrent/link_scope.h"
#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/default_router.h"
#include "torrent/net/default_router_v6.h"
#include "torrent/net/interface_addresses.h"
#include "torrent/net/nat_pmp_mapper.h"
#include "torrent/net/pinhole_mapper.h"
#include "torrent/net/upnp_mapper.h"
#include "torrent/session_state.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace {

bool loopback(Address const& address) {
    return address.is_v6() ? address == Address::parse("::1").value() : address.bytes()[0] == 127;
}

// What a router of this family could lead others to: all addresses rather than one.
std::optional<Address> reachable(std::vector<Endpoint> const& listening, bool v6) {
    std::optional<Address> found;
    for (auto const& [address, port] : listening) {
        if (address.is_v6() != v6 || loopback(address) || is_link_local_v6(address)) continue;
        if (!found || is_unspecified(address)) found = address;
    }
    return found;
}

}  // namespace

std::string Session::State::why_no_port_is_mapped(bool v6) const {
    if (!settings.port_mapping.value_or(true)) return "network.port_mapping is false";
    if (!settings.port_mapping && settings.test_network)
        return "in a test network it is done only where network.port_mapping says so";
    if (settings.anonymous) return "network.anonymous leaves routers alone";
    if (proxied) return "everything goes through the proxy, and nobody can connect to us";
    if (system_network == nullptr) return "this network has no router";
    if (reachable(listener.local(), v6) && InterfaceBinding(settings.interface).allows(v6)) return {};
    return std::string("no ") + (v6 ? "IPv6" : "IPv4") + " address that a router could reach is listened on";
}

void Session::State::open_port_mapping(bool v6) {
    if (!why_no_port_is_mapped(v6).empty()) return;
    InterfaceBinding const binding(settings.interface);
    PortMapping::Mappers mappers;
    std::unique_ptr<RouterFinder> finder;
    if (v6) {
        mappers.push_back(std::make_unique<PinholeMapper>(parts.executor, parts.clock, resolver, binding));
        finder = std::make_unique<DefaultRouterFinderV6>(parts.workers, binding, *reachable(listener.local(), true));
    } else {
        mappers.push_back(std::make_unique<NatPmpMapper>(parts.executor, parts.clock, binding));
        mappers.push_back(std::make_unique<UpnpMapper>(parts.executor, parts.clock, http, binding));
        finder = std::make_unique<DefaultRouterFinder>(parts.workers, binding);
    }
    port_mappings[v6] = std::make_unique<PortMapping>(parts.executor, parts.clock, std::move(finder),
                                                      std::move(mappers), listening_ports[v6], *this);
}

// In IPv4: an IPv6 router lets others through to the port itself.
void Session::State::announced_port_is(std::uint16_t port) {
    announced_ports[false] = port;
    for (auto const& [info_hash, torrent] : torrents) torrent->set_external(external.v4(), true);
}

// Its word has a tracker's weight: it is in the user's own network, but anybody there may speak for it.
void Session::State::router_says_we_are(Address address) {
    if (!may_be_our_own(address, settings.test_network)) return;
    if (external.router_says(address, parts.clock.now())) external_address_changed(address);
}

PortMappingStatus Session::State::port_mapping_status(bool v6) const {
    if (port_mappings[v6]) return port_mappings[v6]->status();
    PortMappingStatus status;
    status.message = why_no_port_is_mapped(v6);
    return status;
}

}  // namespace rqfs::torrent
