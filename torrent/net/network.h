#pragma once

#include "torrent/net/acceptor.h"
#include "torrent/net/connector.h"
#include "torrent/net/multicast.h"
#include "torrent/net/udp_socket.h"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <span>

namespace rqfs::torrent {

// The whole network as one session uses it: everything it dials, accepts and sends goes through here. Virtual: tests
// put many sessions on a network in memory, in virtual time. Outlives the session; engine thread only.
class Network {
public:
    virtual ~Network() = default;

    virtual Connector& connector() = 0;
    virtual UdpSocket& udp() = 0;
    // Null where there is none.
    virtual Multicast* multicast() { return nullptr; }
    // Open from the beginning; one an address that we listen on, each with a UDP address of the same port.
    virtual std::span<std::unique_ptr<Acceptor> const> acceptors() const = 0;

    virtual void start() = 0;                         // datagrams arrive from now on
    virtual boost::asio::awaitable<void> stop() = 0;  // and no more; those who accept close their acceptors
};

}  // namespace rqfs::torrent
