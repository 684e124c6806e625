#pragma once

#include "torrent/net/stream_socket.h"
#include "torrent/net/tcp_connections.h"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>

namespace rqfs::torrent {

// A connected TCP socket. Nagle is off, because our writes are whole messages; the kernel holds at most 128 KiB that it
// has not sent, so that a cancel does not queue behind megabytes; the receive buffer is left to the kernel's
// autotuning.
class TcpSocket final : public StreamSocket {
public:
    explicit TcpSocket(boost::asio::ip::tcp::socket socket, std::shared_ptr<TcpConnections> connections = nullptr);
    ~TcpSocket() override;

    boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer buffer) override;
    boost::asio::awaitable<void> write(std::span<boost::asio::const_buffer const> buffers) override;
    void close() override;
    // As if the other side had: who reads or writes is told so.
    void hang_up();

    Endpoint local() const override { return local_; }
    Endpoint remote() const override { return remote_; }

private:
    boost::asio::ip::tcp::socket socket_;
    std::shared_ptr<TcpConnections> connections_;  // where it is listed; may be null
    Endpoint local_;
    Endpoint remote_;
    bool more_is_likely_ = false;       // the last read filled its buffer
    std::uint32_t reads_in_a_row_ = 0;  // without giving others a turn
};

}  // namespace rqfs::torrent
