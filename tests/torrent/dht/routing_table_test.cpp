#include "torrent/dht/routing_table.h"

#include "tests/torrent/dht/bytes.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::nth_endpoint;
using tests::random_id;

struct Table : testing::Test {
    std::mt19937 random{7};
    NodeId own = random_id(random);
    TimePoint now{1000h};
    RoutingTable table{own, true};
    std::uint32_t used = 0;

    // An id at that distance; addresses for which it would follow are not looked for: nobody is secure here.
    NodeContact node(unsigned bits) { return {id_at_distance(own, bits, random_id(random)), nth_endpoint(++used)}; }
    NodeContact add(unsigned bits) {
        auto const each = node(bits);
        table.replied(each, now);
        return each;
    }
    NodeContact secure() {
        return {secure_node_id(nth_endpoint(++used).address, random_id(random)), nth_endpoint(used)};
    }
    NodeContact secure(unsigned bits) {
        auto each = secure();
        while (common_bits(each.id, own) != bits) each = secure();
        return each;
    }
    // For an hour every node answers; those who are asked for the ids within `bits` of ours.
    std::set<Endpoint> asked_about(unsigned bits) {
        std::set<Endpoint> asked;
        for (auto const end = now + 1h; now < end; now += 1s) {
            auto const check = table.next_check(random_id(random), now);
            if (!check) continue;
            table.replied(check->node, now);
            if (!check->find) continue;
            table.refreshed(*check->find, now);
            if (common_bits(own, *check->find) == bits) asked.insert(check->node.endpoint);
        }
        return asked;
    }
};

TEST_F(Table, KnowsNobodyAtFirst) {
    EXPECT_TRUE(table.empty());
    EXPECT_FALSE(table.next_check(random_id(random), now));
    EXPECT_EQ(table.next_check_time(), TimePoint::max());
    EXPECT_TRUE(table.closest(own, 8, true, now).empty());
}

TEST_F(Table, GivesTheNearestFirst) {
    for (unsigned bits = 0; bits < 60; ++bits) add(bits);

    auto const nearest = table.closest(own, 8, false, now);

    ASSERT_EQ(nearest.size(), 8u);
    for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(common_bits(own, nearest[i].id), 59 - i);
}

TEST_F(Table, GivesTheNearestOfAllToAnyTarget) {
    std::vector<NodeContact> all;
    for (int i = 0; i < 28; ++i) all.push_back(add(static_cast<unsigned>(i % 4)));
    for (int i = 0; i < 50; ++i) {
        auto const target = random_id(random);
        std::sort(all.begin(), all.end(), [&](auto const& a, auto const& b) { return is_closer(target, a.id, b.id); });

        EXPECT_EQ(table.closest(target, 8, true, now), (std::vector<NodeContact>(all.begin(), all.begin() + 8)));
    }
}

TEST_F(Table, TellsAtMostHalfOfNodesWithIdsOfTheirChoice) {
    auto const target = random_id(random);
    for (int i = 0; i < 40; ++i) table.replied(secure(), now);
    for (int i = 0; i < 8; ++i) table.replied({id_within(target, 40, random_id(random)), nth_endpoint(++used)}, now);

    auto const told = table.closest(target, 8, false, now);

    EXPECT_EQ(
        std::count_if(told.begin(), told.end(), [](auto const& n) { return is_secure(n.id, n.endpoint.address); }), 4);
}

TEST_F(Table, HasEightPlacesForWhoCrowdsAroundOneIdHoweverManyAreFree) {
    NodeId const target = id_at_distance(own, 0, random_id(random));
    for (int i = 0; i < 20; ++i) add(0);
    for (int i = 0; i < 64; ++i) table.replied({id_within(target, 20, random_id(random)), nth_endpoint(++used)}, now);

    auto const told = table.closest(target, 64, true, now);

    EXPECT_EQ(
        std::count_if(told.begin(), told.end(), [&](auto const& n) { return common_bits(n.id, target) >= 5; }), 8);
}

