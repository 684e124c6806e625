#pragma once

#include "tests/support/simulated_host.h"
#include "torrent/endpoint.h"
#include "torrent/net/resolver.h"
#include "torrent/net/stream_socket.h"
#include "torrent/net/udp_socket.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace rqfs::tests {

// A SOCKS5 server without logins on a host of a SimulatedNetwork; it relays the datagrams of one client, from its
// host's own UDP port. Host and resolver outlive it; stop() before destroying.
class SimulatedProxy final : private torrent::UdpSocket::Receiver {
public:
    SimulatedProxy(boost::asio::any_io_executor const& executor, SimulatedHost& host, torrent::Resolver& resolver);
    ~SimulatedProxy() override;

    bool open = true;               // otherwise it hangs up on whoever comes
    bool speaks = true;             // otherwise it lets them come and says nothing
    bool relays = true;             // datagrams; otherwise it says that it does not do that,
    bool hangs_up_instead = false;  // or, as OpenSSH's, says nothing and closes
    std::size_t connections = 0;
    std::size_t relayed = 0;  // datagrams of its client

    void hang_up();  // on everybody
    boost::asio::awaitable<void> stop();

private:
    bool datagram(torrent::Endpoint const& from, std::span<std::byte const> bytes) override;
    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(std::shared_ptr<torrent::StreamSocket> client);
    boost::asio::awaitable<void> relay(std::vector<std::byte> datagram);
    boost::asio::awaitable<void> pump(std::shared_ptr<torrent::StreamSocket> from,
                                      std::shared_ptr<torrent::StreamSocket> to);

    SimulatedHost& host_;
    torrent::Resolver& resolver_;
    std::vector<std::shared_ptr<torrent::StreamSocket>> streams_;
    torrent::Endpoint client_;  // its datagrams
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::tests
