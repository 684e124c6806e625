#pragma once

#include "torrent/clock.h"
#include "torrent/net/connector.h"
#include "torrent/net/proxied_resolver.h"
#include "torrent/net/proxy_dialer.h"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace rqfs::torrent {

// Dials through the proxy and in no other way. The streams say that they are connected to whom was asked for. Throws
// ProxyErrc with the proxy in its sentence too.
class ProxiedConnector final : public Connector {
public:
    // All outlive it.
    ProxiedConnector(Clock& clock, ProxyDialer& dialer, ProxiedResolver& names)
        : clock_(clock), dialer_(dialer), names_(names) {}

    boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration limit) override;

private:
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> tunnel(Endpoint endpoint, Duration limit);

    Clock& clock_;
    ProxyDialer& dialer_;
    ProxiedResolver& names_;
};

}  // namespace rqfs::torrent