TEST_F(Table, TheirPlacesGoToWhoSitsThereToo) {
    for (int i = 0; i < 9; ++i) add(5);
    NodeId const target = id_at_distance(own, 0, random_id(random));
    std::vector<NodeContact> crowd;
    for (int i = 0; i < 9; ++i) {
        crowd.push_back({id_within(target, 20, random_id(random)), nth_endpoint(++used)});
        table.replied(crowd.back(), now);
    }
    auto const elsewhere = node(0);
    ASSERT_LT(common_bits(elsewhere.id, target), 5u);
    table.replied(elsewhere, now);
    ASSERT_EQ(table.state(crowd.back().endpoint, now), std::nullopt) << "it waits for a place";
    for (int i = 0; i < 3; ++i) table.failed(elsewhere.endpoint, now);
    EXPECT_EQ(table.state(elsewhere.endpoint, now), RoutingTable::State::bad) << "nobody has a right to its place";
    for (int i = 0; i < 7; ++i) table.failed(elsewhere.endpoint, now);
    EXPECT_EQ(table.state(crowd.back().endpoint, now), std::nullopt);

    for (int i = 0; i < 3; ++i) table.failed(crowd.front().endpoint, now);

    EXPECT_EQ(table.state(crowd.back().endpoint, now), RoutingTable::State::good);
}

TEST_F(Table, EstimatesHowManyNodesTheNetworkHas) {
    for (std::size_t const nodes : {300u, 1'000u, 3'000u}) {
        RoutingTable neighbourhood(own, true);
        for (std::size_t i = 0; i < nodes; ++i) neighbourhood.replied(secure(), now);

        EXPECT_GT(neighbourhood.estimated_nodes(now), static_cast<double>(nodes) / 2);
        EXPECT_LT(neighbourhood.estimated_nodes(now), static_cast<double>(nodes) * 2);
    }
}

TEST_F(Table, DoesNotEstimateFromFewNodesOrSuchAsChooseTheirIds) {
    for (int i = 0; i < 15; ++i) table.replied(secure(), now);
    for (int i = 0; i < 30; ++i) add(8);

    EXPECT_EQ(table.estimated_nodes(now), 0);
}

TEST_F(Table, HoldsFewFarNodesAndManyBuckets) {
    for (int i = 0; i < 300; ++i) add(0);
    for (int i = 0; i < 300; ++i) add(10);

    auto const counts = table.counts(now);
    EXPECT_LE(counts.good, 128u + 8u);
    EXPECT_EQ(counts.replacements, 16u);
    EXPECT_EQ(table.buckets(), 12u);
}

TEST_F(Table, NodesBecomeQuestionableAfterAQuarterOfAnHour) {
    auto const each = add(3);

    EXPECT_EQ(table.state(each.endpoint, now + 14min), RoutingTable::State::good);
    EXPECT_EQ(table.state(each.endpoint, now + 15min), RoutingTable::State::questionable);
    table.queried(each, now + 14min);
    EXPECT_EQ(table.state(each.endpoint, now + 28min), RoutingTable::State::good);
}

TEST_F(Table, AQueryFromAnUnknownNodeDoesNotBringItIn) {
    table.queried(node(3), now);
    EXPECT_TRUE(table.empty());
}

TEST_F(Table, NodesAreBadAfterThreeFailuresAndGoneAfterTen) {
    auto const each = add(3);
    for (int i = 0; i < 9; ++i) {
        table.failed(each.endpoint, now);
        EXPECT_EQ(table.state(each.endpoint, now),
                  i < 2 ? RoutingTable::State::questionable : RoutingTable::State::bad);
    }
    EXPECT_TRUE(table.closest(own, 8, true, now).empty());
    table.failed(each.endpoint, now);
    EXPECT_TRUE(table.empty());
}

TEST_F(Table, AnAnswerMakesABadNodeGood) {
    auto const each = add(3);
    for (int i = 0; i < 5; ++i) table.failed(each.endpoint, now);

    table.replied(each, now);

    EXPECT_EQ(table.state(each.endpoint, now), RoutingTable::State::good);
}

TEST_F(Table, ABadNodeIsReplacedByTheLatestThatWaits) {
    std::vector<NodeContact> nodes;
    for (int i = 0; i < 20; ++i) nodes.push_back(add(20));
    for (unsigned bits = 21; bits < 40; ++bits) add(bits);
    auto const last = add(20);
    for (int i = 0; i < 3; ++i) table.failed(nodes.front().endpoint, now);

    EXPECT_FALSE(table.state(nodes.front().endpoint, now));
    EXPECT_EQ(table.state(last.endpoint, now), RoutingTable::State::good);
}

