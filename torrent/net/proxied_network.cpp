#include "torrent/net/proxied_network.h"

#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;

ProxiedNetwork::ProxiedNetwork(asio::any_io_executor const& executor, Clock& clock, Network& below, Resolver& resolver,
                               ProxyAddress proxy)
    : below_(below),
      proxy_(std::move(proxy)),
      dialer_(clock, below.connector(), resolver, proxy_),
      connector_(clock, dialer_, names_),
      udp_(executor, clock, below.udp(), dialer_, names_) {}

void ProxiedNetwork::start() {
    below_.start();
    udp_.start();
}

asio::awaitable<void> ProxiedNetwork::stop() {
    co_await udp_.stop();
    co_await below_.stop();
}

}  // namespace rqfs::torrent
