#include "torrent/tracker/udp_tracker.h"

#include "tests/support/fake_tracker.h"
#include "tests/support/fake_udp.h"
#include "tests/support/virtual_clock.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using tests::FakeTracker;

std::string const kPeer("\x05\x06\x07\x08\x1a\xe1", 6);

class UdpTrackerTest : public ::testing::Test {
protected:
    ~UdpTrackerTest() override { run(seconds(200)); }  // until every call has ended

    void announce(bool urgent = false) {
        AnnounceRequest request;
        request.info_hash = hash;
        asio::co_spawn(engine, client.announce(addresses(), "/announce", std::move(request), urgent),
                       [this](std::exception_ptr e, AnnounceResult r) {
                           EXPECT_FALSE(e);
                           result = std::make_unique<AnnounceResult>(std::move(r));
                           ended = clock.now();
                       });
    }
    ScrapeReply scrape() {
        ScrapeReply reply;
        asio::co_spawn(engine, client.scrape(addresses(), hash), [&](std::exception_ptr, ScrapeReply r) { reply = r; });
        run(seconds(120));
        return reply;
    }
    std::vector<Endpoint> addresses() const {
        std::vector<Endpoint> all{tracker};
        all.insert(all.end(), more_addresses.begin(), more_addresses.end());
        return all;
    }
    void run(Duration duration) { clock.run_for(engine, duration); }
    // When datagrams went out, in seconds since the beginning.
    std::vector<double> send_times() {
        std::vector<double> times;
        for (auto const when : sent_at) times.push_back(std::chrono::duration<double>(when - begin).count());
        return times;
    }
    char action_of(std::size_t index) const { return udp.sent.at(index).bytes.at(11); }
    std::string transaction_of(std::size_t index) const { return udp.sent.at(index).bytes.substr(12, 4); }

