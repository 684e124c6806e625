#include "torrent/dht/lookup.h"

#include "tests/torrent/dht/bytes.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::nth_endpoint;
using tests::random_id;

struct Search : testing::Test {
    std::mt19937 random{11};
    NodeId target = random_id(random);
    TimePoint now{1000h};
    Lookup lookup{target, true};
    std::uint32_t used = 0;

    // In a local network, where every id will do.
    NodeContact near(unsigned bits) {
        ++used;
        return {id_at_distance(target, bits, random_id(random)),
                {Address::v4({10, static_cast<std::uint8_t>(used >> 8), static_cast<std::uint8_t>(used), 1}), 6881}};
    }
    NodeContact insecure(unsigned bits) {
        return {id_at_distance(target, bits, random_id(random)), nth_endpoint(++used)};
    }
    // As an honest node that is near tells of them: the nearest 8.
    std::vector<NodeContact> neighbours(std::vector<NodeContact> nodes) {
        std::sort(nodes.begin(), nodes.end(),
                  [&](auto const& a, auto const& b) { return is_closer(target, a.id, b.id); });
        nodes.resize(8);
        return nodes;
    }
    std::vector<NodeContact> some(std::size_t count, unsigned bits) {
        std::vector<NodeContact> nodes;
        while (nodes.size() < count) nodes.push_back(near(bits));
        return nodes;
    }
};

TEST_F(Search, WithoutAnybodyToAskIsOver) {
    EXPECT_TRUE(lookup.next(now).empty());
    EXPECT_TRUE(lookup.finished());
}

TEST_F(Search, AsksTheNearestFiveFirst) {
    for (unsigned bits = 0; bits < 16; ++bits) lookup.start_with(std::vector{near(bits)});

    auto const asked = lookup.next(now);

    ASSERT_EQ(asked.size(), 5u);
    for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(common_bits(target, asked[i].id), 15 - i);
    EXPECT_TRUE(lookup.next(now).empty());
    EXPECT_FALSE(lookup.finished());
}

TEST_F(Search, WhomItMayNotAskYetItAsksLater) {
    lookup.start_with(some(16, 3));

    EXPECT_TRUE(lookup.next(now, 0).empty());
    EXPECT_FALSE(lookup.finished());
    EXPECT_EQ(lookup.next(now, 2).size(), 2u);
    EXPECT_EQ(lookup.queries(), 2u);
    EXPECT_EQ(lookup.next(now, 60).size(), 3u);
}

TEST_F(Search, EndsWhenTheNearestEightHaveAnswered) {
    lookup.start_with(some(20, 3));
    std::size_t answered = 0;
    for (int round = 0; round < 10 && !lookup.finished(); ++round)
        for (auto const& each : lookup.next(now)) {
            ++answered;
            EXPECT_TRUE(lookup.replied(each, {}, "t", now));
        }

    EXPECT_EQ(answered, 8u);
    EXPECT_EQ(lookup.closest().size(), 8u);
    EXPECT_EQ(lookup.closest().front().token, "t");
}

TEST_F(Search, FollowsNodesThatComeNearer) {
    lookup.start_with(std::vector{near(0)});
    for (unsigned bits = 1; bits < 20; ++bits) {
        auto const asked = lookup.next(now);
        ASSERT_FALSE(asked.empty());
        EXPECT_EQ(common_bits(target, asked.front().id), bits - 1);
        lookup.replied(asked.front(), {near(bits)}, "", now);
    }
}

TEST_F(Search, DoesNotFollowNodesThatAreFartherThanWhatItHas) {
    lookup.start_with(some(8, 10));
    for (int round = 0; round < 5; ++round)
        for (auto const& each : lookup.next(now)) lookup.replied(each, some(8, 2), "", now);

    EXPECT_TRUE(lookup.finished());
    EXPECT_EQ(lookup.queries(), 8u);
}

TEST_F(Search, GoesOnPastSlowNodesAndStillTakesTheirAnswers) {
    lookup.start_with(some(16, 3));
    auto const slow = lookup.next(now);

    EXPECT_TRUE(lookup.next(now + 900ms).empty());
    EXPECT_EQ(lookup.next(now + 1s).size(), 5u);
    EXPECT_TRUE(lookup.replied(slow.front(), {near(30)}, "late", now + 2s));
    EXPECT_EQ(common_bits(target, lookup.next(now + 2s).front().id), 30u);
}

