// The session's port in the router before it: when one is asked for, and who is told.
#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/default_router.h"
#include "torrent/net/nat_pmp_mapper.h"
#include "torrent/net/upnp_mapper.h"
#include "torrent/session_state.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace rqfs::torrent {

namespace {

bool loopback(Address const& address) { return address.bytes()[0] == 127; }

}  // namespace

std::string Session::State::why_no_port_is_mapped() const {
    if (!settings.port_mapping.value_or(true)) return "network.port_mapping is false";
    if (!settings.port_mapping && settings.test_network)
        return "in a test network it is done only where network.port_mapping says so";
    if (settings.anonymous) return "network.anonymous leaves routers alone";
    if (proxied) return "everything goes through the proxy, and nobody can connect to us";
    if (system_network == nullptr) return "this network has no router";
    auto const local = listener.local();
    bool const reachable = std::any_of(local.begin(), local.end(),
                                       [](Endpoint const& at) { return !at.address.is_v6() && !loopback(at.address); });
    return reachable ? std::string() : "no IPv4 address that a router could reach is listened on";
}

void Session::State::open_port_mapping() {
    if (!why_no_port_is_mapped().empty()) return;
    InterfaceBinding const binding(settings.interface);
    PortMapping::Mappers mappers;
    mappers.push_back(std::make_unique<NatPmpMapper>(parts.executor, parts.clock, binding));
    mappers.push_back(std::make_unique<UpnpMapper>(parts.executor, parts.clock, http, binding));
    auto finder = std::make_unique<DefaultRouterFinder>(parts.workers, binding);
    port_mapping = std::make_unique<PortMapping>(parts.executor, parts.clock, std::move(finder), std::move(mappers),
                                                 listening_ports[false], *this);
}

void Session::State::announced_port_is(std::uint16_t port) {
    announced_ports[false] = port;
    for (auto const& [info_hash, torrent] : torrents) torrent->set_external(external.v4(), true);
}

// Its word has a tracker's weight: it is in the user's own network, but anybody there may speak for it.
void Session::State::router_says_we_are(Address address) { tracker_says_we_are(address, "the router"); }

PortMappingStatus Session::State::port_mapping_status() const {
    if (port_mapping) return port_mapping->status();
    PortMappingStatus status;
    status.message = why_no_port_is_mapped();
    return status;
}

}  // namespace rqfs::torrent
