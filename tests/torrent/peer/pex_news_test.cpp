#include "torrent/peer/pex_news.h"

#include "torrent/peer/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

PexPeer peer(int number, std::uint8_t flags = 0) {
    auto const text = "1.2." + std::to_string(number / 250) + "." + std::to_string(number % 250) + ":6881";
    return {Endpoint::parse(text).value(), flags};
}

std::vector<PexPeer> peers(int from, int to) {
    std::vector<PexPeer> all;
    for (int i = from; i < to; ++i) all.push_back(peer(i));
    return all;
}

TEST(PexNews, TheFirstMessageNamesEverybodyWithFlags) {
    PexNews news;

    auto const message = news.next(std::vector{peer(1, 2), peer(2, 16)});

    EXPECT_EQ(message.added, (std::vector{peer(1, 2), peer(2, 16)}));
    EXPECT_TRUE(message.dropped.empty());
}

TEST(PexNews, NothingIsSaidTwice) {
    PexNews news;
    news.next(peers(0, 3));

    EXPECT_TRUE(news.next(peers(0, 3)).empty());
}

TEST(PexNews, ChangesAreSaid) {
    PexNews news;
    news.next(peers(0, 3));

    auto const message = news.next(peers(1, 5));

    EXPECT_EQ(message.added, peers(3, 5));
    EXPECT_EQ(message.dropped, (std::vector{peer(0).endpoint}));
}

TEST(PexNews, WhoCameAndWentBetweenMessagesIsNotMentioned) {
    PexNews news;
    news.next(peers(0, 3));

    EXPECT_TRUE(news.next(peers(0, 3)).empty());
}

TEST(PexNews, WhoComesBackIsAddedAgain) {
    PexNews news;
    news.next(peers(0, 1));
    news.next(peers(0, 0));

    EXPECT_EQ(news.next(peers(0, 1)).added, peers(0, 1));
}

TEST(PexNews, OnlyTheFirstMessageMayNameMoreThanFifty) {
    PexNews news;

    auto const first = news.next(peers(0, 300));
    auto const second = news.next(peers(0, 300));

    EXPECT_EQ(first.added, peers(0, 100));
    EXPECT_EQ(second.added, peers(100, 150));
}

TEST(PexNews, AnEmptyMessageIsNoFirstOne) {
    PexNews news;
    news.next({});

    EXPECT_EQ(news.next(peers(0, 300)).added.size(), limit::kPexPeersInFirstMessage);
}

TEST(PexNews, NoMoreThanFiftyAreDroppedAtOnceAndTheRestLater) {
    PexNews news;
    news.next(peers(0, 80));

    auto const first = news.next({});
    auto const second = news.next({});

    EXPECT_EQ(first.dropped.size(), 50u);
    EXPECT_EQ(second.dropped.size(), 30u);
    EXPECT_TRUE(news.next({}).empty());
}

// Whoever believes every message ends up knowing who is there.
TEST(PexNews, TheReaderOfAllMessagesKnowsWhoIsConnected) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        PexNews news;
        std::set<Endpoint> believed;
        std::vector<PexPeer> connected;
        for (int step = 0; step < 40; ++step) {
            connected.clear();
            for (int i = 0; i < 150; ++i)
                if (random() % 3 != 0) connected.push_back(peer(i));
            auto const message = news.next(connected);
            for (auto const& gone : message.dropped) ASSERT_EQ(believed.erase(gone), 1u);
            for (auto const& fresh : message.added) ASSERT_TRUE(believed.insert(fresh.endpoint).second);
            ASSERT_LE(message.dropped.size(), 50u);
            ASSERT_LE(message.added.size(), step == 0 ? 100u : 50u);
        }
        for (int rest = 0; rest < 10; ++rest) {
            auto const message = news.next(connected);
            for (auto const& gone : message.dropped) believed.erase(gone);
            for (auto const& fresh : message.added) believed.insert(fresh.endpoint);
        }
        std::set<Endpoint> here;
        for (auto const& each : connected) here.insert(each.endpoint);
        EXPECT_EQ(believed, here);
    }
}

}  // namespace
}  // namespace rqfs::torrent
