#pragma once

#include "torrent/endpoint.h"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <set>
#include <utility>

namespace rqfs::torrent {

class LingerKeeper;
class TcpSocket;

// The connections of one network: those that an interface left behind when it went are ended at once and not only when
// nothing has been heard for minutes. Each adds and removes itself. Engine thread only.
class TcpConnections {
public:
    // Whose sockets linger when they are done with; without it they do not.
    void linger_with(std::weak_ptr<LingerKeeper> keeper) { keeper_ = std::move(keeper); }
    // Of a socket that nobody needs any more, also of one that is being connected: taken, and so closed, if it is to
    // linger; otherwise left as it is.
    void let_go(boost::asio::ip::tcp::socket& socket);

    void add(TcpSocket& socket) { sockets_.insert(&socket); }
    void remove(TcpSocket& socket) { sockets_.erase(&socket); }
    // Hangs up where this is true of our own address.
    void end_where(std::function<bool(Address const& local)> const& lost);

private:
    std::weak_ptr<LingerKeeper> keeper_;
    std::set<TcpSocket*> sockets_;
};

}  // namespace rqfs::torrent