TEST_F(Search, LearnsHowFastTheNetworkIs) {
    lookup.start_with(some(16, 3));
    auto const first = lookup.next(now);
    lookup.replied(first.front(), {}, "", now + 50ms);
    lookup.next(now + 50ms);

    EXPECT_EQ(lookup.next(now + 301ms).size(), 4u) << "three round trips, at least 300 ms";
}

TEST_F(Search, EndsWithoutDeadNodes) {
    lookup.start_with(some(30, 3));
    std::size_t n = 0;
    while (!lookup.finished() && n < 100)
        for (auto const& each : lookup.next(now))
            if (++n % 3 == 0)
                lookup.failed(each.endpoint);
            else
                lookup.replied(each, {}, "t", now);

    EXPECT_EQ(lookup.closest().size(), 8u);
    EXPECT_LE(lookup.queries(), 13u);
}

TEST_F(Search, NeverAsksMoreThanItsLimit) {
    lookup.start_with(some(8, 0));
    for (int round = 0; round < 200 && !lookup.finished(); ++round)
        for (auto const& each : lookup.next(now))
            lookup.replied(each, {near(static_cast<unsigned>(round) % 150), near(5)}, "", now);

    EXPECT_TRUE(lookup.finished());
    EXPECT_LE(lookup.queries(), limit::kDhtLookupQueries);
}

TEST_F(Search, TakesOnlyTheAnswerOfWhomItAsked) {
    auto const start = some(8, 3);
    lookup.start_with(start);
    auto const asked = lookup.next(now);

    EXPECT_FALSE(lookup.replied(near(3), {near(50)}, "", now)) << "nobody asked it";
    EXPECT_FALSE(lookup.replied({random_id(random), asked[0].endpoint}, {near(50)}, "", now)) << "another id was told";
    EXPECT_FALSE(lookup.replied(asked[0], {near(50)}, "", now)) << "it has failed by that";
    EXPECT_TRUE(lookup.replied(asked[1], {}, "", now));
}

TEST_F(Search, AsksOneNodeAnAddress) {
    std::vector<NodeContact> many;
    for (std::uint16_t port = 1; port < 50; ++port)
        many.push_back({id_at_distance(target, 20, random_id(random)), {Address::v4({10, 9, 9, 9}), port}});
    lookup.start_with(many);

    EXPECT_EQ(lookup.next(now).size(), 1u);
    EXPECT_TRUE(lookup.next(now).empty());
}

TEST_F(Search, AnAddressWhoseNodeFailedMayBeAskedElsewhere) {
    auto const good = near(5);
    lookup.start_with(
        std::vector{NodeContact{id_at_distance(target, 20, random_id(random)), {good.endpoint.address, 7}}, good});
    auto const first = lookup.next(now);
    lookup.failed(first.front().endpoint);

    EXPECT_EQ(lookup.next(now), std::vector{good});
}

TEST_F(Search, AsksThreeNodesANetwork) {
    std::vector<NodeContact> many;
    for (unsigned host = 1; host < 50; ++host)
        many.push_back({id_at_distance(target, 20, random_id(random)),
                        {Address::v4({10, 9, 9, static_cast<std::uint8_t>(host)}), 7}});
    lookup.start_with(many);

    EXPECT_EQ(lookup.next(now).size(), 3u);
}

TEST_F(Search, ARingOfMadeUpIdsDoesNotHideTheOthers) {
    for (int i = 0; i < 64; ++i) lookup.start_with(std::vector{insecure(100)});
    lookup.start_with(some(8, 5));
    for (int round = 0; round < 50 && !lookup.finished(); ++round)
        for (auto const& each : lookup.next(now)) lookup.replied(each, {}, "t", now);

    auto const closest = lookup.closest();
    EXPECT_EQ(closest.size(), 12u);
    EXPECT_EQ(std::count_if(closest.begin(), closest.end(),
                            [](auto const& f) { return f.node.endpoint.address.bytes()[0] == 10; }),
              8);
    EXPECT_EQ(lookup.queries(), 12u);
}

TEST_F(Search, AmongNodesOfOlderClientsEightAreEnoughToo) {
    for (int i = 0; i < 30; ++i) lookup.start_with(std::vector{insecure(5)});
    for (int round = 0; round < 50 && !lookup.finished(); ++round)
        for (auto const& each : lookup.next(now)) lookup.replied(each, {}, "t", now);

    EXPECT_EQ(lookup.closest().size(), 8u);
}