    void record(std::function<std::vector<std::string>(std::string const&)> answer) {
        udp.network = [this, answer = std::move(answer)](tests::FakeUdp::Sent const& datagram) {
            sent_at.push_back(clock.now());
            return answer(datagram.bytes);
        };
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    TimePoint const begin = clock.now();
    tests::FakeUdp udp{engine.get_executor()};
    UdpTracker client{engine.get_executor(), clock, udp};
    Endpoint tracker = Endpoint::parse("9.9.9.9:80").value();
    std::vector<Endpoint> more_addresses;
    InfoHash const hash = InfoHash::parse("0102030405060708090a0b0c0d0e0f1011121314").value();
    std::vector<TimePoint> sent_at;
    std::unique_ptr<AnnounceResult> result;
    TimePoint ended;
};

TEST_F(UdpTrackerTest, ConnectsThenAnnounces) {
    record(FakeTracker::honest_udp(900, kPeer));

    announce();
    run(seconds(1));

    ASSERT_TRUE(result && *result);
    EXPECT_EQ((*result)->peers.at(0).text(), "5.6.7.8:6881");
    EXPECT_EQ((*result)->interval, seconds(900));
    ASSERT_EQ(udp.sent.size(), 2u);
    EXPECT_EQ(udp.sent[1].bytes.substr(0, 8), "\x11\x22\x33\x44\x55\x66\x77\x88");
    EXPECT_EQ(udp.sent[1].bytes.substr(98), "\x02\x09/announce");
    EXPECT_NE(transaction_of(0), transaction_of(1));
}

TEST_F(UdpTrackerTest, KeepsAConnectionForAMinute) {
    record(FakeTracker::honest_udp(900, kPeer));
    announce();
    run(seconds(59));
    announce();
    run(milliseconds(999));
    EXPECT_EQ(udp.sent.size(), 3u);

    run(seconds(1));
    announce();
    run(seconds(1));

    ASSERT_EQ(udp.sent.size(), 5u);
    EXPECT_EQ(action_of(3), 0);
    EXPECT_EQ(action_of(4), 1);
}

TEST_F(UdpTrackerTest, RepeatsLostDatagramsAfterFifteenAndThirtySecondsThenGivesUp) {
    record([](auto const&) { return std::vector<std::string>(); });

    announce();
    run(seconds(200));

    EXPECT_EQ(send_times(), (std::vector<double>{0, 15}));
    EXPECT_EQ(ended - begin, seconds(45));
    ASSERT_TRUE(result);
    EXPECT_FALSE(*result);
    EXPECT_FALSE(result->error().reached);
    EXPECT_EQ(result->error().what, "the tracker does not answer");
}

TEST_F(UdpTrackerTest, RepeatsAfterThreeSecondsWhileSomebodyWaits) {
    record([](auto const&) { return std::vector<std::string>(); });

    announce(true);
    run(seconds(200));

    EXPECT_EQ(send_times(), (std::vector<double>{0, 3, 18}));
    EXPECT_EQ(ended - begin, seconds(48));
}

TEST_F(UdpTrackerTest, HurriesARequestThatIsUnderWay) {
    record([](auto const&) { return std::vector<std::string>(); });
    announce();
    run(seconds(5));

    client.hurry(InfoHash());
    run(seconds(1));
    client.hurry(hash);
    run(seconds(20));

    EXPECT_EQ(send_times(), (std::vector<double>{0, 6, 21}));
}

TEST_F(UdpTrackerTest, SurvivesTheLossOfTheFirstOfEveryKind) {
    auto const honest = FakeTracker::honest_udp(900, kPeer);
    int count = 0;
    record([&](auto const& datagram) {
        return ++count == 1 || count == 3 ? std::vector<std::string>() : honest(datagram);
    });

    announce(true);
    run(seconds(100));

    ASSERT_TRUE(result && *result);
    EXPECT_EQ(send_times(), (std::vector<double>{0, 3, 3, 18}));
}

TEST_F(UdpTrackerTest, ConnectsAgainWhenTheConnectionExpiresBetweenTries) {
    auto const honest = FakeTracker::honest_udp(900, kPeer);
    record(honest);
    announce();
    run(seconds(50));
    sent_at.clear();
    udp.sent.clear();
    bool lose = true;
    record([&](auto const& datagram) {
        return std::exchange(lose, false) ? std::vector<std::string>() : honest(datagram);
    });

    announce();
    run(seconds(100));

    ASSERT_TRUE(result && *result);
    ASSERT_EQ(udp.sent.size(), 3u);
    EXPECT_EQ(action_of(0), 1);
    EXPECT_EQ(action_of(1), 0);
    EXPECT_EQ(action_of(2), 1);
}

// A tracker of two addresses, of which the first is silent.
class HalfDeadTracker : public UdpTrackerTest {
protected:
    HalfDeadTracker() {
        more_addresses = {Endpoint::parse("9.9.9.8:80").value()};
        udp.network = [this](tests::FakeUdp::Sent const& datagram) {
            return datagram.to == dead ? std::vector<std::string>() : honest(datagram.bytes);
        };
    }
    std::vector<Endpoint> asked() const {
        std::vector<Endpoint> all;
        for (auto const& datagram : udp.sent) all.push_back(datagram.to);
        return all;
    }

