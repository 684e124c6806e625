#include "tests/sim/dht/dht_network.h"
#include "tests/sim/dht/impostors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <ostream>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

struct Figures {
    double found = 0;  // share of the searches that found a peer
    double median_seconds = 0;
    std::size_t median_queries = 0;
    std::size_t most_queries = 0;
};

Figures figures_of(std::vector<DhtNetwork::Found> const& searches) {
    Figures figures;
    std::vector<double> seconds;
    std::vector<std::size_t> queries;
    for (auto const& each : searches) {
        if (each.first_peer) seconds.push_back(std::chrono::duration<double>(*each.first_peer).count());
        queries.push_back(each.queries);
    }
    std::sort(seconds.begin(), seconds.end());
    std::sort(queries.begin(), queries.end());
    figures.found = static_cast<double>(seconds.size()) / static_cast<double>(searches.size());
    figures.median_seconds = seconds.empty() ? 1e9 : seconds[seconds.size() / 2];
    figures.median_queries = queries[queries.size() / 2];
    figures.most_queries = queries.back();
    std::cout << "found " << figures.found << ", median " << figures.median_seconds << " s, queries "
              << figures.median_queries << " (most " << figures.most_queries << ")\n";
    return figures;
}

std::vector<torrent::InfoHash> random_torrents(DhtNetwork& network, std::size_t count) {
    std::vector<torrent::InfoHash> torrents;
    while (torrents.size() < count) torrents.push_back(network.random_hash());
    return torrents;
}

Figures search(DhtNetwork& network, std::vector<torrent::InfoHash> const& torrents, std::size_t searches_each) {
    std::vector<DhtNetwork::Found> searches;
    for (auto const& info_hash : torrents)
        for (std::size_t k = 0; k < searches_each; ++k)
            searches.push_back(network.look_up(network.random_member(), info_hash));
    return figures_of(searches);
}

void leave(DhtNetwork& network, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) network.leave(network.random_member());
}

TEST(DhtNetwork, AThousandNodesFindWhatIsAnnounced) {
    DhtNetwork network(1);
    network.join(1000, 60s);
    network.run_for(30s);
    auto const torrents = random_torrents(network, 20);
    network.announce(torrents);

    auto const figures = search(network, torrents, 10);

    EXPECT_GE(figures.found, 0.99);
    EXPECT_LT(figures.median_seconds, 2.0);
    EXPECT_LE(figures.most_queries, 30u);
    EXPECT_LE(figures.median_queries, 20u);
}

TEST(DhtNetwork, FindsAmongDeadNodesAndLiars) {
    std::vector<torrent::NodeContact> accomplices;
    DhtNetwork network(2);
    network.join(800, 60s);
    join_liars(network, 200, accomplices);
    network.run_for(60s);
    auto const torrents = random_torrents(network, 20);
    leave(network, 300);  // nobody knows yet that they are gone
    network.announce(torrents);

    auto const figures = search(network, torrents, 10);

    EXPECT_GE(figures.found, 0.95);
    EXPECT_LT(figures.median_seconds, 2.0);
    EXPECT_LE(figures.most_queries, 60u);
}

struct Attack {
    char const* name;
    std::size_t addresses;  // they have; the 64 whose ids may be nearest are used
    bool names_nearest;     // they tell of those of them that are nearest; else of any
    std::chrono::minutes age;  // of the network when they come
    std::uint32_t seed;
};

std::ostream& operator<<(std::ostream& out, Attack const& attack) { return out << attack.name; }

// 64 nodes around one torrent who know nobody but each other and have met everybody.
class Sybils : public testing::TestWithParam<Attack> {
protected:
    Sybils() {
        network.join(300, 30s);
        network.run_for(GetParam().age);
        torrents = random_torrents(network, 1);
        target = torrent::NodeId(torrents.front());
    }

    Figures hide_torrent(std::vector<torrent::NodeContact> const& ring) {
        std::vector<std::unique_ptr<Liar>> sybils;
        for (auto const& node : ring) {
            auto& host = network.network.add({node.endpoint}, network.access);
            host.start();
            sybils.push_back(std::make_unique<Liar>(
                host.udp(), [id = node.id] { return id; }, ring, static_cast<std::uint32_t>(sybils.size())));
            sybils.back()->invents = false;
            sybils.back()->names_nearest = GetParam().names_nearest;
            host.udp().add(*sybils.back());
        }
        for (auto const& member : network.members) {
            for (int i = 0; i < 8; ++i) sybils[network.below(sybils.size())]->court(member->endpoint());
            network.run_for(100ms);
        }
        network.announce(torrents);
        auto const figures = search(network, torrents, 100);
        std::size_t asked = 0;
        for (auto const& each : sybils) asked += each->asked;
        EXPECT_GT(asked, 1000u) << "the ring was in everybody's way";
        return figures;
    }

