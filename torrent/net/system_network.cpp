#include "torrent/net/system_network.h"

#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace asio = boost::asio;

namespace {

std::vector<Endpoint> addresses_of(std::vector<asio::ip::tcp::acceptor> const& acceptors) {
    std::vector<Endpoint> all;
    for (auto const& acceptor : acceptors) {
        boost::system::error_code ignored;
        all.push_back(from_asio(acceptor.local_endpoint(ignored)));
    }
    return all;
}

}  // namespace

SystemNetwork::SystemNetwork(asio::any_io_executor const& executor, Clock& clock,
                             std::vector<std::string> const& listen)
    : SystemNetwork(executor, clock, open_listening_sockets(executor, listen)) {}

std::unique_ptr<SystemNetwork> SystemNetwork::outgoing_only(asio::any_io_executor const& executor, Clock& clock) {
    return std::unique_ptr<SystemNetwork>(new SystemNetwork(executor, clock, open_outgoing_sockets(executor)));
}

SystemNetwork::SystemNetwork(asio::any_io_executor const& executor, Clock& clock, ListeningSockets sockets)
    : connector_(clock),
      udp_(executor, clock, std::move(sockets.udp)),
      multicast_(executor, clock, addresses_of(sockets.tcp)) {
    for (auto& acceptor : sockets.tcp) acceptors_.push_back(std::make_unique<TcpAcceptor>(std::move(acceptor)));
}

asio::awaitable<void> SystemNetwork::stop() {
    co_await multicast_.stop();
    co_await udp_.stop();
}

}  // namespace rqfs::torrent
