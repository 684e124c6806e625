#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/udp_socket.h"

#include <cstddef>
#include <span>
#include <vector>

namespace rqfs::torrent {

// Those who hear the datagrams of one socket, in the order in which they were added; any may leave while one is
// delivered. Owned by a UdpSocket; engine thread only.
class DatagramReceivers {
public:
    void add(UdpSocket::Receiver& receiver) { receivers_.push_back(&receiver); }
    void remove(UdpSocket::Receiver& receiver);

    // To one after the other until one takes it; whether one did. Not from within itself.
    bool deliver(Endpoint const& from, std::span<std::byte const> bytes);
    bool delivering() const { return delivering_; }

private:
    std::vector<UdpSocket::Receiver*> receivers_;  // null while being removed during a delivery
    bool delivering_ = false;
};

}  // namespace rqfs::torrent
