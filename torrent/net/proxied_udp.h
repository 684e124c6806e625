#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/net/datagram_receivers.h"
#include "torrent/net/proxied_resolver.h"
#include "torrent/net/proxy_dialer.h"
#include "torrent/net/stream_socket.h"
#include "torrent/net/udp_socket.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Datagrams through a SOCKS5 proxy's UDP ASSOCIATE. The connection that keeps the relay open is made again, with
// growing pauses, whenever it ends or the relay says nothing; what is sent while it is being made waits a little, what
// is sent while there is none is lost. Datagrams go to the relay that the proxy's reply names, be it another machine,
// and are taken from there alone. Through an HTTP proxy nothing gets out. Engine thread only; stop() before destroying.
class ProxiedUdp final : public UdpSocket, private UdpSocket::Receiver {
public:
    using Receiver = UdpSocket::Receiver;

    // All outlive it; `inner` may be used by nobody else.
    ProxiedUdp(boost::asio::any_io_executor const& executor, Clock& clock, UdpSocket& inner, ProxyDialer& dialer,
               ProxiedResolver& names);
    ~ProxiedUdp() override;

    void start();
    boost::asio::awaitable<void> stop();

    void send(Endpoint const& to, std::span<std::byte const> bytes) override;
    void add(Receiver& receiver) override { receivers_.add(receiver); }
    void remove(Receiver& receiver) override { receivers_.remove(receiver); }
    std::vector<Endpoint> local() const override;
    std::string obstacle() const override { return obstacle_; }

private:
    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override;
    boost::asio::awaitable<void> keep_associated();
    boost::asio::awaitable<void> associate();
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> open_relay(Endpoint& relay);
    boost::asio::awaitable<void> watch(StreamSocket& stream);
    void associated(Endpoint const& relay);
    void failed(boost::system::system_error const& failure);

    Clock& clock_;
    UdpSocket& inner_;
    ProxyDialer& dialer_;
    ProxiedResolver& names_;
    bool const possible_;
    std::string obstacle_;
    bool told_ = false;  // that it cannot be done: once an outage
    bool associating_ = false;
    std::optional<Endpoint> relay_;
    std::optional<TimePoint> unanswered_since_;   // the first datagram sent after the last one heard
    std::deque<std::vector<std::byte>> waiting_;  // while associating; as they go to the relay
    DatagramReceivers receivers_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
