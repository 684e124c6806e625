// Nodes of one address family tell of those of the other (BEP 32).
#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/compact_nodes.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::endpoint;
using tests::nth_endpoint;

struct BothFamilies : tests::DhtOnFakeUdp {
    static Endpoint nth_v6(std::uint32_t n) { return endpoint("[2600:" + std::to_string(1 + n) + "::7]:6881"); }
    NodeContact some_node(bool v6) {
        auto const n = static_cast<std::uint32_t>(random() % living_nodes);
        auto const where = v6 ? nth_v6(n) : nth_endpoint(n);
        return {secure_node_id(where.address, NodeId()), where};
    }
    // Whose answers have the families that are wanted, their own if nothing is said.
    void everybody_knows_both() {
        udp.network = [this](tests::FakeUdp::Sent const& sent) {
            auto const query = query_of(sent.bytes);
            if (query.transaction.empty()) return std::vector<std::string>();
            bool const v6 = sent.to.address.is_v6();
            bool const unsaid = !query.want_v4 && !query.want_v6;
            KrpcReply reply;
            reply.transaction = query.transaction;
            reply.id = secure_node_id(sent.to.address, NodeId());
            if (unsaid ? !v6 : query.want_v4) reply.nodes.emplace();
            if (unsaid ? v6 : query.want_v6) reply.nodes6.emplace();
            for (int i = 0; i < 8; ++i) {
                if (reply.nodes) reply.nodes->push_back(some_node(false));
                if (reply.nodes6) reply.nodes6->push_back(some_node(true));
            }
            return std::vector<std::string>{tests::text_of(encode_krpc(reply))};
        };
    }
    // Queries that ask for nodes, and how many of them want both families.
    std::pair<std::size_t, std::size_t> wants() const {
        std::pair<std::size_t, std::size_t> counts;
        for (auto const& each : udp.sent) {
            auto const query = query_of(each.bytes);
            if (query.method != KrpcMethod::find_node && query.method != KrpcMethod::get_peers) continue;
            ++counts.first;
            if (query.want_v4 && query.want_v6) ++counts.second;
        }
        return counts;
    }
    std::size_t good(bool v6) const {
        for (auto const& each : dht->status())
            if (each.v6 == v6) return each.good;
        return 0;
    }
};

TEST_F(BothFamilies, NodesOfTheOtherAreLearntFromThoseOfOne) {
    udp.listening = {endpoint("0.0.0.0:6881"), endpoint("[::]:6881")};
    everybody_knows_both();
    start();
    dht->add_node(nth_endpoint(5));

    run(2min);

    EXPECT_GE(good(false), 8u);
    EXPECT_GE(good(true), 8u);
}

TEST_F(BothFamilies, IPv6TellsOfIPv4Too) {
    udp.listening = {endpoint("0.0.0.0:6881"), endpoint("[::]:6881")};
    everybody_knows_both();
    start();
    dht->add_node(nth_v6(5));

    run(2min);

    EXPECT_GE(good(false), 8u);
    EXPECT_GE(good(true), 8u);
}

TEST_F(BothFamilies, NobodyIsTroubledOnceBothAreKnown) {
    udp.listening = {endpoint("0.0.0.0:6881"), endpoint("[::]:6881")};
    everybody_knows_both();
    start();
    dht->add_node(nth_endpoint(5));
    run(10min);
    udp.sent.clear();

    run(10min);

    EXPECT_GT(wants().first, 0u);
    EXPECT_EQ(wants().second, 0u);
}

TEST_F(BothFamilies, WhoHasOnlyOneAsksOnlyForIt) {
    everybody_knows_both();
    start();
    dht->add_node(nth_endpoint(5));

    run(2min);

    EXPECT_GT(wants().first, 0u);
    EXPECT_EQ(wants().second, 0u);
}

}  // namespace
}  // namespace rqfs::torrent
