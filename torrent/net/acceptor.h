#pragma once

#include "torrent/endpoint.h"
#include "torrent/event.h"
#include "torrent/net/stream_socket.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>

namespace rqfs::torrent {

class TcpConnections;

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

// Of TCP connections. Can be without a socket for a while, when nobody connects.
class TcpAcceptor final : public Acceptor {
public:
    // `acceptor` listens at `local` or is closed; who is accepted is added to `connections`, if there are any.
    TcpAcceptor(boost::asio::ip::tcp::acceptor acceptor, Endpoint const& local,
                std::shared_ptr<TcpConnections> connections = nullptr);
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> accept() override;
    void close() override;
    Endpoint local() const override { return local_; }

    bool is_open() const { return acceptor_.is_open(); }
    // Goes on with another socket for the same place, or without one. After close() it is dropped.
    void replace(boost::asio::ip::tcp::acceptor acceptor);

private:
    boost::asio::ip::tcp::acceptor acceptor_;
    std::shared_ptr<TcpConnections> connections_;
    Event replaced_;
    std::uint64_t replacements_ = 0;
    bool closed_ = false;
    Endpoint local_;
};

}  // namespace rqfs::torrent
