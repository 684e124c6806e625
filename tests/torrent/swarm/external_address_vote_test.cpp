#include "torrent/swarm/external_address_vote.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

Address at(std::string const& text) { return Address::parse(text).value(); }
Address peer(unsigned network, unsigned host = 1) { return at("9.9." + std::to_string(network) + "." + std::to_string(host)); }
Address tracker(unsigned network, unsigned host = 1) { return at("8.8." + std::to_string(network) + "." + std::to_string(host)); }

TEST(ExternalAddressVote, KnowsNothingAtFirst) {
    ExternalAddressVote const vote;

    EXPECT_FALSE(vote.v4());
    EXPECT_FALSE(vote.v6());
    EXPECT_FALSE(vote.is_ours(at("0.0.0.0")));
}

TEST(ExternalAddressVote, TakesAnAddressThatPeersOfEnoughNetworksSee) {
    ExternalAddressVote vote;

    EXPECT_FALSE(vote.peer_says(at("1.2.3.4"), peer(1), kStart));
    EXPECT_FALSE(vote.peer_says(at("1.2.3.4"), peer(2), kStart));
    EXPECT_FALSE(vote.v4());
    EXPECT_TRUE(vote.peer_says(at("1.2.3.4"), peer(3), kStart));
    EXPECT_FALSE(vote.peer_says(at("1.2.3.4"), peer(4), kStart)) << "it is the same address as before";

    EXPECT_EQ(vote.v4(), at("1.2.3.4"));
    EXPECT_TRUE(vote.is_ours(at("1.2.3.4")));
    EXPECT_FALSE(vote.is_ours(at("1.2.3.5")));
}

TEST(ExternalAddressVote, CountsOneNetworkOnceHoweverOftenItSpeaks) {
    ExternalAddressVote vote;

    for (unsigned host = 1; host < 250; ++host) EXPECT_FALSE(vote.peer_says(at("1.2.3.4"), peer(1, host), kStart));
    for (unsigned host = 1; host < 250; ++host)
        EXPECT_FALSE(vote.peer_says(at("2a01::1"), at("2a02:1:2:" + std::to_string(host) + "::1"), kStart));

    EXPECT_FALSE(vote.v4());
    EXPECT_FALSE(vote.v6());
}

TEST(ExternalAddressVote, ATrackerCountsAsSeveralPeers) {
    ExternalAddressVote vote;

    EXPECT_TRUE(vote.tracker_says(at("1.2.3.4"), tracker(1), kStart));

    EXPECT_EQ(vote.v4(), at("1.2.3.4"));
}

TEST(ExternalAddressVote, TrackersOfOneNetworkAreOneVoter) {
    ExternalAddressVote vote;
    vote.tracker_says(at("1.2.3.4"), tracker(1), kStart);
    vote.router_says(at("1.2.3.4"), kStart);

    for (unsigned host = 1; host <= 64; ++host) vote.tracker_says(at("5.6.7.8"), tracker(2, host), kStart + 2min);

    EXPECT_EQ(vote.v4(), at("1.2.3.4"));
}

TEST(ExternalAddressVote, TheRoutersWordIsAsGoodAsATrackers) {
    ExternalAddressVote vote;

    EXPECT_TRUE(vote.router_says(at("1.2.3.4"), kStart));

    EXPECT_EQ(vote.v4(), at("1.2.3.4"));
}

TEST(ExternalAddressVote, WhatTheNodesOfTheDhtAgreeOnIsOneVoteAsGoodAsATrackers) {
    ExternalAddressVote vote;

    EXPECT_TRUE(vote.nodes_say(at("1.2.3.4"), kStart));
    EXPECT_FALSE(vote.tracker_says(at("5.6.7.8"), tracker(1), kStart + 2min)) << "a tie";
    EXPECT_TRUE(vote.nodes_say(at("5.6.7.8"), kStart + 4min)) << "their newest word";

    EXPECT_EQ(vote.v4(), at("5.6.7.8"));
}

TEST(ExternalAddressVote, TrackersThatContradictEachOtherChangeNothing) {
    ExternalAddressVote vote;
    vote.tracker_says(at("1.2.3.4"), tracker(1), kStart);

    for (auto now = kStart; now < kStart + 24h; now += 30min) {
        EXPECT_FALSE(vote.tracker_says(at("5.6.7.8"), tracker(2), now));
        EXPECT_FALSE(vote.tracker_says(at("1.2.3.4"), tracker(1), now));
    }

    EXPECT_EQ(vote.v4(), at("1.2.3.4"));
}

