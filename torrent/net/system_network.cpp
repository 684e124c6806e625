#include "torrent/net/system_network.h"

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

SystemNetwork::SystemNetwork(asio::any_io_executor const& executor, Clock& clock,
                             std::vector<std::string> const& listen)
    : SystemNetwork(executor, clock, open_listening_sockets(executor, listen)) {}

SystemNetwork::SystemNetwork(asio::any_io_executor const& executor, Clock& clock, ListeningSockets sockets)
    : connector_(clock), udp_(executor, clock, std::move(sockets.udp)) {
    for (auto& acceptor : sockets.tcp) acceptors_.push_back(std::make_unique<TcpAcceptor>(std::move(acceptor)));
}

}  // namespace rqfs::torrent
