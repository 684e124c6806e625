#include "torrent/peer/peer_exchange.h"

#include "torrent/peer/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

class PeerExchangeTest : public testing::Test {
protected:
    PeerExchange::Member& add(std::uint32_t handle, std::string const& listens_at, std::uint8_t flags = 0) {
        exchange.joined(PeerHandle(handle), now);
        PeerExchange::Member member;
        member.handle = PeerHandle(handle);
        if (!listens_at.empty()) member.listens_at = at(listens_at);
        member.flags = flags;
        return members.emplace_back(member);
    }
    // What one of them is told now.
    std::vector<Endpoint> told(std::uint32_t handle) {
        std::vector<Endpoint> all;
        for (auto const& [to, message] : exchange.news(members, now))
            if (to == PeerHandle(handle))
                for (auto const& peer : message.added) all.push_back(peer.endpoint);
        return all;
    }
    // The next addresses that nobody has named before.
    PexMessage naming(std::size_t addresses) {
        PexMessage message;
        for (std::size_t i = 0; i < addresses; ++i, ++heard_of)
            message.added.push_back(
                {at("1.2." + std::to_string(heard_of / 250) + "." + std::to_string(heard_of % 250) + ":6881"), 0});
        return message;
    }
    PeerExchange::Heard hear(PexMessage const& message) { return exchange.heard(PeerHandle(1), message, now); }
    PeerExchange::Heard hear(std::size_t addresses = 1) { return hear(naming(addresses)); }

    PeerExchange exchange;
    std::vector<PeerExchange::Member> members;
    TimePoint now = kStart;
    std::size_t heard_of = 0;
};

TEST_F(PeerExchangeTest, ANewPeerHearsOfTheOthersSoonAndNotOfItself) {
    add(1, "1.1.1.1:1000");
    add(2, "2.2.2.2:2000");
    now += 2s;

    EXPECT_TRUE(exchange.due(now));
    EXPECT_EQ(told(1), (std::vector{at("2.2.2.2:2000")}));
}

TEST_F(PeerExchangeTest, NobodyIsToldMoreThanOnceAMinute) {
    add(1, "1.1.1.1:1000");
    add(2, "2.2.2.2:2000");
    now += 2s;
    told(1);

    add(3, "3.3.3.3:3000");
    now += 59s;
    EXPECT_TRUE(told(1).empty());
    now += 1s;
    EXPECT_EQ(told(1), (std::vector{at("3.3.3.3:3000")}));
}

TEST_F(PeerExchangeTest, WhoHadNothingToHearIsToldWhenThereIsSomething) {
    add(1, "1.1.1.1:1000");
    now += 2s;
    EXPECT_TRUE(told(1).empty());

    add(2, "2.2.2.2:2000");
    now += 2s;

    EXPECT_EQ(told(1), (std::vector{at("2.2.2.2:2000")}));
}

TEST_F(PeerExchangeTest, WhoCannotBeDialledIsNotNamed) {
    add(1, "1.1.1.1:1000");
    add(2, "");
    now += 2s;

    EXPECT_TRUE(told(1).empty());
}

TEST_F(PeerExchangeTest, WhoDoesNotSpeakItIsNotToldButNamed) {
    add(1, "1.1.1.1:1000");
    add(2, "2.2.2.2:2000");
    exchange.left(PeerHandle(2));
    now += 2s;

    auto const all = exchange.news(members, now);

    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all.front().first, PeerHandle(1));
    EXPECT_EQ(all.front().second.added.front().endpoint, at("2.2.2.2:2000"));
}

TEST_F(PeerExchangeTest, AddressesOfTheLocalNetworkStayThere) {
    add(1, "1.1.1.1:1000");
    add(2, "192.168.1.2:2000").local = true;
    add(3, "192.168.1.3:3000").local = true;
    now += 2s;

    auto const all = exchange.news(members, now);

    ASSERT_EQ(all.size(), 2u) << "the stranger has nothing to hear";
    EXPECT_EQ(all[0].first, PeerHandle(2));
    EXPECT_EQ(all[0].second.added.size(), 2u);
    EXPECT_EQ(all[1].first, PeerHandle(3));
    EXPECT_EQ(all[1].second.added.size(), 2u);
}

TEST_F(PeerExchangeTest, SeedsAreNotToldOfSeeds) {
    add(1, "1.1.1.1:1000", PexPeer::kSeed);
    add(2, "2.2.2.2:2000", PexPeer::kSeed);
    add(3, "3.3.3.3:3000");
    now += 2s;

    EXPECT_EQ(told(1), (std::vector{at("3.3.3.3:3000")}));
}

TEST_F(PeerExchangeTest, TheReachableAreNamedFirst) {
    add(1, "1.1.1.1:1000");
    add(2, "2.2.2.2:2000");
    add(3, "3.3.3.3:3000", PexPeer::kReachable);
    now += 2s;

    EXPECT_EQ(told(1), (std::vector{at("3.3.3.3:3000"), at("2.2.2.2:2000")}));
}

TEST_F(PeerExchangeTest, TwoConnectionsOfOneAddressAreNamedOnce) {
    add(1, "1.1.1.1:1000");
    add(2, "2.2.2.2:2000");
    add(3, "2.2.2.2:2000");
    now += 2s;

    EXPECT_EQ(told(1).size(), 1u);
}

TEST_F(PeerExchangeTest, WhatOneMessageAddsIsHeard) {
    add(1, "1.1.1.1:1000");
    auto const message = naming(100);

    EXPECT_EQ(hear(message).peers, message.added);
}

TEST_F(PeerExchangeTest, TwoMessagesAMinuteAreTolerated) {
    add(1, "1.1.1.1:1000");

    EXPECT_EQ(hear().peers.size(), 1u);
    now += 50s;
    EXPECT_EQ(hear().peers.size(), 1u);
    now += 50s;
    EXPECT_EQ(hear().peers.size(), 1u);
}

TEST_F(PeerExchangeTest, AFloodIsIgnoredAndThenEnded) {
    add(1, "1.1.1.1:1000");
    hear();
    hear();

    for (int i = 0; i < 4; ++i) {
        auto const ignored = hear();
        EXPECT_TRUE(ignored.peers.empty());
        EXPECT_FALSE(ignored.flood);
    }
    EXPECT_TRUE(hear().flood);
}

TEST_F(PeerExchangeTest, WhoDoesNotSpeakItIsNotHeard) {
    EXPECT_TRUE(hear().peers.empty());
    EXPECT_FALSE(hear().flood);
}

TEST_F(PeerExchangeTest, JoiningAgainForgetsNothing) {
    add(1, "1.1.1.1:1000");
    add(2, "2.2.2.2:2000");
    now += 2s;
    told(1);

    exchange.joined(PeerHandle(1), now);
    now += 30s;

    EXPECT_TRUE(told(1).empty());
}

}  // namespace
}  // namespace rqfs::torrent