TEST_F(Table, OneNodeAnAddress) {
    auto const first = add(3);
    NodeContact second{id_at_distance(own, 4, random_id(random)), {first.endpoint.address, 7000}};
    EXPECT_FALSE(table.welcome(second, now));

    table.replied(second, now);

    EXPECT_EQ(table.counts(now).good, 1u);
}

TEST_F(Table, OneNodeANetworkInABucketAndEightInAll) {
    for (unsigned bits = 0; bits < 100; ++bits) add(bits);
    auto const before = table.counts(now).good;
    for (unsigned i = 0; i < 200; ++i)
        table.replied({id_at_distance(own, i % 100, random_id(random)),
                       {Address::v4({99, 1, 1, static_cast<std::uint8_t>(i)}), 6881}},
                      now);
    EXPECT_EQ(table.counts(now).good, before + 8);

    RoutingTable far(own, true);
    for (unsigned i = 0; i < 200; ++i)
        far.replied(
            {id_at_distance(own, 0, random_id(random)), {Address::v4({99, 1, 1, static_cast<std::uint8_t>(i)}), 6881}},
            now);
    EXPECT_EQ(far.counts(now).good, 1u);
}

TEST_F(Table, InATestNetworkNodesShareAddresses) {
    RoutingTable lab(own, false);
    for (std::uint16_t port = 1; port <= 50; ++port)
        lab.replied({id_at_distance(own, port % 8u, random_id(random)), {Address::v4({127, 0, 0, 1}), port}}, now);
    EXPECT_EQ(lab.counts(now).good, 50u);
}

TEST_F(Table, ANodeThatChangesItsIdIsDropped) {
    auto const each = add(3);

    table.replied({random_id(random), each.endpoint}, now);

    EXPECT_TRUE(table.empty());
}

TEST_F(Table, AnIdThatIsTakenStaysWithItsFirst) {
    auto const first = add(3);
    NodeContact const thief{first.id, nth_endpoint(5000)};
    EXPECT_FALSE(table.welcome(thief, now));

    table.replied(thief, now);

    EXPECT_TRUE(table.state(first.endpoint, now));
    EXPECT_FALSE(table.state(thief.endpoint, now));
}

TEST_F(Table, OurOwnIdIsNobody) {
    table.replied({own, nth_endpoint(1)}, now);
    EXPECT_TRUE(table.empty());
    EXPECT_FALSE(table.welcome({own, nth_endpoint(1)}, now));
}

TEST_F(Table, ANodeWithTheIdOfItsAddressTakesThePlaceOfAnother) {
    while (table.counts(now).good < 128u)
        table.replied({id_at_distance(own, 0, random_id(random)), nth_endpoint(++used)}, now);
    auto const newcomer = secure(0);
    EXPECT_TRUE(table.welcome(newcomer, now));

    table.replied(newcomer, now);

    EXPECT_EQ(table.state(newcomer.endpoint, now), RoutingTable::State::good);
    EXPECT_EQ(table.counts(now).good, 128u);
}

// Every node answers: none is ever unknown for long, and every bucket is refreshed.
TEST_F(Table, ChecksKeepEveryNodeGoodAndEveryBucketFresh) {
    for (int i = 0; i < 400; ++i) add(static_cast<unsigned>(i % 10));
    std::map<std::size_t, TimePoint> refreshed;
    for (std::size_t i = 0; i < table.buckets(); ++i) refreshed[i] = now;
    auto const end = now + 2h;
    std::size_t checks = 0;
    while (now < end) {
        now = std::max(now + 1s, std::min(table.next_check_time(), now + 30s));
        auto const check = table.next_check(random_id(random), now);
        if (!check) continue;
        ++checks;
        table.replied(check->node, now);
        if (check->find) {
            table.refreshed(*check->find, now);
            refreshed[std::min<std::size_t>(common_bits(own, *check->find), table.buckets() - 1)] = now;
        }
        ASSERT_EQ(table.counts(now).questionable, 0u);
        for (auto const& [index, when] : refreshed) ASSERT_LE(now - when, 15min) << index;
    }
    EXPECT_LT(checks, 2u * 3600u) << "less than one a second";
}

