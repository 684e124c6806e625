#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/datagram_receivers.h"
#include "torrent/net/udp_socket.h"

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rqfs::tests {

enum class UdpUser : std::size_t { tracker, dht };

// The UDP socket of a session, without a network: hands out datagrams as the real one does, and knows which of its
// users took or sent each, because each speaks through a line of its own.
class SharedUdp {
public:
    struct Sent {
        UdpUser by;
        torrent::Endpoint to;
        std::string bytes;
    };
    struct Delivery {
        std::vector<UdpUser> offered;
        std::optional<UdpUser> taken;
        std::vector<Sent> sent;  // before it was dealt with
    };

    explicit SharedUdp(std::vector<torrent::Endpoint> local);

    torrent::UdpSocket& line(UdpUser user) { return lines_[static_cast<std::size_t>(user)]; }
    Delivery deliver(torrent::Endpoint const& from, std::string const& bytes);

    std::function<void(Sent const&)> on_send;  // always set

private:
    class Line final : public torrent::UdpSocket, private torrent::UdpSocket::Receiver {
    public:
        Line(SharedUdp& shared, UdpUser user) : shared_(shared), user_(user) {}
        void send(torrent::Endpoint const& to, std::span<std::byte const> bytes) override;
        void add(UdpSocket::Receiver& receiver) override;
        void remove(UdpSocket::Receiver& receiver) override;
        std::vector<torrent::Endpoint> local() const override { return shared_.local_; }

    private:
        bool datagram(torrent::Endpoint const& from, std::span<std::byte const> bytes) override;

        SharedUdp& shared_;
        UdpUser user_;
        UdpSocket::Receiver* receiver_ = nullptr;
    };

    std::vector<torrent::Endpoint> local_;
    torrent::DatagramReceivers receivers_;
    std::array<Line, 2> lines_;
    Delivery* delivery_ = nullptr;  // the one under way
};

}  // namespace rqfs::tests
