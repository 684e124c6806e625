// Keeps a port open in this machine's router with leases of a few seconds, until it is told to end:
//   keep_port_open (nat-pmp|upnp|pinhole) PORT SECONDS [SECONDS_BETWEEN_CHECKS]
#include "torrent/clock.h"
#include "torrent/net/connector.h"
#include "torrent/net/default_router.h"
#include "torrent/net/default_router_v6.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/net/http_client.h"
#include "torrent/net/nat_pmp_mapper.h"
#include "torrent/net/pinhole_mapper.h"
#include "torrent/net/port_mapping.h"
#include "torrent/net/upnp_mapper.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;

struct Nobody final : PortMapping::Owner {
    void announced_port_is(std::uint16_t) override {}
    void router_says_we_are(Address) override {}
};

asio::awaitable<void> tell(Clock& clock, PortMapping& mapping) {
    for (std::string before;;) {
        auto const status = mapping.status();
        auto const now = status.state + " " + status.message;
        if (now != before) std::puts(now.c_str());
        std::fflush(stdout);
        before = now;
        co_await clock.sleep(std::chrono::milliseconds(100));
    }
}

asio::awaitable<void> run(asio::io_context& engine, Clock& clock, PortMapping& mapping) {
    asio::signal_set signals(engine, SIGTERM, SIGINT);
    TaskGroup telling(engine.get_executor(), "telling");
    mapping.start();
    telling.spawn(tell(clock, mapping));
    co_await signals.async_wait(asio::use_awaitable);
    co_await telling.stop();
    co_await mapping.stop();
}

int keep_open(std::string const& method, std::uint16_t port, PortMappingTimes times) {
    asio::io_context engine{1};
    SteadyClock clock;
    Workers workers;
    TcpConnector connector{clock};
    DnsResolver resolver{clock};
    HttpClient http{clock, connector, resolver, false};
    Nobody nobody;
    auto const executor = engine.get_executor();
    std::unique_ptr<RouterFinder> finder = std::make_unique<DefaultRouterFinder>(workers, InterfaceBinding());
    PortMapping::Mappers mappers;
    if (method == "nat-pmp") mappers.push_back(std::make_unique<NatPmpMapper>(executor, clock, InterfaceBinding()));
    if (method == "upnp") mappers.push_back(std::make_unique<UpnpMapper>(executor, clock, http, InterfaceBinding()));
    if (method == "pinhole") {
        mappers.push_back(std::make_unique<PinholeMapper>(executor, clock, resolver, InterfaceBinding()));
        auto const all = Address::parse("::").value();
        finder = std::make_unique<DefaultRouterFinderV6>(workers, InterfaceBinding(), all);
    }
    if (mappers.empty()) return 2;
    PortMapping mapping(executor, clock, std::move(finder), std::move(mappers), port, nobody, times);
    TaskGroup tasks(executor, "port");
    tasks.spawn(run(engine, clock, mapping));
    engine.run();
    return 0;
}

}  // namespace
}  // namespace rqfs::torrent

int main(int count, char** words) {
    if (count != 4 && count != 5) return 2;
    auto const port = static_cast<std::uint16_t>(std::atoi(words[2]));
    rqfs::torrent::PortMappingTimes times;
    times.lifetime = std::chrono::seconds(std::atoi(words[3]));
    times.least_lifetime = times.first_pause = std::chrono::seconds(1);
    if (count == 5) times.check = std::chrono::seconds(std::atoi(words[4]));
    return rqfs::torrent::keep_open(words[1], port, times);
}
