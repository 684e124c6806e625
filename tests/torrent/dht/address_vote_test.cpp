#include "torrent/dht/address_vote.h"

#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::endpoint;
using tests::nth_endpoint;

constexpr TimePoint kStart{1000h};

Address at(char const* text) { return Address::parse(text).value(); }

struct Vote : testing::Test {
    AddressVote vote;
    std::uint32_t voters = 0;

    std::optional<Address> one_says(Address const& us) { return vote.vote(nth_endpoint(voters++).address, us, kStart); }
    // What was decided by the last of them.
    std::optional<Address> say(std::uint32_t count, Address const& us) {
        std::optional<Address> decided;
        for (std::uint32_t i = 0; i < count; ++i) decided = one_says(us);
        return decided;
    }
};

TEST_F(Vote, TenWhoAgreeAreEnoughAtFirst) {
    EXPECT_FALSE(say(9, at("99.1.2.3")));
    EXPECT_EQ(one_says(at("99.1.2.3")), at("99.1.2.3"));
}

TEST_F(Vote, WhatWasVotedForTakesFiftyToChange) {
    say(10, at("99.1.2.3"));

    EXPECT_FALSE(say(49, at("55.1.2.3")));
    EXPECT_EQ(one_says(at("55.1.2.3")), at("55.1.2.3"));
}

TEST_F(Vote, WhatIsOnlyAssumedGivesWayToTheFirstTenWhoAgree) {
    vote.assume(at("55.1.2.3"));

    EXPECT_FALSE(say(9, at("99.1.2.3")));
    EXPECT_EQ(one_says(at("99.1.2.3")), at("99.1.2.3"));
    EXPECT_EQ(vote.winner(), at("99.1.2.3"));
}

TEST_F(Vote, WhatWasAssumedRightlyIsConfirmedByTenAndThenTakesFiftyToChange) {
    vote.assume(at("99.1.2.3"));

    EXPECT_FALSE(say(10, at("99.1.2.3"))) << "nothing new";
    EXPECT_FALSE(say(49, at("55.1.2.3")));
    EXPECT_EQ(vote.winner(), at("99.1.2.3"));
}

TEST_F(Vote, TenWhoDisagreeLeaveWhatIsAssumed) {
    vote.assume(at("55.1.2.3"));

    for (std::uint32_t i = 0; i < 40; ++i) EXPECT_FALSE(one_says(at(i % 2 == 0 ? "99.1.2.3" : "98.1.2.3")));

    EXPECT_EQ(vote.winner(), at("55.1.2.3"));
}

TEST_F(Vote, HoweverManyOfOneNetworkAreOneVoter) {
    for (std::uint8_t host = 0; host < 100; ++host)
        EXPECT_FALSE(vote.vote(Address::v4({20, 0, 0, host}), at("55.1.2.3"), kStart));

    EXPECT_FALSE(vote.vote(at("20.0.0.200"), at("55.1.2.3"), kStart + 5min)) << "a second who agrees would do by now";
    EXPECT_FALSE(say(8, at("99.1.2.3")));
}

// Of one /64, which is one line's, and of one /48, which is one site's.
TEST_F(Vote, HoweverManyOfOneSiteOfIPv6AreOneVoter) {
    for (std::uint8_t n = 0; n < 100; ++n) {
        EXPECT_FALSE(
            vote.vote(Address::v6({0x26, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, n}), at("2600:9::1"), kStart));
        EXPECT_FALSE(
            vote.vote(Address::v6({0x26, 0, 0, 1, 0, 1, 0, n, 0, 0, 0, 0, 0, 0, 0, 1}), at("2600:9::1"), kStart));
    }

    EXPECT_FALSE(vote.vote(at("2600:1:1:ffff::1"), at("2600:9::1"), kStart + 5min));
}

TEST_F(Vote, TenSitesOfIPv6AreEnough) {
    std::optional<Address> decided;
    for (std::uint8_t n = 0; n < 10; ++n)
        decided = vote.vote(Address::v6({0x26, 0, 0, 1, 0, n, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}), at("2600:9::1"), kStart);

    EXPECT_EQ(decided, at("2600:9::1"));
}

// Fewer nodes than a round of fifty needs.
struct AssumedAddress : tests::DhtOnFakeUdp {
    AssumedAddress() { living_nodes = 20; }

    bool secure_at(char const* address) const {
        return is_secure(NodeId(InfoHash::parse(dht->status().front().id).value()), at(address));
    }
};

TEST_F(AssumedAddress, ALieAboutItDoesNotOutliveTheFirstNodes) {
    everybody_answers();
    start();
    dht->external_address(at("55.1.2.3"));
    dht->add_node(nth_endpoint(5));

    run(1min);

    EXPECT_EQ(dht->status().front().external, at("99.1.2.3"));
    EXPECT_TRUE(secure_at("99.1.2.3"));
}

TEST_F(AssumedAddress, ALaboratoryOfOneNetworkElects) {
    options.test_network = true;
    udp.network = [](tests::FakeUdp::Sent const& sent) {
        std::vector<std::string> answers;
        KrpcReply reply;
        reply.transaction = query_of(sent.bytes).transaction;
        reply.id = secure_node_id(sent.to.address, NodeId());
        reply.requester = endpoint("99.1.2.3:6881");
        if (!reply.transaction.empty()) answers.push_back(tests::text_of(encode_krpc(reply)));
        return answers;
    };
    start();

    for (std::uint8_t host = 1; host <= 10; ++host) dht->add_node({Address::v4({20, 0, 0, host}), 6881});
    run(1min);
    for (std::uint8_t host = 11; host <= 20; ++host) dht->add_node({Address::v4({20, 0, 0, host}), 6881});
    run(1min);

    EXPECT_EQ(dht->status().front().external, at("99.1.2.3"));
}

TEST_F(AssumedAddress, AListeningAddressBehindARouterIsNotWhatOthersSee) {
    udp.listening = {endpoint("192.168.1.5:6881")};
    everybody_answers();
    start();
    dht->add_node(nth_endpoint(5));

    run(1min);

    EXPECT_EQ(dht->status().front().external, at("99.1.2.3"));
    EXPECT_TRUE(secure_at("99.1.2.3"));
}

TEST_F(AssumedAddress, AListeningAddressBehindARouterGivesWayToTheWordOfATracker) {
    udp.listening = {endpoint("192.168.1.5:6881")};
    start();

    dht->external_address(at("55.1.2.3"));

    EXPECT_EQ(dht->status().front().external, at("55.1.2.3"));
    EXPECT_TRUE(secure_at("55.1.2.3"));
}

}  // namespace
}  // namespace rqfs::torrent
