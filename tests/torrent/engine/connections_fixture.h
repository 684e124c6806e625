#pragma once

#include "tests/support/fake_udp.h"
#include "tests/support/memory_store.h"
#include "tests/support/virtual_clock.h"
#include "torrent/connections.h"
#include "torrent/log.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/http_client.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/per_family.h"
#include "torrent/statistics.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {

// Notes who is dialled, and reaches nobody but those put `there`, each once.
class NotingConnector final : public Connector {
public:
    boost::asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration) override {
        dialled.push_back(endpoint);
        auto const found = there.find(endpoint);
        if (found == there.end() || found->second == nullptr) throw_error(Errc::refused, "nobody is there");
        co_return std::move(found->second);
    }
    std::map<Endpoint, std::unique_ptr<StreamSocket>> there;
    std::vector<Endpoint> dialled;
};

// 192.168.1.0/24 and fd00::/16 are networks of ours.
inline bool is_on_our_network(Address const& address) {
    auto const text = address.text();
    return is_link_local_or_loopback(address) || text.starts_with("192.168.1.") || text.starts_with("fd00:");
}

// The connections of one torrent whose metadata is missing, in virtual time, with nobody to reach.
class ConnectionsFixture : public testing::Test, protected Connections::Owner {
protected:
    Download* download() override { return nullptr; }
    MetadataFetch* metadata_fetch() override { return nullptr; }
    bool active() const override { return true; }
    bool hurried() const override { return somebody_waits; }
    bool is_private() const override { return false; }
    void peers_ran_out() override {}
    void peer_says_we_are(Address address, Endpoint const& peer) override { votes.emplace_back(address, peer); }

    bool somebody_waits = false;
    boost::asio::io_context engine{1};
    tests::VirtualClock clock;
    Workers workers;
    tests::MemoryStore store;
    DnsResolver resolver{clock};
    NotingConnector connector;
    tests::FakeUdp udp{engine.get_executor()};
    HttpClient http{clock, connector, resolver, true};
    Settings settings;
    RateLimiter up_limit, down_limit;
    ConnectionBudget budget{100};
    MetadataBudget metadata_budget;
    PerFamily<std::uint16_t> listening_ports{6881, 6881};
    PerFamily<std::uint16_t> announced_ports{6881, 6881};
    ExternalAddressVote external;
    Statistics statistics;
    SessionContext context{engine.get_executor(),
                           clock,
                           workers,
                           store,
                           resolver,
                           connector,
                           Announcer::Network{engine.get_executor(), clock, http, resolver, udp, false, nullptr},
                           settings,
                           up_limit,
                           down_limit,
                           budget,
                           metadata_budget,
                           listening_ports,
                           announced_ports,
                           external,
                           statistics,
                           [](Endpoint const&) { return false; },
                           [](Address const& address) { return is_on_our_network(address); }};
    std::vector<std::pair<Address, Endpoint>> votes;
};

}  // namespace rqfs::torrent
