#include "torrent/dht/dht.h"

#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht_state.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::bytes_of;
using tests::endpoint;
using tests::nth_endpoint;
using tests::random_id;
using tests::text_of;

struct Node : tests::DhtOnFakeUdp {
    // Those that nodes of each family heard.
    PerFamily<std::set<std::uint16_t>> announced_ports() const {
        PerFamily<std::set<std::uint16_t>> ports;
        for (auto const& each : udp.sent) {
            auto const query = query_of(each.bytes);
            if (query.method == KrpcMethod::announce_peer) ports[each.to.address.is_v6()].insert(query.port);
        }
        return ports;
    }
};

TEST_F(Node, LeavesAloneWhatIsNotOfTheDht) {
    start();
    EXPECT_FALSE(dht->datagram(nth_endpoint(1), bytes_of(std::string(20, '\0'))));
    EXPECT_FALSE(dht->datagram(nth_endpoint(1), {}));
    EXPECT_TRUE(dht->datagram(nth_endpoint(1), bytes_of("dance")));
}

TEST_F(Node, AsksRoutersByNameAndSearchesFromThem) {
    names.known["router.example"] = {nth_endpoint(9).address};
    options.routers = {"nowhere.example:1", "router.example:6881", "nonsense"};
    everybody_answers();
    start();
    std::vector<Endpoint> peers;
    auto const search = dht->find_peers(InfoHash(), [&](auto const& found) { peers = found; });
    run(2s);

    EXPECT_EQ(names.asked.size(), 2u);
    EXPECT_EQ(peers, std::vector{endpoint("55.5.5.5:5555")});
    EXPECT_GE(dht->status().front().good, 8u);
}

TEST_F(Node, TriesRoutersAgainLaterAndLater) {
    options.routers = {"router.example:6881"};
    start();
    run(60s);
    auto const first_minute = names.asked.size();
    run(1h);

    EXPECT_GE(first_minute, 3u);
    EXPECT_LE(names.asked.size(), 14u);
}

TEST_F(Node, AsksTheNodesOfTheLastRunBeforeRouters) {
    DhtState state;
    for (std::uint32_t i = 0; i < 20; ++i)
        state.nodes.push_back({secure_node_id(nth_endpoint(i).address, NodeId()), nth_endpoint(i)});
    names.known["router.example"] = {nth_endpoint(999).address};
    options.routers = {"router.example:6881"};
    everybody_answers();
    start(state.encode());
    run(10s);

    EXPECT_TRUE(names.asked.empty());
    EXPECT_GE(dht->status().front().good, 8u);
    EXPECT_GE(DhtState::parse(dht->save()).nodes.size(), 8u);
}

TEST_F(Node, APortMessageIsAnInvitationToPing) {
    start();
    dht->add_node(nth_endpoint(5));
    dht->add_node(endpoint("127.0.0.1:6881"));
    dht->add_node(endpoint("20.1.1.1:22"));
    run(1s);

    ASSERT_EQ(udp.sent.size(), 1u);
    EXPECT_EQ(udp.sent.front().to, nth_endpoint(5));
}

TEST_F(Node, ASearchAnnouncesOnceAQuarterOfAnHourUntilItEnds) {
    everybody_answers();
    start();
    dht->add_node(nth_endpoint(5));
    run(1min);
    auto search = dht->find_peers(random_id(random).info_hash(), [](auto const&) {});
    search->announce({6881, 6881}, false);
    run(10s);
    auto const first = sent_of(KrpcMethod::announce_peer);
    run(16min);
    auto const second = sent_of(KrpcMethod::announce_peer);
    search.reset();
    run(1h);

    EXPECT_GE(first, 8u);
    EXPECT_LE(first, 12u);
    EXPECT_GE(second, first + 8);
    EXPECT_EQ(sent_of(KrpcMethod::announce_peer), second);
    EXPECT_EQ(dht->status().front().searches, 0u);
}

TEST_F(Node, AnAnnouncementThatFewHeardIsRepeatedAsSoonAsTheNetworkMayBeKnown) {
    living_nodes = 2;
    everybody_answers();
    start();
    dht->add_node(nth_endpoint(1));
    run(10s);
    auto const search = dht->find_peers(random_id(random).info_hash(), [](auto const&) {});
    search->announce({6881, 6881}, false);
    run(10s);
    auto const first = sent_of(KrpcMethod::announce_peer);
    living_nodes = 500;
    run(1min);

    EXPECT_GE(first, 1u);
    EXPECT_LE(first, 2u);
    EXPECT_GE(sent_of(KrpcMethod::announce_peer), first + 8);
}

