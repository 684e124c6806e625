#pragma once

#include "torrent/endpoint.h"

#include <cstddef>
#include <span>

namespace rqfs::torrent {

// Datagrams to all neighbours that have joined a group, on every network that we are part of; virtual, so that tests
// have local networks in virtual time. Engine thread only.
class Multicast {
public:
    class Receiver {
    public:
        virtual ~Receiver() = default;
        // From a neighbour, or from ourselves: what we send comes back.
        virtual void multicast(Endpoint const& from, std::span<std::byte const> bytes) = 0;
        // We are part of other networks than before.
        virtual void networks_changed() = 0;
    };

    virtual ~Multicast() = default;

    // Families that the machine does not have are left out.
    virtual void join(std::span<Endpoint const> groups, Receiver& receiver) = 0;
    virtual void leave() = 0;
    // Once on every network of the group's family; never waits, never fails loudly.
    virtual void send(Endpoint const& group, std::span<std::byte const> bytes) = 0;
    // An address of one of these networks, which no router is needed to reach. IPv4: a private one only.
    virtual bool is_neighbour(Address const& address) const = 0;
};

}  // namespace rqfs::torrent
