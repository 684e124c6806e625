#pragma once

#include "torrent/clock.h"
#include "torrent/net/listening_sockets.h"
#include "torrent/net/network.h"
#include "torrent/net/system_multicast.h"
#include "torrent/net/udp_sockets.h"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The machine's own network. stop() before destroying.
class SystemNetwork final : public Network {
public:
    // Opens and throws as open_listening_sockets(). `clock` outlives it.
    SystemNetwork(boost::asio::any_io_executor const& executor, Clock& clock, std::vector<std::string> const& listen);

    // Dials and exchanges datagrams from ports of the kernel's choice; nobody can connect. Throws Errc::io.
    static std::unique_ptr<SystemNetwork> outgoing_only(boost::asio::any_io_executor const& executor, Clock& clock);

    Connector& connector() override { return connector_; }
    UdpSocket& udp() override { return udp_; }
    Multicast* multicast() override { return &multicast_; }
    std::span<std::unique_ptr<Acceptor> const> acceptors() const override { return acceptors_; }
    void start() override { udp_.start(); }
    boost::asio::awaitable<void> stop() override;

private:
    SystemNetwork(boost::asio::any_io_executor const& executor, Clock& clock, ListeningSockets sockets);

    TcpConnector connector_;
    UdpSockets udp_;
    SystemMulticast multicast_;
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
};

}  // namespace rqfs::torrent
