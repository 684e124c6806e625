#include "tests/sim/sessions/dht_of_sessions.h"
#include "torrent/dht/node_id.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using namespace torrent;

std::string v4(int number) { return std::to_string(number) + ".0.0.1:6881"; }
std::string v6(int number) { return "[2600:" + std::to_string(number) + "::1]:6881"; }

class DhtOfBothFamilies : public DhtOfSessions {
protected:
    // The router and seven others, with or without IPv4.
    void add_dht6(bool both) {
        network.name("router.test", Address::parse("2600:17::1").value());
        for (int i = 17; i <= 24; ++i) {
            std::vector<std::string> at{v6(i)};
            if (both) at.push_back(v4(i));
            add_at(at);
        }
        clock.run_for(engine, 2min);
    }
};

TEST_F(DhtOfBothFamilies, WhereThereIsOnlyIPv6AnInfoHashIsEnoughToReadAFilm) {
    auto const made = make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    add_dht6(false);
    add_torrent(add(v6(40)), made);
    clock.run_for(engine, 1min);
    auto& leech = add(v6(41));
    auto const begin = clock.now();

    add_magnet(leech, bare_magnet(hash));

    ASSERT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
    auto const peers = leech.session->peers(hash);
    ASSERT_EQ(peers.size(), 1u);
    EXPECT_EQ(peers.front().source, "dht");
    EXPECT_TRUE(peers.front().endpoint.address.is_v6());
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data);
    EXPECT_LE(clock.now() - begin, 5s);
    ASSERT_EQ(leech.session->dht().size(), 1u);
    EXPECT_TRUE(leech.session->dht().front().v6);
    EXPECT_GE(leech.session->dht().front().good, 8u);
}

TEST_F(DhtOfBothFamilies, AHostWithBothHasANodeInEachThatKnowItsAddress) {
    add_dht6(true);
    auto& host = add_at({v4(41), v6(41)});
    clock.run_for(engine, 10min);

    auto const nodes = host.session->dht();

    ASSERT_EQ(nodes.size(), 2u);
    EXPECT_NE(nodes[0].v6, nodes[1].v6);
    EXPECT_NE(nodes[0].id, nodes[1].id);
    for (auto const& node : nodes) {
        EXPECT_GE(node.good, 7u) << (node.v6 ? "IPv6" : "IPv4");
        ASSERT_TRUE(node.external);
        EXPECT_TRUE(is_secure(NodeId(InfoHash::parse(node.id).value()), *node.external)) << "BEP 42";
    }
}

TEST_F(DhtOfBothFamilies, APeerThatHasOnlyIPv6IsFoundByWhoHasBoth) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    add_dht6(true);
    add_torrent(add(v6(40)), made);
    clock.run_for(engine, 1min);
    auto& leech = add_at({v4(41), v6(41)});

    add_magnet(leech, bare_magnet(hash));

    EXPECT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
}

TEST_F(DhtOfBothFamilies, NodesOfIPv4ShowTheWayToThoseOfIPv6WhereNoRouterDoes) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    add_dht6(true);
    network.name("router4.test", Address::parse("17.0.0.1").value());
    add_torrent(add(v6(40)), made);
    clock.run_for(engine, 1min);
    auto& leech = add_at({v4(41), v6(41)}, [](Settings& settings) { settings.dht_routers = {"router4.test:6881"}; });

    add_magnet(leech, bare_magnet(hash));

    EXPECT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
    clock.run_for(engine, 5min);
    for (auto const& node : leech.session->dht()) EXPECT_GE(node.good, 7u) << (node.v6 ? "IPv6" : "IPv4");
}

TEST_F(DhtOfBothFamilies, AHostWithBothIsFoundInEach) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    add_dht6(true);
    add_torrent(add_at({"40.0.0.1:6881", "[2600:40::1]:7000"}), made);  // in each at the port of its own
    clock.run_for(engine, 1min);

    auto& over_v4 = add(v4(41));
    auto& over_v6 = add(v6(42));
    for (auto* const leech : {&over_v4, &over_v6}) add_magnet(*leech, bare_magnet(hash));

    for (auto* const leech : {&over_v4, &over_v6})
        EXPECT_TRUE(until(1min, [&] { return has_metadata(*leech, hash); })) << leech->session->torrent(hash).reason;
}

}  // namespace
}  // namespace rqfs::tests
