#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace rqfs::torrent {

// Dials. Virtual: tests connect streams in memory. Engine thread only.
class Connector {
public:
    virtual ~Connector() = default;
    // Throws system_error with the endpoint and the reason in its sentence; asio::error::timed_out after `limit`.
    virtual boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration limit) = 0;
};

// TCP over IPv4 and IPv6, from whatever address the machine routes by.
class TcpConnector final : public Connector {
public:
    explicit TcpConnector(Clock& clock) : clock_(clock) {}  // clock outlives it
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration limit) override;

private:
    Clock& clock_;
};

}  // namespace rqfs::torrent
