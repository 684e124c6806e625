#include "torrent/net/system_network.h"

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

SystemNetwork::SystemNetwork(asio::any_io_executor const& executor, Clock& clock,
                             std::vector<std::string> const& listen, InterfaceBinding const& binding)
    : SystemNetwork(executor, clock, open_listening_sockets(executor, listen, binding), binding) {}

std::unique_ptr<SystemNetwork> SystemNetwork::outgoing_only(asio::any_io_executor const& executor, Clock& clock,
                                                            InterfaceBinding const& binding) {
    return std::unique_ptr<SystemNetwork>(
        new SystemNetwork(executor, clock, open_outgoing_sockets(executor, binding), binding));
}

SystemNetwork::SystemNetwork(asio::any_io_executor const& executor, Clock& clock, ListeningSockets sockets,
                             InterfaceBinding const& binding)
    : linger_(binding.none() ? nullptr : std::make_shared<LingerKeeper>(executor, clock)),
      connections_(std::make_shared<TcpConnections>()),
      connector_(clock, binding, connections_),
      udp_(executor, clock, std::move(sockets.udp), sockets.at),
      multicast_(executor, clock, sockets.at, binding),
      acceptors_(adopt(sockets)),
      keeper_(executor, clock, binding, sockets.attachment, {tcp_, udp_, *connections_}) {
    connections_->linger_with(linger_);
}

std::vector<std::unique_ptr<Acceptor>> SystemNetwork::adopt(ListeningSockets& sockets) {
    std::vector<std::unique_ptr<Acceptor>> acceptors;
    for (std::size_t i = 0; i < sockets.tcp.size(); ++i) {
        auto acceptor = std::make_unique<TcpAcceptor>(std::move(sockets.tcp[i]), sockets.at[i], connections_);
        tcp_.push_back(acceptor.get());
        acceptors.push_back(std::move(acceptor));
    }
    return acceptors;
}

void SystemNetwork::start() {
    udp_.start();
    keeper_.start();
}

asio::awaitable<void> SystemNetwork::stop() {
    co_await keeper_.stop();
    if (linger_) co_await linger_->stop();
    co_await multicast_.stop();
    co_await udp_.stop();
}

}  // namespace rqfs::torrent
