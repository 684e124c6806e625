// Nodes that are alive and answer our queries with errors.
#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::endpoint;
using tests::nth_endpoint;
using tests::random_id;

struct RefusingNodes : tests::DhtOnFakeUdp {
    std::set<Endpoint> refusing;
    bool no_announcements = false;

    RefusingNodes() {
        udp.network = [this](tests::FakeUdp::Sent const& sent) {
            auto const query = query_of(sent.bytes);
            if (query.transaction.empty()) return std::vector<std::string>();
            if (refusing.contains(sent.to)) return error(query, 202);
            if (no_announcements && query.method == KrpcMethod::announce_peer) return error(query, 203);
            KrpcReply reply;
            reply.transaction = query.transaction;
            reply.id = contact(sent.to).id;
            reply.token = "token";
            reply.nodes.emplace();
            for (int i = 0; i < 8; ++i)
                reply.nodes->push_back(contact(nth_endpoint(static_cast<std::uint32_t>(random() % living_nodes))));
            return std::vector<std::string>{tests::text_of(encode_krpc(reply))};
        };
    }
    static std::vector<std::string> error(KrpcQuery const& query, std::int64_t code) {
        KrpcError error;
        error.transaction = query.transaction;
        error.code = code;
        error.text = "no";
        return {tests::text_of(encode_krpc(error))};
    }
    // Each has an id of its own.
    static NodeContact contact(Endpoint const& at) {
        auto const bytes = at.address.bytes();
        std::mt19937 noise(bytes[0] * 65'536u + bytes[1] * 256u + bytes[2]);
        return {secure_node_id(at.address, random_id(noise)), at};
    }
    std::size_t queries_to(Endpoint const& node) const {
        std::size_t count = 0;
        for (auto const& each : udp.sent) count += each.to == node ? 1u : 0u;
        return count;
    }
};

TEST_F(RefusingNodes, AreAskedLessAndLessAndForgotten) {
    living_nodes = 1;
    start();
    dht->add_node(nth_endpoint(0));
    run(1min);
    auto const before = dht->status().front();
    refusing = {nth_endpoint(0)};
    udp.sent.clear();

    run(24h);

    EXPECT_EQ(before.good, 1u);
    EXPECT_LE(queries_to(nth_endpoint(0)), 60u) << "a day";
    auto const after = dht->status().front();
    EXPECT_EQ(after.good + after.questionable, 0u);
}

TEST_F(RefusingNodes, AreOfNoUseAfterThreeErrors) {
    living_nodes = 1;
    start();
    dht->add_node(nth_endpoint(0));
    run(1min);
    refusing = {nth_endpoint(0)};

    run(13min);

    EXPECT_EQ(dht->status().front().good, 0u);
    EXPECT_EQ(dht->status().front().questionable, 0u);
}

TEST_F(RefusingNodes, MakeRoomForOthers) {
    start();
    dht->add_node(nth_endpoint(0));
    run(1h);
    auto const before = dht->status().front();
    for (std::uint32_t i = 0; i < living_nodes; i += 2) refusing.insert(nth_endpoint(i));
    udp.sent.clear();

    run(3h);

    auto const after = dht->status().front();
    EXPECT_GE(after.good, before.good * 2 / 3) << "half of them refuse";
    EXPECT_EQ(after.questionable, 0u);
    std::size_t most = 0;
    for (auto const& each : refusing) most = std::max(most, queries_to(each));
    EXPECT_LE(most, 90u) << "queries in three hours to one that the others go on naming";
}

TEST_F(RefusingNodes, AreNotTheLineThatIsDown) {
    start();
    dht->add_node(nth_endpoint(0));
    run(1h);
    auto const good = dht->status().front().good;
    for (std::uint32_t i = 0; i < living_nodes; i += 10) refusing.insert(nth_endpoint(i));

    run(1h);

    EXPECT_GE(dht->status().front().good, good / 2);
    EXPECT_TRUE(dht->status().front().connected);
}

// Some answer questions and take no announcement.
TEST_F(RefusingNodes, ThatOnlyTakeNoAnnouncementsStayGood) {
    no_announcements = true;
    start();
    dht->add_node(nth_endpoint(0));
    run(1min);
    auto const search = dht->find_peers(random_id(random).info_hash(), [](auto const&) {});
    search->announce({6881, 6881}, false);

    run(5s);

    EXPECT_GE(sent_of(KrpcMethod::announce_peer), 8u);
    EXPECT_EQ(dht->status().front().questionable, 0u);
}

// Whose name stands for a router after it was found to be a node is still a node.
TEST_F(RefusingNodes, ANodeThatIsARouterTooIsNotAskedForEver) {
    living_nodes = 1;
    options.routers = {"router.example:6881"};
    start();
    dht->add_node(nth_endpoint(0));
    run(1s);
    names.known["router.example"] = {nth_endpoint(0).address};
    run(1h);

    EXPECT_EQ(dht->status().front().questionable, 0u);
    EXPECT_EQ(dht->status().front().good, 1u);
}

}  // namespace
}  // namespace rqfs::torrent
