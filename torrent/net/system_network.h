#pragma once

#include "torrent/clock.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/interface_keeper.h"
#include "torrent/net/linger_keeper.h"
#include "torrent/net/listening_sockets.h"
#include "torrent/net/network.h"
#include "torrent/net/system_multicast.h"
#include "torrent/net/tcp_connections.h"
#include "torrent/net/udp_sockets.h"
#include "torrent/status.h"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The machine's own network, or the one interface of it that it is bound to. stop() before destroying.
class SystemNetwork final : public Network {
public:
    // Opens and throws as open_listening_sockets(). `clock` outlives it.
    SystemNetwork(boost::asio::any_io_executor const& executor, Clock& clock, std::vector<std::string> const& listen,
                  InterfaceBinding const& binding = {});

    // Dials and exchanges datagrams from ports of the kernel's choice; nobody can connect. Throws Errc::io.
    static std::unique_ptr<SystemNetwork> outgoing_only(boost::asio::any_io_executor const& executor, Clock& clock,
                                                        InterfaceBinding const& binding = {});

    Connector& connector() override { return connector_; }
    UdpSocket& udp() override { return udp_; }
    Multicast* multicast() override { return &multicast_; }
    std::span<std::unique_ptr<Acceptor> const> acceptors() const override { return acceptors_; }
    InterfaceStatus interface_status() const { return keeper_.status(); }
    void start() override;
    boost::asio::awaitable<void> stop() override;

private:
    SystemNetwork(boost::asio::any_io_executor const& executor, Clock& clock, ListeningSockets sockets,
                  InterfaceBinding const& binding);
    std::vector<std::unique_ptr<Acceptor>> adopt(ListeningSockets& sockets);

    std::shared_ptr<LingerKeeper> linger_;         // null where nothing is bound
    std::shared_ptr<TcpConnections> connections_;  // with each of them
    TcpConnector connector_;
    UdpSockets udp_;
    SystemMulticast multicast_;
    std::vector<TcpAcceptor*> tcp_;  // the same as acceptors_
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
    InterfaceKeeper keeper_;
};

}  // namespace rqfs::torrent
