#include "tests/sim/dht/dht_network.h"
#include "tests/support/run_engine.h"
#include "torrent/dht/dht.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/net/udp_sockets.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

// Two hundred nodes on real sockets, each at an address of its own: 127.1.n.1.
class Loopback : public testing::Test {
protected:
    static constexpr std::size_t kNodes = 200;
    static constexpr std::size_t kTorrents = 20;

    struct Member {
        std::unique_ptr<UdpSockets> sockets;
        std::unique_ptr<CountingSocket> counted;
        std::unique_ptr<Dht> dht;
    };
    struct Lookup {
        Member* member = nullptr;
        std::unique_ptr<Dht::Search> search;
        std::size_t before = 0;
        TimePoint began;
        std::optional<Duration> first_peer;
        bool over() const { return member->counted->searches > before && member->dht->status().front().lookups == 0; }
    };

    Loopback() {
        options.test_network = true;
        for (std::size_t i = 0; i < kNodes; ++i) {
            join(asio::ip::address_v4({127, 1, static_cast<std::uint8_t>(i), 1}));
            engine.run_for(10ms);
        }
        // A crowd that joins at once is more than the routers answer: some ask again, after 5 s and more.
        run_until([&] {
            return std::all_of(members.begin(), members.end(),
                               [](auto const& member) { return member.dht->status().front().good >= 1; });
        });
        std::mt19937 random(1);
        for (std::size_t i = 0; i < kTorrents; ++i) {
            std::array<std::byte, 20> bytes{};
            for (auto& each : bytes) each = static_cast<std::byte>(random() & 0xff);
            torrents.emplace_back(bytes);
        }
    }
    ~Loopback() override {
        run_engine(engine, stop(), 60s);
        for (auto& each : members) each.dht.reset();
    }

    void join(asio::ip::address_v4 const& address) {
        std::vector<asio::ip::udp::socket> sockets;
        sockets.emplace_back(engine, asio::ip::udp::endpoint(address, 0));
        Member member;
        member.sockets = std::make_unique<UdpSockets>(engine.get_executor(), clock, std::move(sockets));
        member.counted = std::make_unique<CountingSocket>(*member.sockets);
        Dht::Network const where{engine.get_executor(), clock, *member.counted, resolver};
        member.dht = std::make_unique<Dht>(where, options, std::span<std::byte const>());
        member.sockets->start();
        member.dht->start();
        if (options.routers.size() < 3) options.routers.push_back(member.sockets->local().front().text());
        members.push_back(std::move(member));
    }
    asio::awaitable<void> stop() {
        for (auto& each : members) {
            co_await each.dht->stop();
            co_await each.sockets->stop();
        }
    }
    // Three members each.
    void announce() {
        std::vector<std::unique_ptr<Dht::Search>> searches;
        for (std::size_t i = 0; i < kTorrents * 3; ++i) {
            searches.push_back(members[i].dht->find_peers(torrents[i % kTorrents], [](auto const&) {}));
            searches.back()->announce({4242, 4242}, false);
        }
        engine.run_for(4s);
    }
    template <class Done>
    void run_until(Done done) {
        auto const end = std::chrono::steady_clock::now() + 15s;
        while (!done() && std::chrono::steady_clock::now() < end) engine.run_one_for(20ms);
    }

    asio::io_context engine;
    SteadyClock clock;
    DnsResolver resolver{clock};
    Dht::Options options;
    std::vector<Member> members;
    std::vector<InfoHash> torrents;
};

TEST_F(Loopback, TwoHundredNodesFindWhatIsAnnounced) {
    announce();
    std::size_t found = 0, most_queries = 0, searches = 0;
    std::vector<Duration> first_peers;

    // Ten at a time, each node once.
    for (std::size_t first = 0; first < kNodes; first += 10) {
        std::vector<Lookup> lookups(10);
        for (std::size_t i = 0; i < lookups.size(); ++i) {
            auto& lookup = lookups[i];
            lookup.member = &members[first + i];
            lookup.before = lookup.member->counted->searches;
            auto const& info_hash = torrents[(first + i) * 7 % kTorrents];
            lookup.began = clock.now();
            lookup.search = lookup.member->dht->find_peers(info_hash, [&](auto const&) {
                if (!lookup.first_peer) lookup.first_peer = clock.now() - lookup.began;
            });
        }
        run_until(
            [&] { return std::all_of(lookups.begin(), lookups.end(), [](auto const& each) { return each.over(); }); });
        for (auto const& each : lookups) {
            found += each.first_peer ? 1u : 0u;
            first_peers.push_back(each.first_peer.value_or(Duration::max()));
            most_queries = std::max(most_queries, each.member->counted->searches - each.before);
            ++searches;
        }
    }

    std::sort(first_peers.begin(), first_peers.end());
    auto const median = std::chrono::duration<double>(first_peers[first_peers.size() / 2]).count();
    std::cout << "found " << found << " of " << searches << ", median " << median << " s, most queries " << most_queries
              << "\n";
    EXPECT_GE(found * 100, searches * 99);
    EXPECT_LT(median, 2.0) << "promised for 100 ms round trips";
    EXPECT_LE(most_queries, 60u);
    EXPECT_GT(most_queries, 0u);
}

}  // namespace
}  // namespace rqfs::tests
