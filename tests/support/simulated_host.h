#pragma once

#include "tests/support/memory_stream.h"
#include "torrent/endpoint.h"
#include "torrent/net/network.h"
#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace rqfs::tests {

class SimulatedNetwork;

// How a host hangs on its network.
struct SimulatedAccess {
    torrent::Duration latency =
        std::chrono::milliseconds(20);      // one way to the middle: two hosts are both theirs apart
    std::uint64_t up_bytes_per_second = 0;  // of all its streams together; 0: unlimited
    std::uint64_t down_bytes_per_second = 0;
    double datagrams_lost = 0;  // share of those that it sends
    unsigned lan = 0;           // not 0: hosts of the same one reach each other by multicast, and past their accesses
};

// One machine of a SimulatedNetwork: what a Session gets as its network; to a DHT node or a tracker its udp() is
// enough. It listens for streams where somebody accepts them and for datagrams from start() to stop().
class SimulatedHost final : public torrent::Network, private torrent::Connector, private torrent::UdpSocket {
public:
    // Listens at these endpoints, at most one a family. Made by SimulatedNetwork::add().
    SimulatedHost(SimulatedNetwork& network, std::vector<torrent::Endpoint> at, SimulatedAccess const& access);
    ~SimulatedHost() override;

    // Nothing of what it or others send from now on gets through before: streams wait, datagrams are lost, dialling
    // finds nobody. What has left it still arrives.
    void fall_silent(torrent::Duration time);
    bool silent() const;
    torrent::Endpoint endpoint() const { return at_.front(); }

    torrent::Connector& connector() override { return *this; }
    torrent::UdpSocket& udp() override { return *this; }
    torrent::Multicast* multicast() override;  // null outside a LAN
    std::span<std::unique_ptr<torrent::Acceptor> const> acceptors() const override { return acceptors_; }
    void start() override { receiving_ = true; }
    boost::asio::awaitable<void> stop() override;

private:
    friend class SimulatedNetwork;
    class Door;
    class Lan;

    boost::asio::awaitable<std::unique_ptr<torrent::StreamSocket>> connect(torrent::Endpoint to,
                                                                           torrent::Duration limit) override;
    void send(torrent::Endpoint const& to, std::span<std::byte const> bytes) override;
    void add(Receiver& receiver) override;
    void remove(Receiver& receiver) override;
    std::vector<torrent::Endpoint> local() const override { return at_; }

    std::optional<torrent::Endpoint> own_address(bool v6) const;
    torrent::Duration latency_to(SimulatedHost const& host) const;
    bool is_neighbour(SimulatedHost const& host) const { return access_.lan != 0 && access_.lan == host.access_.lan; }
    MemoryStreams streams_to(SimulatedHost const& host, torrent::Endpoint const& from, torrent::Endpoint const& to);
    Door* door(torrent::Endpoint const& at);  // null where nobody accepts
    void deliver(torrent::Endpoint const& from, torrent::Endpoint const& to, std::span<std::byte const> bytes);

    SimulatedNetwork& network_;
    std::vector<torrent::Endpoint> at_;
    SimulatedAccess access_;
    MemoryLinks links_;
    std::vector<std::unique_ptr<torrent::Acceptor>> acceptors_;  // Doors, in the order of at_
    std::unique_ptr<Lan> lan_;                                   // null outside one
    std::vector<Receiver*> receivers_;                           // null while being removed during a delivery
    bool delivering_ = false;
    bool receiving_ = false;
    torrent::TimePoint silent_until_{};
    std::uint16_t next_port_ = 49152;  // of what it dials; RFC 6335: dynamic ports
};

}  // namespace rqfs::tests