    Endpoint dead = tracker;
    std::function<std::vector<std::string>(std::string const&)> honest = FakeTracker::honest_udp(900, kPeer);
};

TEST_F(HalfDeadTracker, ItsNextAddressIsAskedWhenTheFirstIsSilent) {
    announce(true);
    run(seconds(4));

    EXPECT_TRUE(result && *result);
    EXPECT_EQ(asked(), (std::vector{dead, more_addresses[0], more_addresses[0]}));
}

TEST_F(HalfDeadTracker, TheAddressThatAnswersIsAskedFirstFromThenOn) {
    announce();
    run(seconds(200));
    udp.sent.clear();

    announce();
    run(seconds(1));

    EXPECT_EQ(asked(), (std::vector{more_addresses[0], more_addresses[0]}));
}

TEST_F(HalfDeadTracker, WhenThatOneDiesTheOtherIsTriedAgain) {
    announce();
    run(seconds(200));
    dead = more_addresses[0];
    result.reset();

    announce();
    run(seconds(16));

    EXPECT_TRUE(result && *result);
}

TEST_F(UdpTrackerTest, IgnoresAnswersWithAnotherTransactionActionOrSource) {
    announce();
    run(seconds(1));
    auto const transaction = transaction_of(0);
    std::string const id = "12345678";
    auto wrong = transaction;
    wrong[0] = static_cast<char>(wrong[0] ^ 1);

    udp.inject(tracker, std::string("\0\0\0\0", 4) + wrong + id);
    udp.inject(tracker, std::string("\0\0\0\1", 4) + transaction + std::string(12, '\0'));
    udp.inject(Endpoint::parse("9.9.9.9:81").value(), std::string("\0\0\0\0", 4) + transaction + id);
    udp.inject(Endpoint::parse("9.9.9.8:80").value(), std::string("\0\0\0\3", 4) + transaction + "no");
    udp.inject(tracker, "short");
    udp.inject(tracker, "");
    run(seconds(1));
    EXPECT_EQ(udp.sent.size(), 1u);
    EXPECT_FALSE(result);

    udp.inject(tracker, std::string("\0\0\0\0", 4) + transaction + id);
    run(seconds(1));

    ASSERT_EQ(udp.sent.size(), 2u);
    EXPECT_EQ(udp.sent[1].bytes.substr(0, 8), id);
    run(seconds(100));
}

TEST_F(UdpTrackerTest, GivesTheTrackersErrorText) {
    record([](std::string const& datagram) {
        return std::vector<std::string>{std::string("\0\0\0\3", 4) + datagram.substr(12, 4) + "go away"};
    });

    announce();
    run(seconds(1));

    ASSERT_TRUE(result);
    EXPECT_EQ(result->error().what, "go away");
    EXPECT_TRUE(result->error().reached);
    EXPECT_EQ(udp.sent.size(), 1u);
}

TEST_F(UdpTrackerTest, ConnectsOnceMoreWhenAnOldConnectionIsRefused) {
    auto const honest = FakeTracker::honest_udp(900, kPeer);
    record(honest);
    announce();
    run(seconds(30));
    result.reset();
    bool refuse = true;
    record([&](std::string const& datagram) {
        if (datagram[11] == 1 && std::exchange(refuse, false))
            return std::vector<std::string>{std::string("\0\0\0\3", 4) + datagram.substr(12, 4) +
                                            "Connection ID missmatch."};
        return honest(datagram);
    });

    announce();
    run(seconds(1));

    ASSERT_TRUE(result && *result);
    EXPECT_EQ(udp.sent.size(), 5u);
}

TEST_F(UdpTrackerTest, EndsWithATrackerThatRefusesForEver) {
    auto const honest = FakeTracker::honest_udp(900, kPeer);
    record([&](std::string const& datagram) {
        if (datagram[11] == 1)
            return std::vector<std::string>{std::string("\0\0\0\3", 4) + datagram.substr(12, 4) + "no"};
        return honest(datagram);
    });

    announce();
    run(seconds(1));

    ASSERT_TRUE(result);
    EXPECT_FALSE(*result);
    EXPECT_EQ(udp.sent.size(), 2u);
}

TEST_F(UdpTrackerTest, CallsAShortReplyWhatItIs) {
    record([](std::string const& datagram) { return std::vector<std::string>{datagram.substr(8, 8)}; });

    announce();
    run(seconds(1));

    ASSERT_TRUE(result);
    EXPECT_EQ(result->error().what, "the tracker's reply is too short");
}

TEST_F(UdpTrackerTest, ScrapesOverTheSameConnection) {
    record(FakeTracker::honest_udp(900, kPeer));
    announce();
    run(seconds(1));
    auto const reply = scrape();

    EXPECT_EQ(reply.failure, "");
    EXPECT_EQ(reply.counts.seeders, 1u);
    EXPECT_EQ(reply.counts.downloads, 7u);
    EXPECT_EQ(reply.counts.leechers, 2u);
    EXPECT_EQ(udp.sent.size(), 3u);
}

TEST_F(UdpTrackerTest, AScrapeThatFailsSaysWhy) {
    EXPECT_EQ(scrape().failure, "the tracker does not answer");

    record(FakeTracker::honest_udp(900, kPeer));
    auto const honest = udp.network;
    udp.network = [honest](tests::FakeUdp::Sent const& datagram) {
        auto replies = honest(datagram);
        bool const asked = datagram.bytes.size() == 36;
        for (auto& reply : replies) reply.resize(asked ? 12 : reply.size());
        return replies;
    };

    EXPECT_EQ(scrape().failure, "the tracker's reply is too short");
}

asio::awaitable<void> scrape_only(UdpTracker& client, std::vector<Endpoint> to, InfoHash info_hash) {
    co_await client.scrape(std::move(to), info_hash);
}

TEST_F(UdpTrackerTest, CancellingEndsARequestAtOnce) {
    TaskGroup tasks(engine.get_executor(), "test");
    tasks.spawn(scrape_only(client, addresses(), hash));
    run(seconds(1));
    bool stopped = false;

    asio::co_spawn(engine, tasks.stop(), [&](std::exception_ptr) { stopped = true; });
    run(milliseconds(1));

    EXPECT_TRUE(stopped);
}

TEST_F(UdpTrackerTest, WhatGetsNoDatagramOutIsSaidAtOnce) {
    udp.hindrance = "the proxy relays no datagrams";

    announce();
    run(seconds(0));

    ASSERT_TRUE(result && !*result);
    EXPECT_EQ(result->error().what, "the proxy relays no datagrams");
    EXPECT_FALSE(result->error().reached);
    EXPECT_TRUE(udp.sent.empty());
}

TEST_F(UdpTrackerTest, AnObstacleThatTurnsUpEndsTheWaiting) {
    announce(true);
    run(seconds(1));
    udp.hindrance = "the proxy relays no datagrams";
    run(seconds(3));

    ASSERT_TRUE(result && !*result);
    EXPECT_EQ(result->error().what, "the proxy relays no datagrams");
}

TEST_F(UdpTrackerTest, ATrackerKnownByNameAloneAnswersFromItsOwnAddress) {
    tracker = Endpoint::parse("0.0.0.1:80").value();
    udp.answers_from = Endpoint::parse("9.9.9.9:80").value();
    record(FakeTracker::honest_udp(900, kPeer));

    announce();
    run(seconds(1));

    ASSERT_TRUE(result && *result);
    EXPECT_EQ((*result)->peers.at(0).text(), "5.6.7.8:6881");
}

TEST_F(UdpTrackerTest, ATrackerKnownByNameAloneMayHaveAnIPv6Address) {
    tracker = Endpoint::parse("0.0.0.1:80").value();
    udp.answers_from = Endpoint::parse("[fd77::1]:80").value();
    record(FakeTracker::honest_udp(900, std::string(15, '\x20') + "\x01\x1a\xe1"));

    announce();
    run(seconds(1));

    ASSERT_TRUE(result && *result);
    ASSERT_EQ((*result)->peers.size(), 1u);
    EXPECT_TRUE((*result)->peers.at(0).address.is_v6());
}

TEST_F(UdpTrackerTest, AnAddressAnswersForItselfAlone) {
    udp.answers_from = Endpoint::parse("9.9.9.8:80").value();
    record(FakeTracker::honest_udp(900, kPeer));

    announce();
    run(seconds(60));

    ASSERT_TRUE(result && !*result);
}

TEST(UdpReplyWait, FollowsItsTable) {
    EXPECT_EQ(udp_reply_wait(0, false), seconds(15));
    EXPECT_EQ(udp_reply_wait(1, false), seconds(30));
    EXPECT_EQ(udp_reply_wait(2, false), std::nullopt);
    EXPECT_EQ(udp_reply_wait(0, true), seconds(3));
    EXPECT_EQ(udp_reply_wait(1, true), seconds(15));
    EXPECT_EQ(udp_reply_wait(2, true), seconds(30));
    EXPECT_EQ(udp_reply_wait(3, true), std::nullopt);
}

}  // namespace
}  // namespace rqfs::torrent
