#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace rqfs::torrent {

// One address where connections come in. Virtual: tests accept streams in memory. Engine thread only.
class Acceptor {
public:
    virtual ~Acceptor() = default;
    // The next connection; one call at a time. Throws system_error, after close() asio::error::operation_aborted.
    virtual boost::asio::awaitable<std::unique_ptr<StreamSocket>> accept() = 0;
    // Nobody connects any more; a pending accept() throws. Harmless when repeated.
    virtual void close() = 0;
    virtual Endpoint local() const = 0;
};

// Of TCP connections.
class TcpAcceptor final : public Acceptor {
public:
    explicit TcpAcceptor(boost::asio::ip::tcp::acceptor acceptor);  // listening
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> accept() override;
    void close() override;
    Endpoint local() const override { return local_; }

private:
    boost::asio::ip::tcp::acceptor acceptor_;
    Endpoint local_;
};

}  // namespace rqfs::torrent
