// What of the nodes known outlives a run.
#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/dht_state.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::endpoint;
using tests::nth_endpoint;

struct SavedNodes : tests::DhtOnFakeUdp {
    static Endpoint nth_v6(std::uint32_t n) { return endpoint("[2600:" + std::to_string(1 + n) + "::7]:6881"); }
    static NodeContact contact(Endpoint const& at) { return {secure_node_id(at.address, NodeId()), at}; }
    static DhtState some_nodes(std::uint32_t v4, std::uint32_t v6) {
        DhtState state;
        state.id4 = secure_node_id(endpoint("99.1.2.3:1").address, NodeId());
        state.id6 = secure_node_id(endpoint("[2600::1]:1").address, NodeId());
        for (std::uint32_t i = 0; i < v4; ++i) state.nodes.push_back(contact(nth_endpoint(i)));
        for (std::uint32_t i = 0; i < v6; ++i) state.nodes.push_back(contact(nth_v6(i)));
        return state;
    }
    // How many are saved now.
    std::size_t saved(bool v6) const {
        auto const state = DhtState::parse(dht->save());
        std::set<Endpoint> endpoints;
        for (auto const& node : state.nodes)
            if (node.endpoint.address.is_v6() == v6) endpoints.insert(node.endpoint);
        return endpoints.size();
    }
    // Of IPv4 all answer as everybody_answers() has it, or these alone; of IPv6 nobody.
    void only_these_answer(std::set<Endpoint> living) {
        everybody_answers();
        udp.network = [living = std::move(living), all = udp.network](tests::FakeUdp::Sent const& sent) {
            return living.contains(sent.to) ? all(sent) : std::vector<std::string>();
        };
    }
};

TEST_F(SavedNodes, OfAFamilyThatIsSilentStayBesideThoseOfTheOther) {
    udp.listening = {endpoint("0.0.0.0:6881"), endpoint("[::]:6881")};
    living_nodes = 100;
    std::set<Endpoint> living;
    for (std::uint32_t i = 0; i < living_nodes; ++i) living.insert(nth_endpoint(i));
    only_these_answer(living);
    start(some_nodes(50, 100).encode());

    run(10min);

    EXPECT_GE(saved(false), 30u);
    EXPECT_EQ(saved(true), 100u);
}

TEST_F(SavedNodes, OfAFamilyThatThisRunDoesNotHaveStay) {
    living_nodes = 100;
    everybody_answers();
    auto const state = some_nodes(50, 100);
    start(state.encode());

    run(10min);

    EXPECT_EQ(saved(true), 100u);
    EXPECT_EQ(DhtState::parse(dht->save()).id6, state.id6);
}

TEST_F(SavedNodes, AShortRunDoesNotReplaceThemByTheFewThatAnswered) {
    living_nodes = 3;
    only_these_answer({nth_endpoint(0), nth_endpoint(1), nth_endpoint(2)});
    start(some_nodes(limit::kDhtSavedNodes, 0).encode());

    run(2s);

    EXPECT_LE(dht->status().front().good, 3u);
    EXPECT_EQ(saved(false), limit::kDhtSavedNodes);
    std::set<Endpoint> const living{nth_endpoint(0), nth_endpoint(1), nth_endpoint(2)};
    auto const first = DhtState::parse(dht->save()).nodes.front().endpoint;
    EXPECT_TRUE(living.contains(first)) << "those known come first";
}

TEST_F(SavedNodes, ThatWereAskedAndDidNotAnswerAreForgottenWhileOthersAnswer) {
    living_nodes = 40;
    std::set<Endpoint> living;
    for (std::uint32_t i = 0; i < living_nodes; ++i) living.insert(nth_endpoint(i));
    only_these_answer(living);
    start(some_nodes(80, 0).encode());

    run(1h);

    std::set<Endpoint> asked;
    for (auto const& each : udp.sent)
        if (!living.contains(each.to)) asked.insert(each.to);
    EXPECT_GT(asked.size(), 0u);
    for (auto const& node : DhtState::parse(dht->save()).nodes)
        EXPECT_FALSE(asked.contains(node.endpoint)) << node.endpoint.text();
}

TEST_F(SavedNodes, StayThroughARunWithoutALine) {
    start(some_nodes(80, 0).encode());

    run(6h);

    EXPECT_EQ(saved(false), 80u);
}

TEST_F(SavedNodes, AreNoMoreThanTheirLimitAFamily) {
    everybody_answers();
    start(some_nodes(limit::kDhtSavedNodes, limit::kDhtSavedNodes).encode());

    run(1h);

    EXPECT_LE(saved(false), limit::kDhtSavedNodes);
    EXPECT_LE(saved(true), limit::kDhtSavedNodes);
}

}  // namespace
}  // namespace rqfs::torrent
