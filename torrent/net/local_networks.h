#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/interface_binding.h"

#include <compare>
#include <span>
#include <vector>

namespace rqfs::torrent {

// An address of this machine on a network where neighbours can be reached by multicast.
struct LocalNetwork {
    unsigned interface = 0;  // the kernel's index
    Address address;         // ours
    unsigned prefix_bits = 0;

    bool contains(Address const& other) const;
    friend auto operator<=>(LocalNetwork const&, LocalNetwork const&) = default;
};

// Those of all interfaces that are up and have multicast, without loopback and tunnels to a single other end, where we
// listen: `listening` names the address or is unspecified (0.0.0.0, ::). Bound to an interface, those of that one
// alone. In order; asks the kernel, does not wait.
std::vector<LocalNetwork> local_networks(std::span<Endpoint const> listening, InterfaceBinding const& binding = {});

// Who speaks from this address through this interface, or any of them where that is 0, is on the same network. IPv4
// addresses of the internet are nobody's neighbours: in a data centre their owners are strangers.
bool is_neighbour(std::span<LocalNetwork const> networks, Address const& address, unsigned interface = 0);

// Of each interface that has this family the address to send from: one that others can dial without naming an
// interface, if there is one.
std::vector<LocalNetwork> senders(std::span<LocalNetwork const> networks, bool v6);

}  // namespace rqfs::torrent
