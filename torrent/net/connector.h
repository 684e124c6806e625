#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace rqfs::torrent {

class TcpConnections;

// Dials. Virtual: tests connect streams in memory. Engine thread only.
class Connector {
public:
    virtual ~Connector() = default;
    // Throws system_error with the endpoint and the reason in its sentence; asio::error::timed_out after `limit`.
    virtual boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration limit) = 0;
};

// TCP over IPv4 and IPv6, from whatever address the machine routes by or through the interface it is bound to. While
// that is not there, dials wait for it; those whose limit ends throw asio::error::network_down.
class TcpConnector final : public Connector {
public:
    // `clock` outlives it; who is connected is added to `connections`, if there are any.
    explicit TcpConnector(Clock& clock, InterfaceBinding binding = {},
                          std::shared_ptr<TcpConnections> connections = nullptr);
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration limit) override;

private:
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> dial(Endpoint endpoint);

    Clock& clock_;
    InterfaceBinding binding_;
    std::shared_ptr<TcpConnections> connections_;
};

}  // namespace rqfs::torrent
