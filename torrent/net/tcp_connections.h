#pragma once

#include "torrent/endpoint.h"

#include <functional>
#include <set>

namespace rqfs::torrent {

class TcpSocket;

// The connections of one network: those that an interface left behind when it went are ended at once and not only when
// nothing has been heard for minutes. Each adds and removes itself. Engine thread only.
class TcpConnections {
public:
    void add(TcpSocket& socket) { sockets_.insert(&socket); }
    void remove(TcpSocket& socket) { sockets_.erase(&socket); }
    // Hangs up where this is true of our own address.
    void end_where(std::function<bool(Address const& local)> const& lost);

private:
    std::set<TcpSocket*> sockets_;
};

}  // namespace rqfs::torrent