TEST(ExternalAddressVote, ATrackerThatSeesAnotherAddressNowIsBelieved) {
    ExternalAddressVote vote;
    vote.tracker_says(at("1.2.3.4"), tracker(1), kStart);

    EXPECT_TRUE(vote.tracker_says(at("5.6.7.8"), tracker(1), kStart + 30min));

    EXPECT_EQ(vote.v4(), at("5.6.7.8"));
}

TEST(ExternalAddressVote, AnAddressOnlyStepsBackForOneWithMoreVotes) {
    ExternalAddressVote vote;
    for (unsigned network = 1; network <= 4; ++network) vote.peer_says(at("1.2.3.4"), peer(network), kStart);
    auto const later = kStart + 1h;

    for (unsigned network = 11; network <= 14; ++network) EXPECT_FALSE(vote.peer_says(at("5.6.7.8"), peer(network), later));
    EXPECT_TRUE(vote.peer_says(at("5.6.7.8"), peer(15), later));

    EXPECT_EQ(vote.v4(), at("5.6.7.8"));
}

TEST(ExternalAddressVote, KeepsAnAddressForAMinuteWhateverIsSaid) {
    ExternalAddressVote vote;
    vote.tracker_says(at("1.2.3.4"), tracker(1), kStart);
    auto const last_moment = kStart + ExternalAddressVote::kSteadyFor - 1ms;

    for (unsigned network = 1; network <= 20; ++network) EXPECT_FALSE(vote.peer_says(at("5.6.7.8"), peer(network), last_moment));
    EXPECT_TRUE(vote.peer_says(at("5.6.7.8"), peer(21), last_moment + 1ms));

    EXPECT_EQ(vote.v4(), at("5.6.7.8"));
}

TEST(ExternalAddressVote, NoticesANewAddressThoughManyHaveSeenTheOldOne) {
    ExternalAddressVote vote;
    for (unsigned network = 0; network < 250; ++network) vote.peer_says(at("1.2.3.4"), peer(network), kStart);
    auto const later = kStart + 1h;

    std::size_t needed = 0;
    while (vote.v4() == at("1.2.3.4") && needed < 250) vote.peer_says(at("5.6.7.8"), peer(static_cast<unsigned>(needed++)), later);

    EXPECT_EQ(vote.v4(), at("5.6.7.8"));
    EXPECT_LE(needed, limit::kExternalAddressVotes);
}

TEST(ExternalAddressVote, FamiliesAreCountedApart) {
    ExternalAddressVote vote;
    vote.tracker_says(at("1.2.3.4"), tracker(1), kStart);

    EXPECT_TRUE(vote.tracker_says(at("2a01::1"), tracker(1), kStart));

    EXPECT_EQ(vote.v4(), at("1.2.3.4"));
    EXPECT_EQ(vote.v6(), at("2a01::1"));
    EXPECT_TRUE(vote.is_ours(at("2a01::1")));
}

TEST(ExternalAddressVote, APeerKnowsNothingOfTheFamilyItIsNotConnectedWith) {
    ExternalAddressVote vote;

    for (unsigned network = 1; network <= 20; ++network) {
        EXPECT_FALSE(vote.peer_says(at("2a01::1"), peer(network), kStart));
        EXPECT_FALSE(vote.peer_says(at("1.2.3.4"), at("2a02:" + std::to_string(network) + "::1"), kStart));
    }

    EXPECT_FALSE(vote.v4());
    EXPECT_FALSE(vote.v6());
}

// Two networks of strangers can say what they like, in any order, as long as three honest ones have spoken last.
TEST(ExternalAddressVote, TwoLiarsNeverOutvoteThreeWhoAgree) {
    constexpr unsigned kSeed = 20240229;
    std::mt19937 random(kSeed);
    ExternalAddressVote vote;
    for (unsigned network = 1; network <= 3; ++network) vote.peer_says(at("1.2.3.4"), peer(network), kStart);

    for (int i = 0; i < 2'000; ++i) {
        auto const lie = at("7.7.7." + std::to_string(random() % 4));
        vote.peer_says(lie, peer(static_cast<unsigned>(100 + random() % 2), static_cast<unsigned>(1 + random() % 200)), kStart + 1h * i);
        ASSERT_EQ(vote.v4(), at("1.2.3.4")) << "seed " << kSeed << " step " << i;
    }
}

}  // namespace
}  // namespace rqfs::torrent