TEST_F(Search, DoesNotFollowWhoTellsOfDeadNodes) {
    lookup.start_with(some(16, 3));
    auto const asked = lookup.next(now);
    lookup.replied(asked[0], some(16, 40), "", now);
    std::size_t dead = 0;
    for (int round = 0; round < 30 && !lookup.finished(); ++round)
        for (auto const& each : lookup.next(now)) {
            bool const invented = common_bits(target, each.id) >= 40;
            if (invented) ++dead;
            invented ? lookup.failed(each.endpoint) : static_cast<void>(lookup.replied(each, {}, "t", now));
            for (std::size_t i = 1; i < 5; ++i) lookup.replied(asked[i], {}, "t", now);
        }

    EXPECT_LE(dead, 6u);
    EXPECT_EQ(lookup.closest().size(), 8u);
}

TEST_F(Search, RoutersAreAskedWithoutTheirIds) {
    lookup.start_with(nth_endpoint(1));
    lookup.start_with(nth_endpoint(1));
    auto const asked = lookup.next(now);
    ASSERT_EQ(asked.size(), 1u);

    EXPECT_TRUE(lookup.replied({random_id(random), nth_endpoint(1)}, some(8, 9), "t", now));
    EXPECT_EQ(lookup.next(now).size(), 5u);
}

TEST_F(Search, ARouterThatWasAskedAsANodeDoesNotHoldUpTheEnd) {
    auto const node = near(9);
    lookup.start_with(std::vector{node});
    lookup.start_with(node.endpoint);
    auto const asked = lookup.next(now);

    lookup.replied(node, {}, "t", now);
    auto const more = lookup.next(now);

    EXPECT_EQ(asked.size(), 1u);
    EXPECT_TRUE(more.empty());
    EXPECT_TRUE(lookup.finished());
}

TEST_F(Search, ForPeersAsksSixteenMoreWhereNobodyKnowsAny) {
    lookup.seek_peers();
    auto const nodes = some(40, 3);
    lookup.start_with(nodes);
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) lookup.replied(each, neighbours(nodes), "t", now);

    EXPECT_EQ(lookup.queries(), 24u);
    EXPECT_EQ(lookup.closest().size(), 24u);
}

TEST_F(Search, ForPeersEndsWhenEightTellOfTheSameOnes) {
    lookup.seek_peers();
    lookup.start_with(some(40, 3));
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) {
            lookup.replied(each, {}, "t", now);
            lookup.told(each.endpoint, {nth_endpoint(1)});
        }

    EXPECT_EQ(lookup.queries(), 8u);
}

TEST_F(Search, PeersOfWhichOneNodeAloneTellsCountForNothing) {
    lookup.seek_peers();
    auto const nodes = some(40, 3);
    lookup.start_with(nodes);
    std::uint32_t peer = 0;
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) {
            lookup.replied(each, neighbours(nodes), "t", now);
            lookup.told(each.endpoint, {nth_endpoint(++peer), nth_endpoint(++peer)});
            lookup.told(each.endpoint, {nth_endpoint(peer)});
        }

    EXPECT_EQ(lookup.queries(), 24u);
}

TEST_F(Search, ForPeersGoesOnPastWhoDoesNotKnowTheTargetsNeighbours) {
    lookup.seek_peers();
    auto const strangers = some(20, 9);
    auto const accomplices = some(60, 9);
    auto const honest = some(8, 5);
    lookup.start_with(strangers);
    lookup.start_with(honest);
    std::set<Endpoint> asked;
    std::size_t told = 0;
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) {
            asked.insert(each.endpoint);
            bool const lies = common_bits(target, each.id) >= 9;
            std::vector<NodeContact> nodes(strangers.begin(), strangers.begin() + 8);
            if (lies) nodes.assign({accomplices[told % 60], accomplices[(told + 1) % 60]});
            told += lies ? 2u : 0u;
            lookup.replied(each, nodes, "t", now);
        }

    for (auto const& each : honest) EXPECT_TRUE(asked.contains(each.endpoint));
}

// Who hardly knows the target's neighbours tells of nobody here; the others tell of no peers.
struct StrangersAround {
    std::size_t strangers;
    std::size_t counted;
    std::size_t queries;
};
struct Strangers : Search, testing::WithParamInterface<StrangersAround> {};

TEST_P(Strangers, DoNotCountWhereTheyAreHalfOfTheNearest) {
    auto const [strangers, counted, queries] = GetParam();
    lookup.seek_peers();
    auto nodes = some(strangers, 9);
    for (auto const& each : some(40, 3)) nodes.push_back(each);
    lookup.start_with(nodes);
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) {
            bool const strange = common_bits(target, each.id) == 9;
            lookup.replied(each, strange ? std::vector<NodeContact>{} : neighbours(nodes), "t", now);
        }

    EXPECT_EQ(lookup.queries(), queries);
    EXPECT_EQ(lookup.closest().size(), counted);
}

