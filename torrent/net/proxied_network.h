#pragma once

#include "torrent/clock.h"
#include "torrent/net/network.h"
#include "torrent/net/proxied_connector.h"
#include "torrent/net/proxied_resolver.h"
#include "torrent/net/proxied_udp.h"
#include "torrent/net/proxy_address.h"
#include "torrent/net/proxy_dialer.h"
#include "torrent/net/resolver.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <span>
#include <string>

namespace rqfs::torrent {

// A network seen through a proxy, and never past it: all it does with the network below is to dial the proxy, to
// exchange datagrams with its relay, and to look up its name. Nobody can connect to us, and neighbours are not looked
// for. stop() before destroying.
class ProxiedNetwork final : public Network {
public:
    // All outlive it; the network below may be used by nobody else.
    ProxiedNetwork(boost::asio::any_io_executor const& executor, Clock& clock, Network& below, Resolver& resolver,
                   ProxyAddress proxy);

    Connector& connector() override { return connector_; }
    UdpSocket& udp() override { return udp_; }
    std::span<std::unique_ptr<Acceptor> const> acceptors() const override { return {}; }
    void start() override;
    boost::asio::awaitable<void> stop() override;

    Resolver& resolver() { return names_; }
    ProxyAddress const& proxy() const { return proxy_; }
    // Why nothing gets through it, as a sentence; empty while it does, as far as anybody knows.
    std::string const& trouble() const { return dialer_.trouble(); }

private:
    Network& below_;
    ProxyAddress proxy_;
    ProxiedResolver names_;
    ProxyDialer dialer_;
    ProxiedConnector connector_;
    ProxiedUdp udp_;
};

}  // namespace rqfs::torrent
