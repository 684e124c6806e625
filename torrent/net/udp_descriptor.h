#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/packet_info.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <span>

namespace rqfs::torrent {

// A UDP socket that wakes the engine only while somebody waits for it. One of Asio's own stays in epoll as long as it
// is open: then each datagram of a flood wakes the thread though nobody reads, which costs twice as much as reading it
// (measured). Owns the descriptor. Engine thread only.
class UdpDescriptor {
public:
    explicit UdpDescriptor(boost::asio::ip::udp::socket socket);  // bound, or closed
    UdpDescriptor(UdpDescriptor const&) = delete;
    UdpDescriptor& operator=(UdpDescriptor const&) = delete;
    ~UdpDescriptor() { close(); }

    bool is_open() const { return descriptor_ >= 0; }
    int native_handle() const { return descriptor_; }
    void close();  // whoever waits hears operation_aborted

    // Until there is something to read; an error where nothing was waited for, operation_aborted once it is closed.
    boost::asio::awaitable<boost::system::error_code> readable();
    // Nobody is woken from now until readable() is called again.
    void look_away();
    // Sent or lost; never waits. `source`: of the address that it leaves from, where the socket is bound to all.
    void send(Endpoint const& to, std::span<std::byte const> bytes, PacketInfo const& source);

private:
    boost::asio::posix::stream_descriptor watch_;  // of the same descriptor while it is open; never closes it
    int descriptor_ = -1;
};

}  // namespace rqfs::torrent
