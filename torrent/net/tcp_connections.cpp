#include "torrent/net/tcp_connections.h"

#include "torrent/net/linger_keeper.h"
#include "torrent/net/tcp_socket.h"

namespace rqfs::torrent {

void TcpConnections::let_go(boost::asio::ip::tcp::socket& socket) {
    if (auto const keeper = keeper_.lock()) keeper->take(socket);
}

void TcpConnections::end_where(std::function<bool(Address const& local)> const& lost) {
    for (auto* const socket : sockets_)
        if (lost(socket->local().address)) socket->hang_up();
}

}  // namespace rqfs::torrent
