#pragma once

#include "torrent/endpoint.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The UDP sockets shared by UDP trackers and the DHT, and later uTP; virtual, so that tests run whole networks in virtual
// time. Engine thread only.
class UdpSocket {
public:
    // Sees every datagram, in the order receivers were added, until one takes it: it was its own and within its limits.
    class Receiver {
    public:
        virtual ~Receiver() = default;
        virtual bool datagram(Endpoint const& from, std::span<std::byte const> bytes) = 0;
    };

    virtual ~UdpSocket() = default;

    // Sent or dropped, as the network does: never waits, never fails loudly. Uses the socket of the destination's
    // address family; within Receiver::datagram() an answer leaves from the address that was asked.
    virtual void send(Endpoint const& to, std::span<std::byte const> bytes) = 0;
    virtual void add(Receiver& receiver) = 0;
    virtual void remove(Receiver& receiver) = 0;
    // One a family that is in use.
    virtual std::vector<Endpoint> local() const = 0;
    // Why no datagram gets out, as a sentence; empty while they do, as far as anybody knows.
    virtual std::string obstacle() const { return {}; }
};

}  // namespace rqfs::torrent
