#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/net/port_mapper.h"
#include "torrent/net/url.h"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// What is said to a router by UPnP (Internet Gateway Device 1 and 2), and what it answers: untrusted, as whoever is on
// the local network may answer in its place. Pure.

inline constexpr std::size_t kUpnpDatagramBytes = 1'500;      // a path's MTU
inline constexpr std::size_t kUpnpDocumentBytes = 64u << 10;  // routers' descriptions have 2 to 10 KiB

// The group and port of SSDP.
Endpoint upnp_group(bool v6);
// The question who is a router, to be sent to `to`, for each of what such devices call themselves.
std::vector<std::string> upnp_searches(Endpoint const& to);
// Where the device that answered from `from` describes itself. Only an answer from the router, naming itself by its
// address, is good: strangers must not send us anywhere. An IPv6 router has several addresses, of which we know one:
// whichever it names, it is asked at that one.
Result<Url> parse_upnp_search_reply(std::span<std::byte const> datagram, Address const& from, Address const& router);

// Something of a router that maps ports: a WANIPConnection or WANPPPConnection.
struct UpnpService {
    std::string type;
    Url control;
};
// Those of a description that was found at `at`, on the same host and nowhere else; at most two.
std::vector<UpnpService> parse_upnp_description(std::string_view document, Url const& at);

// What opens ports in its IPv6 firewall, a WANIPv6FirewallControl, as far as it is there; found in the same way.
std::optional<UpnpService> parse_upnp_firewall(std::string_view document, Url const& at);

// A call of the service: the body of its POST, and the headers that go with it.
struct UpnpCall {
    std::string headers;
    std::string body;
};
using UpnpArgument = std::pair<std::string_view, std::string>;
// All values are numbers, addresses and words of our own: nothing is escaped.
UpnpCall upnp_call(UpnpService const& service, std::string_view action, std::initializer_list<UpnpArgument> arguments);
UpnpCall upnp_map_call(UpnpService const& service, PortRequest const& request, Address const& own);
UpnpCall upnp_unmap_call(UpnpService const& service, PortRequest const& request);
// Asks what a port that was mapped leads to.
UpnpCall upnp_entry_call(UpnpService const& service, PortRequest const& request);
UpnpCall upnp_address_call(UpnpService const& service);
// Asked for again, a pinhole lasts longer (WANIPv6FirewallControl:1, 2.4.3).
UpnpCall upnp_pinhole_call(UpnpService const& firewall, PortRequest const& request, Address const& own);
UpnpCall upnp_close_pinhole_call(UpnpService const& firewall, int pinhole);
// Asks after a pinhole in the one way that every firewall knows: how much has passed.
UpnpCall upnp_pinhole_packets_call(UpnpService const& firewall, int pinhole);
UpnpCall upnp_firewall_call(UpnpService const& firewall);

// How a call ended.
struct UpnpReply {
    std::optional<int> fault{};          // the error's number, where it failed
    std::optional<Address> address{};    // our external one, where it was asked for
    std::optional<Endpoint> leads_to{};  // where it was asked what a port is mapped to
    std::optional<int> pinhole{};        // its number, where one was asked for
    std::optional<bool> firewall{};      // where its state was asked for: whether there is one,
    std::optional<bool> pinholes{};      // and whether it lets us open it
};
UpnpReply parse_upnp_reply(unsigned status, std::string_view document);

inline constexpr int kUpnpNoMapping = 714;      // NoSuchEntryInArray
inline constexpr int kUpnpConflict = 718;       // ConflictInMappingEntry
inline constexpr int kUpnpPermanentOnly = 725;  // OnlyPermanentLeasesSupported

}  // namespace rqfs::torrent
