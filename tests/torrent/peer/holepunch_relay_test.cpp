#include "torrent/peer/holepunch_relay.h"

#include "torrent/peer/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using Type = HolepunchMessage::Type;
using Failure = HolepunchMessage::Failure;

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

class HolepunchRelayTest : public testing::Test {
protected:
    auto ask(std::uint32_t from, std::string const& target) {
        return relay.rendezvous(
            PeerHandle(from), at(target), members,
            [](Endpoint const& endpoint) { return endpoint == at("7.7.7.7:6881"); }, now);
    }
    Failure refusal(std::uint32_t from, std::string const& target) {
        auto const answers = ask(from, target);
        if (answers.size() != 1 || answers.front().first != PeerHandle(from) ||
            answers.front().second.endpoint != at(target))
            return Failure::none;
        return answers.front().second.failure;
    }

    HolepunchRelay relay;
    TimePoint now{1h};
    std::vector<HolepunchRelay::Member> members{{PeerHandle(1), at("1.1.1.1:41000"), at("1.1.1.1:1000"), true},
                                                {PeerHandle(2), at("2.2.2.2:42000"), at("2.2.2.2:2000"), true},
                                                {PeerHandle(3), at("3.3.3.3:43000"), at("3.3.3.3:43000"), false}};
};

TEST_F(HolepunchRelayTest, BothAreToldOfEachOther) {
    auto const answers = ask(1, "2.2.2.2:2000");

    ASSERT_EQ(answers.size(), 2u);
    EXPECT_EQ(answers[0].first, PeerHandle(1));
    EXPECT_EQ(answers[0].second, (HolepunchMessage{Type::connect, at("2.2.2.2:2000"), Failure::none}));
    EXPECT_EQ(answers[1].first, PeerHandle(2));
    EXPECT_EQ(answers[1].second, (HolepunchMessage{Type::connect, at("1.1.1.1:1000"), Failure::none}));
}

TEST_F(HolepunchRelayTest, ThePortOfTheConnectionNamesAPeerToo) { EXPECT_EQ(ask(1, "2.2.2.2:42000").size(), 2u); }

TEST_F(HolepunchRelayTest, WhoIsNotConnectedIsNotFound) {
    EXPECT_EQ(refusal(1, "2.2.2.2:2001"), Failure::not_connected);
}

TEST_F(HolepunchRelayTest, WhoDoesNotSpeakItCannotBeMet) {
    EXPECT_EQ(refusal(1, "3.3.3.3:43000"), Failure::no_support);
}

TEST_F(HolepunchRelayTest, NeighboursAndStrangersAreNotToldOfEachOther) {
    members[1].local = true;
    members[2].local = true;

    EXPECT_EQ(refusal(1, "2.2.2.2:2000"), Failure::not_connected);
    EXPECT_EQ(refusal(2, "1.1.1.1:1000"), Failure::not_connected);
    EXPECT_EQ(refusal(1, "3.3.3.3:43000"), Failure::not_connected) << "nor whether it is here";
    members[2].speaks = true;
    EXPECT_EQ(ask(2, "3.3.3.3:43000").size(), 2u) << "neighbours among themselves are";
}

TEST_F(HolepunchRelayTest, APlaceThatNobodyShouldDialIsToldToNobody) {
    members[0].may_be_told = false;

    EXPECT_EQ(refusal(1, "2.2.2.2:2000"), Failure::not_connected);
    EXPECT_EQ(refusal(2, "1.1.1.1:1000"), Failure::not_connected);
}

TEST_F(HolepunchRelayTest, WeAreNoRelayToOurselves) { EXPECT_EQ(refusal(1, "7.7.7.7:6881"), Failure::no_self); }

TEST_F(HolepunchRelayTest, NobodyMeetsItselfOrNoPort) {
    EXPECT_EQ(refusal(1, "1.1.1.1:1000"), Failure::no_such_peer);
    EXPECT_EQ(refusal(1, "1.1.1.1:41000"), Failure::no_such_peer);
    EXPECT_EQ(refusal(1, "2.2.2.2:0"), Failure::no_such_peer);
}

TEST_F(HolepunchRelayTest, WhoDoesNotSpeakItIsNotAnswered) { EXPECT_TRUE(ask(3, "2.2.2.2:2000").empty()); }

TEST_F(HolepunchRelayTest, WhoAsksTooOftenIsNotAnsweredForAWhile) {
    for (std::size_t i = 0; i < limit::kHolepunchesAMinute; ++i) EXPECT_FALSE(ask(1, "2.2.2.2:2000").empty());

    EXPECT_TRUE(ask(1, "2.2.2.2:2000").empty());
    EXPECT_FALSE(ask(2, "1.1.1.1:1000").empty()) << "others are";
    now += 1min;
    EXPECT_FALSE(ask(1, "2.2.2.2:2000").empty());
}

TEST_F(HolepunchRelayTest, OnePeerMakesUsDialOnlySoOften) {
    for (std::size_t i = 0; i < limit::kHolepunchesAMinute; ++i) EXPECT_TRUE(relay.may_dial_for(PeerHandle(1), now));

    EXPECT_FALSE(relay.may_dial_for(PeerHandle(1), now));
    EXPECT_TRUE(relay.may_dial_for(PeerHandle(2), now));
    relay.left(PeerHandle(1));
    EXPECT_TRUE(relay.may_dial_for(PeerHandle(1), now));
}

}  // namespace
}  // namespace rqfs::torrent