    // Each takes the nearest to the torrent of the eight ids that its address permits (BEP 42): nothing in one of them
    // tells it from an honest node.
    std::vector<torrent::NodeContact> nearest_permitted() {
        auto const nearer = [&](auto const& a, auto const& b) { return torrent::is_closer(target, a.id, b.id); };
        std::vector<torrent::NodeContact> ring;
        while (ring.size() < GetParam().addresses) {
            torrent::Endpoint const at{network.random_address(), 6881};
            std::vector<torrent::NodeContact> permitted;
            for (unsigned choice = 0; choice < 8; ++choice) {
                std::array<std::byte, torrent::NodeId::kBytes> bytes{};
                std::copy(target.bytes().begin(), target.bytes().end(), bytes.begin());
                bytes.back() = static_cast<std::byte>(choice);
                permitted.push_back({torrent::secure_node_id(at.address, torrent::NodeId(bytes)), at});
            }
            ring.push_back(*std::min_element(permitted.begin(), permitted.end(), nearer));
        }
        std::sort(ring.begin(), ring.end(), nearer);
        ring.resize(kRing);
        return ring;
    }

    static constexpr std::size_t kRing = 64;
    DhtNetwork network{GetParam().seed};
    std::vector<torrent::InfoHash> torrents;
    torrent::NodeId target;
};

class SybilsWithMadeUpIds : public Sybils {};

TEST_P(SybilsWithMadeUpIds, DoNotHideATorrentBehindTheirRing) {
    std::vector<torrent::NodeContact> ring;
    while (ring.size() < kRing) {
        torrent::Endpoint const at{network.random_address(), 6881};
        ring.push_back({torrent::id_within(target, 60, torrent::NodeId(network.random_hash())), at});
    }

    auto const figures = hide_torrent(ring);

    EXPECT_GE(figures.found, 0.95);
    EXPECT_LT(figures.median_seconds, 2.0);
    EXPECT_LE(figures.most_queries, 60u);
}

INSTANTIATE_TEST_SUITE_P(OfSeed, SybilsWithMadeUpIds,
                         testing::Values(Attack{"3", 64, false, 0min, 3}, Attack{"13", 64, false, 0min, 13},
                                         Attack{"53", 64, false, 0min, 53}, Attack{"90", 64, false, 0min, 90}),
                         [](auto const& attack) { return attack.param.name; });

class SybilsWithValidIds : public Sybils {};

// In a network of half a minute, whose nodes hardly know each other, those who choose among 200 addresses still spoil
// one search of eight.
TEST_P(SybilsWithValidIds, DoNotHideATorrentBehindTheirRing) {
    auto const figures = hide_torrent(nearest_permitted());

    EXPECT_GE(figures.found, 0.95);
    EXPECT_LT(figures.median_seconds, 2.0);
    EXPECT_LE(figures.most_queries, 60u);
}

INSTANTIATE_TEST_SUITE_P(
    OfAddresses, SybilsWithValidIds,
    testing::Values(Attack{"AsTheyCome", 64, false, 0min, 3}, Attack{"AsTheyComeToOthers", 64, false, 0min, 13},
                    Attack{"AsTheyComeNamingTheNearest", 64, true, 0min, 53},
                    Attack{"TheBestOf200", 200, false, 15min, 90}, Attack{"TheBestOfAThousand", 1'000, false, 15min, 3},
                    Attack{"TheBestOfAThousandInAYoungNetwork", 1'000, false, 0min, 13},
                    Attack{"TheBestOfAThousandNamingTheNearest", 1'000, true, 15min, 53},
                    Attack{"TheBestOfAHundredThousand", 100'000, false, 15min, 13},
                    Attack{"TheBestOfAHundredThousandNamingTheNearest", 100'000, true, 15min, 90}),
    [](auto const& attack) { return attack.param.name; });

// Half of the nodes are others after eight minutes: seven times as fast as in an hour.
TEST(DhtNetwork, FindsWhileNodesComeAndGo) {
    DhtNetwork network(4);
    network.join(1000, 60s);
    network.run_for(30s);
    std::vector<DhtNetwork::Found> searches;
    auto const torrents = random_torrents(network, 10);
    network.announce(torrents);
    for (int i = 0; i < 500; ++i) {
        network.leave(network.random_member());
        network.join();
        network.run_for(1s);
        if (i >= 300)
            searches.push_back(network.look_up(network.random_member(), torrents[network.below(torrents.size())]));
    }

    auto const figures = figures_of(searches);

    EXPECT_GE(figures.found, 0.95);
    EXPECT_LT(figures.median_seconds, 2.0);
    EXPECT_LE(figures.most_queries, 60u);
}

// Each of them, and both ways with the heads of IP and UDP.
TEST(DhtNetwork, IdleNodesSendAndReceiveLessThanAKilobyteASecond) {
    DhtNetwork network(5);
    network.join(200, 30s);
    network.run_for(120s);
    std::vector<std::uint64_t> before;
    for (auto const& each : network.members) before.push_back(each->socket->bytes_in + each->socket->bytes_out);

    network.run_for(300s);

    std::vector<std::uint64_t> per_second;
    for (std::size_t i = 0; i < before.size(); ++i) {
        auto const& socket = *network.members[i]->socket;
        per_second.push_back((socket.bytes_in + socket.bytes_out - before[i]) / 300);
    }
    std::sort(per_second.begin(), per_second.end());
    std::cout << "idle, in and out with heads: median " << per_second[per_second.size() / 2] << " B/s, most "
              << per_second.back() << " B/s\n";
    EXPECT_LT(per_second.back(), 1000u);
}

}  // namespace
}  // namespace rqfs::tests