TEST_F(Node, AnAnnouncementNamesThePortOfItsFamily) {
    udp.listening = {endpoint("0.0.0.0:6881"), endpoint("[::]:7000")};
    everybody_answers();
    start();
    dht->add_node(nth_endpoint(1));
    dht->add_node(endpoint("[2600::1]:6881"));
    run(10s);
    auto const search = dht->find_peers(random_id(random).info_hash(), [](auto const&) {});

    search->announce({50'000, 7000}, false);
    run(1min);

    EXPECT_EQ(announced_ports()[false], (std::set<std::uint16_t>{50'000}));
    EXPECT_EQ(announced_ports()[true], (std::set<std::uint16_t>{7000}));
}

// With a search that announces one port.
struct Announcing : Node {
    void SetUp() override {
        everybody_answers();
        start();
        dht->add_node(nth_endpoint(1));
        run(10s);
        search = dht->find_peers(random_id(random).info_hash(), [](auto const&) {});
        search->announce({6881, 6881}, false);
    }

    std::unique_ptr<Dht::Search> search;
};

TEST_F(Announcing, AnotherPortIsAnnouncedAtOnce) {
    run(1min);

    search->announce({50'000, 6881}, false);
    run(10s);

    EXPECT_EQ(announced_ports()[false], (std::set<std::uint16_t>{6881, 50'000}));
}

TEST_F(Announcing, AnotherPortIsAnnouncedThoughASearchIsJustAnnouncingTheLast) {
    run(0s);

    search->announce({50'000, 6881}, false);
    run(20s);

    EXPECT_TRUE(announced_ports()[false].contains(50'000));
}

TEST_F(Node, TakesTheIdOfTheAddressThatOthersSee) {
    everybody_answers();
    start();
    auto const before = dht->status().front();
    dht->add_node(nth_endpoint(5));
    run(1min);

    auto const after = dht->status().front();
    EXPECT_NE(after.id, before.id);
    EXPECT_EQ(after.external, Address::parse("99.1.2.3").value());
    EXPECT_TRUE(is_secure(NodeId(InfoHash::parse(after.id).value()), *after.external));
}

TEST_F(Node, SaysWhatTheNodesAgreeOnAsItsAddress) {
    everybody_answers();
    std::vector<Address> told;
    options.on_address = [&](Address const& address) { told.push_back(address); };
    start();
    dht->add_node(nth_endpoint(5));
    run(1min);

    EXPECT_EQ(told, std::vector<Address>{Address::parse("99.1.2.3").value()});
}

TEST_F(Node, OthersThanNodesTellItsAddressUntilNodesHaveAgreed) {
    auto const from_others = Address::parse("55.1.2.3").value();
    everybody_answers();
    start();
    dht->external_address(from_others);
    auto const at_first = dht->status().front();
    dht->add_node(nth_endpoint(5));
    run(10min);
    dht->external_address(from_others);
    auto const later = dht->status().front();

    EXPECT_EQ(at_first.external, from_others);
    EXPECT_TRUE(is_secure(NodeId(InfoHash::parse(at_first.id).value()), from_others));
    EXPECT_EQ(later.external, Address::parse("99.1.2.3").value());
}

TEST_F(Node, ASearchTellsHowFarItIs) {
    everybody_answers();
    start();
    auto const search = dht->find_peers(random_id(random).info_hash(), [](auto const&) {});
    auto const lonely = search->progress();
    dht->add_node(nth_endpoint(5));
    run(1s);
    run(1min);
    auto const done = search->progress();

    EXPECT_FALSE(lonely.nodes_known);
    EXPECT_FALSE(lonely.next);
    EXPECT_TRUE(done.nodes_known);
    EXPECT_TRUE(done.searching || done.next);
}

TEST_F(Node, AnswersNobodyWhenReadOnlyAndSaysSo) {
    options.read_only = true;
    start();
    udp.inject(nth_endpoint(1), ask(KrpcMethod::ping));
    dht->add_node(nth_endpoint(2));
    run(1s);

    ASSERT_EQ(udp.sent.size(), 1u);
    EXPECT_TRUE(query_of(udp.sent.front().bytes).read_only);
}

TEST_F(Node, ReadOnlyNodesDoNotGetIntoTheTable) {
    everybody_answers();
    start();
    auto query = query_of(ask(KrpcMethod::ping));
    query.read_only = true;
    udp.inject(nth_endpoint(1), text_of(encode_krpc(query)));
    run(30s);

    EXPECT_EQ(dht->status().front().good, 0u);
}

TEST_F(Node, WhoAsksUsIsAskedBackAndOnlyThenKnown) {
    start();
    udp.inject(nth_endpoint(1), ask(KrpcMethod::ping));
    run(1s);

    ASSERT_EQ(udp.sent.size(), 2u);
    EXPECT_EQ(query_of(udp.sent.back().bytes).method, KrpcMethod::ping);
    EXPECT_EQ(dht->status().front().good, 0u);
}

TEST_F(Node, TakesNoAnswerFromElsewhereOrToNoQuery) {
    start();
    dht->add_node(nth_endpoint(1));
    run(100ms);
    KrpcReply reply;
    reply.id = random_id(random);
    for (unsigned guess = 0; guess < 65'536; ++guess) {
        reply.transaction = {static_cast<char>(guess & 0xff), static_cast<char>(guess >> 8), 0, 0};
        if (guess % 64 == 0) udp.inject(nth_endpoint(2), text_of(encode_krpc(reply)));
    }
    reply.transaction = query_of(udp.sent.front().bytes).transaction;
    udp.inject(nth_endpoint(3), text_of(encode_krpc(reply)));
    run(1s);
    EXPECT_EQ(dht->status().front().good, 0u);

    udp.inject(nth_endpoint(1), text_of(encode_krpc(reply)));
    run(1s);

    EXPECT_EQ(dht->status().front().good, 1u);
}

// 50,000 queries in five seconds in the names of 250 others; one that we know asks too.
TEST_F(Node, AFloodInFalseNamesGetsLittleBack) {
    everybody_answers();
    start();
    auto const friendly = nth_endpoint(1'000);
    dht->add_node(friendly);
    run(1s);
    udp.network = [](auto const&) { return std::vector<std::string>(); };
    udp.sent.clear();
    std::size_t in = 0;
    std::size_t asked = 0;
    for (std::uint32_t i = 0; i < 50'000; ++i) {
        auto const bytes = ask(KrpcMethod::get_peers);
        in += bytes.size();
        dht->datagram(nth_endpoint(i % 250), bytes_of(bytes));
        if (i % 1'000 == 500) {
            dht->datagram(friendly, bytes_of(ask(KrpcMethod::get_peers)));
            ++asked;
        }
        if (i % 100 == 99) run(10ms);
    }
    std::size_t out = 0;
    std::size_t answered = 0;
    for (auto const& each : udp.sent) {
        out += each.bytes.size();
        auto const message = parse_krpc(bytes_of(each.bytes));
        answered += each.to == friendly && message && std::holds_alternative<KrpcReply>(*message) ? 1u : 0u;
    }

    EXPECT_LE(out, 16'000u * 5 + 32'000u + 45'000u) << "answers, and queries back";
    EXPECT_LT(static_cast<double>(out) / static_cast<double>(in), 1.5);
    EXPECT_GE(answered * 10, asked * 9);
}

TEST_F(Node, GarbageIsSurvived) {
    start();
    for (int i = 0; i < 3'000; ++i) {
        auto bytes = ask(KrpcMethod::announce_peer);
        for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
        dht->datagram(nth_endpoint(static_cast<std::uint32_t>(i)), bytes_of(bytes));
        if (i % 50 == 0) run(1s);
    }
    EXPECT_EQ(dht->status().front().stored_peers, 0u);
}

TEST_F(Node, AHundredSearchesAtOnceKeepToWhatWeMaySend) {
    everybody_answers();
    start();
    dht->add_node(nth_endpoint(5));
    run(1min);
    udp.sent.clear();
    std::vector<std::unique_ptr<Dht::Search>> searches;
    for (int i = 0; i < 100; ++i)
        searches.push_back(dht->find_peers(random_id(random).info_hash(), [](auto const&) {}));
    run(10s);
    std::size_t bytes = 0;
    for (auto const& each : udp.sent) bytes += each.bytes.size();

    EXPECT_GT(bytes, 30'000u);
    EXPECT_LE(bytes, limit::kDhtQueryBytesPerSecond * 12u);
}

TEST_F(Node, TakesNoAnswerThatComesTooLate) {
    start();
    dht->add_node(nth_endpoint(1));
    run(100ms);
    KrpcReply reply;
    reply.id = random_id(random);
    reply.transaction = query_of(udp.sent.front().bytes).transaction;

    run(15s);
    udp.inject(nth_endpoint(1), text_of(encode_krpc(reply)));
    run(1s);

    EXPECT_EQ(dht->status().front().good, 0u);
}

TEST_F(Node, WhoCarriesOurOwnIdIsNotHeard) {
    start();
    auto query = query_of(ask(KrpcMethod::ping));
    query.id = NodeId(InfoHash::parse(dht->status().front().id).value());
    udp.inject(nth_endpoint(1), text_of(encode_krpc(query)));
    run(1s);

    EXPECT_TRUE(udp.sent.empty());
}

}  // namespace
}  // namespace rqfs::torrent