// The first nodes of a bucket know few others yet.
TEST_F(Table, ABucketWithRoomLooksForMoreSoonAtFirst) {
    auto const only = add(0);
    auto const begin = now;
    std::vector<Duration> looked;
    while (now < begin + 15min) {
        now += 1s;
        auto const check = table.next_check(random_id(random), now);
        if (!check) continue;
        table.replied(only, now);
        if (!check->find) continue;
        table.refreshed(*check->find, now);
        looked.push_back(now - begin);
    }

    std::vector<Duration> const expected{1s, 31s, 91s, 211s, 391s, 571s, 751s};
    EXPECT_EQ(looked, expected);
}

// Else whoever fills a bucket with nodes of ids it chose is the only one asked who else is in there.
TEST_F(Table, ABucketOfNodesThatChoseTheirIdsIsLookedIntoByOthersToo) {
    for (int i = 0; i < 8; ++i) add(0);
    std::set<Endpoint> honest;
    for (int i = 0; i < 3; ++i) {
        auto const each = secure(1);
        table.replied(each, now);
        honest.insert(each.endpoint);
    }

    auto const asked = asked_about(0);

    EXPECT_TRUE(std::includes(asked.begin(), asked.end(), honest.begin(), honest.end()));
}

// The other way round one that has its address's id is enough: only those are asked.
TEST_F(Table, ABucketIsLookedIntoByItsNodesWithTheIdsOfTheirAddresses) {
    for (int i = 0; i < 8; ++i) add(0);
    auto const honest = secure(0);
    table.replied(honest, now);

    EXPECT_EQ(asked_about(0), std::set{honest.endpoint});
}

// Nobody answers any more: all are asked, and none stays questionable.
TEST_F(Table, ChecksFindOutWhoIsDead) {
    for (int i = 0; i < 100; ++i) add(static_cast<unsigned>(i % 10));
    now += 15min;
    auto const end = now + 10min;
    while (now < end) {
        now += 1s;
        if (auto const check = table.next_check(random_id(random), now)) table.failed(check->node.endpoint, now);
    }
    EXPECT_EQ(table.counts(now).questionable, 0u);
    EXPECT_EQ(table.counts(now).good, 0u);
}

TEST_F(Table, AnotherIdSortsAllAnew) {
    for (int i = 0; i < 50; ++i) table.replied({random_id(random), nth_endpoint(++used)}, now);
    auto const before = table.counts(now).good;
    auto const fresh = random_id(random);

    table.change_own(fresh, now);

    EXPECT_EQ(table.own(), fresh);
    EXPECT_EQ(table.counts(now).good, before);
}

TEST_F(Table, SavesTheLatestFirst) {
    add(1);
    now += 1min;
    auto const second = add(2);
    now += 1min;
    auto const dead = add(3);
    table.failed(dead.endpoint, now);

    auto const saved = table.to_save(2);

    ASSERT_EQ(saved.size(), 2u);
    EXPECT_EQ(saved.front(), second);
}

// Whatever comes: the counts agree, and the limits hold.
TEST_F(Table, HoldsItsLimitsUnderChance) {
    for (int i = 0; i < 30'000; ++i) {
        now += std::chrono::seconds(random() % 3);
        auto const chance = static_cast<std::uint32_t>(random());
        NodeContact const each{id_at_distance(own, chance % 12, random_id(random)),
                               nth_endpoint(chance % 3000 * 50 % 9973)};
        switch (random() % 5) {
            case 0: table.failed(each.endpoint, now); break;
            case 1: table.queried(each, now); break;
            case 2: static_cast<void>(table.next_check(random_id(random), now)); break;
            default: table.replied(each, now);
        }
        if (i % 500 != 0) continue;
        auto const counts = table.counts(now);
        EXPECT_LE(counts.good + counts.questionable + counts.bad, 400u);
        EXPECT_LE(counts.replacements, table.buckets() * 8);
        auto const all = table.to_save(10'000);
        EXPECT_EQ(all.size(), counts.good + counts.questionable + counts.bad);
        std::set<Address> addresses;
        for (auto const& contact : all) EXPECT_TRUE(addresses.insert(contact.endpoint.address).second);
    }
}

}  // namespace
}  // namespace rqfs::torrent
