#pragma once

#include "torrent/clock.h"
#include "torrent/net/datagram_receivers.h"
#include "torrent/net/packet_info.h"
#include "torrent/net/udp_descriptor.h"
#include "torrent/net/udp_socket.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace rqfs::torrent {

// The machine's UDP sockets, one an address that we listen on; receives in batches, and in a flood of
// datagrams that nobody takes no more of them than leaves time for others. Engine thread only; stop() before
// destroying.
class UdpSockets final : public UdpSocket {
public:
    UdpSockets(boost::asio::any_io_executor const& executor, Clock& clock,
               std::vector<boost::asio::ip::udp::socket> sockets);
    // The same where some are closed for the time being: they stand for these addresses, one each.
    UdpSockets(boost::asio::any_io_executor const& executor, Clock& clock,
               std::vector<boost::asio::ip::udp::socket> sockets, std::vector<Endpoint> local);
    ~UdpSockets() override;

    void start();
    boost::asio::awaitable<void> stop();

    // Another socket for the address of this number, or a closed one: what is sent then is lost.
    bool is_open(std::size_t number) const { return sockets_[number]->is_open(); }
    void replace(std::size_t number, boost::asio::ip::udp::socket socket);

    void send(Endpoint const& to, std::span<std::byte const> bytes) override;
    void add(Receiver& receiver) override { receivers_.add(receiver); }
    void remove(Receiver& receiver) override { receivers_.remove(receiver); }
    std::vector<Endpoint> local() const override { return local_; }

private:
    struct Batch;
    struct Turn {
        std::size_t received = 0;
        std::size_t refused = 0;  // by every receiver
        int failure = 0;          // errno
    };

    using Shared = std::shared_ptr<UdpDescriptor>;  // with the coroutine that receives

    void start_receiving(Shared const& socket);
    boost::asio::awaitable<void> receive(Shared socket);
    Turn take_turn(UdpDescriptor& socket);
    bool answers(Endpoint const& to) const { return receivers_.delivering() && to == asking_; }
    UdpDescriptor* socket_to(Endpoint const& to);

    Clock& clock_;
    std::vector<Shared> sockets_;
    std::vector<Endpoint> local_;
    DatagramReceivers receivers_;
    UdpDescriptor* asked_ = nullptr;  // what the datagram being delivered came to
    PacketInfo asked_at_;             // at which address of ours
    Endpoint asking_;                 // and from
    bool running_ = false;
    std::unique_ptr<Batch> batch_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