// 16 that know no peers and 8; of 4 strangers none counts, and each makes it look for one more.
INSTANTIATE_TEST_SUITE_P(OfTheNearest, Strangers,
                         testing::Values(StrangersAround{3, 24, 24}, StrangersAround{4, 4 + 16 + 8 + 4, 4 + 16 + 8 + 4}));

TEST_F(Search, StrangersBeyondItsEndDoNotExtendIt) {
    lookup.seek_peers();
    lookup.start_with(some(12, 1));
    auto const answer = [&](auto const& nodes) {
        while (!lookup.finished())
            for (auto const& each : lookup.next(now)) {
                bool const knows = common_bits(target, each.id) == 5;
                lookup.replied(each, knows ? neighbours(nodes) : std::vector<NodeContact>{}, "t", now);
                if (knows) lookup.told(each.endpoint, {nth_endpoint(1)});
            }
    };
    answer(std::vector<NodeContact>{});
    auto nodes = some(4, 9);
    for (auto const& each : some(30, 5)) nodes.push_back(each);

    lookup.start_with(nodes);
    answer(nodes);

    EXPECT_EQ(lookup.queries(), 12u + 4u + 8u + 4u);
    EXPECT_EQ(lookup.closest().size(), 4u + 8u + 4u);
}

TEST_F(Search, StrangersDoNotCrowdOutWhereItBegan) {
    lookup.seek_peers();
    auto const strangers = some(20, 9);
    auto const far = near(2);
    lookup.start_with(strangers);
    lookup.start_with(std::vector{far});
    std::set<Endpoint> asked;
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) {
            asked.insert(each.endpoint);
            lookup.replied(each, some(12, 9), "t", now);
        }

    EXPECT_TRUE(asked.contains(far.endpoint));
}

// Of a thousand nodes one has 9 bits of the target's or more by chance.
TEST_F(Search, PassesOverACrowdNearerThanChanceAllows) {
    lookup.expect_nodes(1'000);
    auto const crowd = some(40, 20);
    lookup.start_with(crowd);
    lookup.start_with(some(8, 6));
    std::size_t far = 0;
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) {
            far += common_bits(target, each.id) == 6 ? 1u : 0u;
            lookup.replied(each, crowd, "t", now);
        }

    EXPECT_EQ(far, 4u) << "with the 4 of the crowd that chance allows they are 8";
    EXPECT_EQ(lookup.queries(), 4u + 12u + 4u);
    EXPECT_EQ(lookup.closest().size(), 4u + 12u + 4u);
}

TEST_F(Search, TakesAsManyAsAreToBeExpectedForNoCrowd) {
    lookup.expect_nodes(1'000);
    lookup.start_with(some(8, 8));
    lookup.start_with(some(16, 6));
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) lookup.replied(each, {}, "t", now);

    EXPECT_EQ(lookup.queries(), 8u);
}

TEST_F(Search, ThatTakesLongAsksFarNodesOfOurOwnEveryOtherTime) {
    lookup.seek_peers();
    lookup.start_with(some(60, 9));
    lookup.start_with(some(10, 1));
    std::vector<unsigned> bits;
    while (!lookup.finished())
        for (auto const& each : lookup.next(now, 1)) {
            bits.push_back(common_bits(target, each.id));
            if (bits.size() <= 10)
                lookup.failed(each.endpoint);
            else
                lookup.replied(each, {}, "t", now);
        }

    ASSERT_GE(bits.size(), 40u);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(bits[i], i >= 32 && i % 2 == 0 ? 1u : 9u) << i;
}

TEST_F(Search, WhoNamesANodeAgainAndAgainIsOneWitness) {
    lookup.seek_peers();
    auto const teller = near(9);
    auto const friendly = near(12);
    std::vector<NodeContact> words(8, friendly);
    for (auto const& dead : some(8, 11)) words.push_back(dead);
    lookup.start_with(std::vector{teller});
    std::size_t died = 0;
    while (!lookup.finished())
        for (auto const& each : lookup.next(now)) {
            if (each == teller) {
                lookup.replied(each, words, "t", now);
            } else if (each == friendly) {
                lookup.replied(each, {}, "t", now);
            } else {
                ++died;
                lookup.failed(each.endpoint);
            }
        }

    EXPECT_LT(died, 8u) << "one that lives and two that do not make it a liar";
}

}  // namespace
}  // namespace rqfs::torrent
