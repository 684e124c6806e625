#include "torrent/tracker/announcer.h"

#include "tests/support/debug_log.h"
#include "tests/support/fake_tracker.h"
#include "tests/support/fake_udp.h"
#include "tests/support/virtual_clock.h"
#include "torrent/net/resolver.h"
#include "torrent/tracker/tracker_clients.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using tests::FakeTracker;

std::string const kPeer("\x05\x06\x07\x08\x1a\xe1", 6);
std::string const kPeer6 = std::string("\x20\x01", 2) + std::string(13, '\0') + std::string("\x01\x1a\xe1", 3);

class TableResolver final : public Resolver {
public:
    asio::awaitable<std::vector<Address>> resolve(std::string host) override {
        if (auto const literal = Address::parse(host)) co_return std::vector<Address>(1, *literal);
        auto const found = names.find(host);
        if (found == names.end())
            throw boost::system::system_error(asio::error::host_not_found, "the name " + host + " is not known");
        co_return found->second;
    }
    std::map<std::string, std::vector<Address>> names;
};

struct Torrent final : Announcer::Owner {
    Announcer::Facts announce_facts() const override { return facts; }
    void tracker_peers(std::string const& tracker, std::vector<Endpoint> more) override {
        for (auto const& peer : more) peers.emplace_back(tracker, peer.text());
    }
    void tracker_says_we_are(Address address, Address const& tracker, bool users) override {
        votes.push_back({address, tracker, users});
    }

    Announcer::Facts facts;
    std::vector<std::pair<std::string, std::string>> peers;
    struct Vote {
        Address address, tracker;
        bool users;
        friend bool operator==(Vote const&, Vote const&) = default;
    };
    std::vector<Vote> votes;
};

std::uint32_t number(std::string const& bytes, std::size_t offset) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(offset + i));
    return value;
}

// Announcers against UDP trackers in virtual time.
class AnnouncerTest : public ::testing::Test {
protected:
    struct Announce {
        double at = 0;  // seconds since the beginning
        std::string to;
        std::uint32_t event = 0;
        std::uint32_t key = 0;
        std::uint32_t num_want = 0;
        std::uint32_t port = 0;
    };

    AnnouncerTest() {
        udp.network = [this](tests::FakeUdp::Sent const& datagram) {
            auto const to = datagram.to.text();
            if (datagram.bytes.size() >= 98 && number(datagram.bytes, 8) == 1)
                announces.push_back({std::chrono::duration<double>(clock.now() - begin).count(), to,
                                     number(datagram.bytes, 80), number(datagram.bytes, 88), number(datagram.bytes, 92),
                                     number(datagram.bytes, 94) & 0xffff});
            auto const found = trackers.find(to);
            return found == trackers.end() ? std::vector<std::string>() : found->second(datagram.bytes);
        };
    }
    ~AnnouncerTest() override { stop(); }

    void make(std::vector<std::vector<std::string>> tiers, bool is_private = false) {
        Announcer::Network network{engine.get_executor(), clock, http, resolver, udp, test_network, &clients};
        announcer = std::make_unique<Announcer>(std::move(network), hash, std::move(tiers), is_private, torrent);
    }
    void run(Duration duration) { clock.run_for(engine, duration); }
    Duration stop(Duration limit = seconds(2)) {
        if (!announcer) return {};
        auto const from = clock.now();
        auto ended = TimePoint::max();
        asio::co_spawn(engine, announcer->stop(limit), [&](std::exception_ptr e) {
            EXPECT_FALSE(e);
            ended = clock.now();
        });
        run(seconds(10));
        return ended - from;
    }
    std::vector<std::uint32_t> events() const {
        std::vector<std::uint32_t> all;
        for (auto const& each : announces) all.push_back(each.event);
        return all;
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    TimePoint const begin = clock.now();
    TableResolver resolver;
    bool test_network = false;
    TcpConnector connector{clock};
    HttpClient http{clock, connector, resolver, false};
    tests::FakeUdp udp{engine.get_executor()};
    TrackerClients clients{engine.get_executor(), clock, udp};
    InfoHash const hash = InfoHash::parse("0102030405060708090a0b0c0d0e0f1011121314").value();
    Torrent torrent;
    std::map<std::string, FakeTracker::Udp> trackers;
    std::vector<Announce> announces;
    std::unique_ptr<Announcer> announcer;
};

TEST_F(AnnouncerTest, AnnouncesStartedAndHandsPeersOver) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80/announce"}});

    announcer->start();
    run(seconds(1));

    EXPECT_EQ(events(), std::vector<std::uint32_t>{2});
    ASSERT_EQ(torrent.peers.size(), 1u);
    EXPECT_EQ(torrent.peers[0].first, "udp://9.9.9.1:80/announce");
    EXPECT_EQ(torrent.peers[0].second, "5.6.7.8:6881");
    auto const status = announcer->status().at(0);
    EXPECT_EQ(status.state, "working");
    EXPECT_EQ(status.seeders, 1u);
    EXPECT_EQ(status.peers, 1u);
}

TEST_F(AnnouncerTest, AnnouncesAgainAfterTheIntervalGiveOrTakeATenth) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}});

    announcer->start();
    run(hours(10));

    ASSERT_GE(announces.size(), 36u);
    ASSERT_LE(announces.size(), 46u);
    for (std::size_t i = 1; i < announces.size(); ++i) {
        EXPECT_GE(announces[i].at - announces[i - 1].at, 810);
        EXPECT_LE(announces[i].at - announces[i - 1].at, 990.1);
        EXPECT_EQ(announces[i].event, 0u);
        EXPECT_EQ(announces[i].key, announces[0].key);
    }
}

TEST_F(AnnouncerTest, SaysStoppedWithinItsLimitAndOnlyToWhoHeardStarted) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.2:80"}, {"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(60));
    announces.clear();

    auto const took = stop();

    EXPECT_LT(took, milliseconds(1));
    ASSERT_EQ(announces.size(), 1u);
    EXPECT_EQ(announces[0].event, 3u);
    EXPECT_EQ(announces[0].num_want, 0u);
    EXPECT_EQ(announces[0].to, "9.9.9.1:80");
}

TEST_F(AnnouncerTest, StopsInTimeWhenTheTrackerIsGone) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(100));
    trackers.clear();

    EXPECT_EQ(stop(), seconds(2));
}

TEST_F(AnnouncerTest, IsSilentAfterStopAndSaysStartedAgain) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(10));
    stop();
    announces.clear();
    run(hours(5));
    EXPECT_TRUE(announces.empty());

    announcer->start();
    run(seconds(10));

    EXPECT_EQ(events(), std::vector<std::uint32_t>{2});
}

TEST_F(AnnouncerTest, StartDuringStopTakesEffectAfterIt) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(10));
    bool stopped = false;

    asio::co_spawn(engine, announcer->stop(seconds(2)), [&](std::exception_ptr) { stopped = true; });
    engine.restart();
    engine.poll_one();
    announcer->start();
    run(seconds(10));

    EXPECT_TRUE(stopped);
    EXPECT_EQ(events(), (std::vector<std::uint32_t>{2, 3, 2}));
}

TEST_F(AnnouncerTest, SaysCompletedOnce) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(10));

    announcer->completed();
    run(hours(1));

    EXPECT_EQ(std::count_if(announces.begin(), announces.end(), [](auto const& each) { return each.event == 1; }), 1);
    EXPECT_EQ(announces.at(1).event, 1u);
    EXPECT_LT(announces[1].at, 11);
}

TEST_F(AnnouncerTest, AnnouncesOverBothFamiliesWithOneKey) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("2606::1").value(),
                                Address::parse("2606::2").value()};
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    trackers["[2606::1]:80"] = FakeTracker::honest_udp(1200, kPeer6);
    make({{"udp://t.test:80"}});

    announcer->start();
    run(seconds(1));

    ASSERT_EQ(announces.size(), 2u);
    EXPECT_NE(announces[0].to, announces[1].to);
    EXPECT_EQ(announces[0].key, announces[1].key);
    EXPECT_EQ(torrent.peers.size(), 2u);
    auto const next = announcer->status().at(0).next_announce.value();
    EXPECT_GE(next, seconds(1070));
    EXPECT_LE(next, seconds(1320));
}

TEST_F(AnnouncerTest, OfATrackersTwoAddressesTheOneThatLivesIsFound) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("9.9.9.2").value()};
    trackers["9.9.9.2:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://t.test:80"}});

    announcer->start();
    run(seconds(16));

    EXPECT_EQ(announcer->status().at(0).state, "working");
    EXPECT_EQ(torrent.peers.size(), 1u);
}

TEST_F(AnnouncerTest, EachFamilyHearsThePortAtWhichItReachesUs) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("2606::1").value()};
    trackers["9.9.9.1:80"] = trackers["[2606::1]:80"] = FakeTracker::honest_udp(900, "");
    torrent.facts.ports = {50'000, 7000};
    make({{"udp://t.test:80"}});

    announcer->start();
    run(seconds(1));
    torrent.facts.ports[false] = 6881;  // the router's mapping is gone
    stop();

    std::map<std::string, std::vector<std::uint32_t>> ports;
    for (auto const& each : announces) ports[each.to].push_back(each.port);
    EXPECT_EQ(ports["9.9.9.1:80"], (std::vector<std::uint32_t>{50'000, 6881}));
    EXPECT_EQ(ports["[2606::1]:80"], (std::vector<std::uint32_t>{7000, 7000}));
}

TEST_F(AnnouncerTest, AFamilyThatDoesNotWorkHoldsNothingUp) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("2606::1").value()};
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://t.test:80"}});

    announcer->start();
    run(seconds(1));
    EXPECT_EQ(torrent.peers.size(), 1u);
    run(seconds(60));

    EXPECT_EQ(announcer->status().at(0).state, "working");
}

TEST_F(AnnouncerTest, AnnouncesOnlyFromFamiliesThatWeListenOn) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("2606::1").value()};
    trackers["9.9.9.1:80"] = trackers["[2606::1]:80"] = FakeTracker::honest_udp(900, "");
    udp.listening = {Endpoint::parse("0.0.0.0:6881").value()};
    make({{"udp://t.test:80"}});

    announcer->start();
    run(seconds(1));

    ASSERT_EQ(announces.size(), 1u);
    EXPECT_EQ(announces[0].to, "9.9.9.1:80");
}

TEST_F(AnnouncerTest, UrgentAsksTheFirstOfEveryTierAndRetriesAfterThreeSeconds) {
    trackers["9.9.9.3:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}, {"udp://9.9.9.2:80"}, {"udp://9.9.9.3:80"}});
    announcer->start();

    announcer->urgent(true);
    run(seconds(4));

    EXPECT_EQ(torrent.peers.size(), 1u);
    std::map<std::string, int> sent;
    for (auto const& datagram : udp.sent) ++sent[datagram.to.text()];
    EXPECT_EQ(sent["9.9.9.1:80"], 2);
    EXPECT_EQ(sent["9.9.9.2:80"], 2);
}

TEST_F(AnnouncerTest, UrgentDoesNotWidenAPrivateTorrent) {
    make({{"udp://9.9.9.1:80"}, {"udp://9.9.9.2:80"}}, true);
    announcer->start();

    announcer->urgent(true);
    run(seconds(4));

    for (auto const& datagram : udp.sent) EXPECT_EQ(datagram.to.text(), "9.9.9.1:80");
}

TEST_F(AnnouncerTest, FallsBackToTheNextTierAndSaysWhyTheFirstFailed) {
    trackers["9.9.9.2:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}, {"udp://9.9.9.2:80"}, {"http://unknown.test/announce"}});

    announcer->start();
    run(seconds(50));

    auto const status = announcer->status();
    EXPECT_EQ(status[0].state, "failed");
    EXPECT_EQ(status[0].message, "the tracker does not answer");
    EXPECT_EQ(status[1].state, "working");
    EXPECT_EQ(status[2].state, "not contacted");
}

TEST_F(AnnouncerTest, NamesAreVettedLikeAddresses) {
    resolver.names["router.test"] = {Address::parse("192.168.0.1").value()};
    make({{"udp://127.0.0.1:80"},
          {"udp://router.test:53"},
          {"udp://2130706433:80"},
          {"udp://[::1]:80"},
          {"http://127.0.0.1:1/announce"}});

    announcer->start();
    announcer->urgent(true);
    run(minutes(10));

    EXPECT_TRUE(udp.sent.empty());
    for (auto const& row : announcer->status()) EXPECT_EQ(row.state, "failed") << row.url;
    EXPECT_EQ(announcer->status().at(1).message,
              "router.test is at 192.168.0.1, where no torrent's tracker list may send us");
}

TEST_F(AnnouncerTest, ATestNetworkHasLocalTrackers) {
    test_network = true;
    trackers["127.0.0.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://127.0.0.1:80"}});

    announcer->start();
    run(seconds(1));

    EXPECT_EQ(torrent.peers.size(), 1u);
}

TEST_F(AnnouncerTest, UnusableUrlsAreNamedAndNotAskedFor) {
    make({{"wss://tracker.example"}, {"nonsense"}, {"udp://bt1.archiv\xef\xbd\x85.org:80"}});

    announcer->start();
    run(hours(1));

    EXPECT_TRUE(udp.sent.empty());
    for (auto const& row : announcer->status()) {
        EXPECT_EQ(row.state, "failed");
        EXPECT_FALSE(row.message.empty());
        EXPECT_FALSE(row.next_announce);
    }
}

TEST_F(AnnouncerTest, MergedTrackersAreAskedWhenNothingElseWorks) {
    trackers["9.9.9.2:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(46));

    announcer->set_trackers({{"udp://9.9.9.1:80"}, {"udp://9.9.9.2:80"}}, {});
    run(seconds(1));

    EXPECT_EQ(torrent.peers.size(), 1u);
    EXPECT_EQ(announcer->tiers().size(), 2u);
}

TEST_F(AnnouncerTest, AFamilyThatComesToWorkHearsStartedAndItsPeersCount) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("2606::1").value()};
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(1800, kPeer);
    make({{"udp://t.test:80"}});
    announcer->start();
    run(seconds(60));
    auto const families = announcer->status().at(0).families;
    ASSERT_EQ(families.size(), 2u);
    EXPECT_EQ(families[1].message, "the tracker does not answer");
    trackers["[2606::1]:80"] = FakeTracker::honest_udp(1800, kPeer6);
    announces.clear();

    run(minutes(2));

    ASSERT_EQ(announces.size(), 1u);
    EXPECT_EQ(announces[0].to, "[2606::1]:80");
    EXPECT_EQ(announces[0].event, 2u);
    EXPECT_EQ(torrent.peers.size(), 2u);
    EXPECT_EQ(announcer->status().at(0).peers, 2u);
    announces.clear();
    stop();
    ASSERT_EQ(announces.size(), 2u);
    EXPECT_EQ(announces[0].event, 3u);
    EXPECT_EQ(announces[1].event, 3u);
    EXPECT_EQ(announces[0].key, announces[1].key);
}

TEST_F(AnnouncerTest, ADeadFamilyDoesNotHoldUpTheStop) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("2606::1").value()};
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(1800, kPeer);
    make({{"udp://t.test:80"}});
    announcer->start();
    run(seconds(60));

    EXPECT_LT(stop(), milliseconds(1));
}

TEST_F(AnnouncerTest, AnIpv6LiteralIsATrackerLikeAnother) {
    trackers["[2606::1]:80"] = FakeTracker::honest_udp(900, kPeer6);
    make({{"udp://[2606::1]:80/announce"}});

    announcer->start();
    run(seconds(1));

    ASSERT_EQ(torrent.peers.size(), 1u);
    EXPECT_EQ(announcer->status().at(0).families.at(0).v6, true);
}

TEST_F(AnnouncerTest, ATrackerTakenOutHearsStoppedAndTheOthersGoOn) {
    trackers["9.9.9.1:80"] = trackers["9.9.9.2:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}, {"udp://9.9.9.2:80"}});
    announcer->start();
    run(seconds(1));
    announces.clear();

    announcer->set_trackers({{"udp://9.9.9.2:80"}}, {});
    run(seconds(1));

    ASSERT_EQ(announces.size(), 2u);
    EXPECT_EQ(announces[0].to + " " + std::to_string(announces[0].event), "9.9.9.1:80 3");
    EXPECT_EQ(announces[1].to + " " + std::to_string(announces[1].event), "9.9.9.2:80 2");
    EXPECT_EQ(announcer->tiers().size(), 1u);
}

TEST_F(AnnouncerTest, ATrackerTakenOutWhileItIsAskedHearsStoppedAfterwards) {
    make({{"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(1));

    announcer->set_trackers({}, {});
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    run(seconds(20));

    EXPECT_EQ(events(), (std::vector<std::uint32_t>{2, 3}));
    EXPECT_TRUE(torrent.peers.empty()) << "it has no word any more";
    EXPECT_TRUE(announcer->status().empty());
}

TEST_F(AnnouncerTest, ATrackerMayBeTakenOutAndAddedAgainAtOnce) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}});
    announcer->start();
    run(seconds(1));

    announcer->set_trackers({}, {});
    announcer->set_trackers({{"udp://9.9.9.1:80"}}, {});
    run(seconds(1));

    EXPECT_EQ(events(), (std::vector<std::uint32_t>{2, 3, 2}));
}

TEST_F(AnnouncerTest, TheUsersOwnTrackersMayBeAnywhere) {
    resolver.names["router.test"] = {Address::parse("192.168.0.1").value()};
    trackers["127.0.0.1:80"] = trackers["192.168.0.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://127.0.0.1:80"}});
    announcer->start();
    run(seconds(1));
    EXPECT_TRUE(announces.empty());

    announcer->set_trackers({{"udp://127.0.0.1:80"}, {"udp://router.test:80"}, {"udp://[::1]:80"}},
                            {"udp://127.0.0.1:80", "udp://router.test:80"});
    for (auto const* const url : {"udp://127.0.0.1:80", "udp://router.test:80", "udp://[::1]:80"})
        EXPECT_FALSE(announcer->ask(url));
    run(seconds(1));

    EXPECT_EQ(announces.size(), 2u);
    EXPECT_EQ(announcer->status().at(2).message, "::1 is at ::1, where no torrent's tracker list may send us");
}

TEST_F(AnnouncerTest, AsksNowAndSaysWhyNot) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    make({{"udp://9.9.9.1:80"}, {"wss://x"}});
    announcer->start();
    run(seconds(1));

    EXPECT_EQ(announcer->ask("udp://9.9.9.1:80"), "udp://9.9.9.1:80 may be asked again in 119 s");
    EXPECT_NE(announcer->ask("wss://x").value_or("").find("not supported"), std::string::npos);
    EXPECT_EQ(announcer->ask("udp://9.9.9.2:80"), "the torrent has no tracker udp://9.9.9.2:80");
    run(seconds(119));
    EXPECT_FALSE(announcer->ask("udp://9.9.9.1:80"));
    run(seconds(1));
    EXPECT_EQ(events(), (std::vector<std::uint32_t>{2, 0}));
}

TEST_F(AnnouncerTest, ScrapesWhileSomebodyLooksAtMostEveryFiveMinutes) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(1800, kPeer);
    make({{"udp://9.9.9.1:80"}, {"udp://9.9.9.2:80"}});
    announcer->start();
    run(seconds(1));
    auto const scrapes = [this] {
        return std::count_if(udp.sent.begin(), udp.sent.end(), [](auto const& datagram) {
            return datagram.bytes.size() == 36 && number(datagram.bytes, 8) == 2;
        });
    };

    EXPECT_EQ(announcer->status().at(0).downloads, std::nullopt);
    for (int second = 0; second < 600; ++second) {
        announcer->scrape();
        run(seconds(1));
    }

    EXPECT_EQ(scrapes(), 2);
    EXPECT_EQ(announcer->status().at(0).downloads, 7u);
    run(hours(1));
    EXPECT_EQ(scrapes(), 2) << "nobody looks";
    stop();
    announcer->scrape();
    run(seconds(1));
    EXPECT_EQ(scrapes(), 2);
}

TEST_F(AnnouncerTest, ScrapesOverTheFamilyThatAnswersAndShowsWhyNone) {
    resolver.names["t.test"] = {Address::parse("9.9.9.1").value(), Address::parse("2606::1").value()};
    trackers["[2606::1]:80"] = FakeTracker::honest_udp(1800, kPeer6);
    make({{"udp://t.test:80"}});
    announcer->start();
    run(minutes(1));

    announcer->scrape();
    run(minutes(2));
    EXPECT_EQ(announcer->status().at(0).downloads, 7u);
    trackers.clear();
    run(minutes(5));
    announcer->scrape();
    run(minutes(2));

    EXPECT_EQ(announcer->status().at(0).downloads, 7u);
    EXPECT_EQ(announcer->status().at(0).scrape_message, "the tracker does not answer");
}

TEST_F(AnnouncerTest, DoesNothingWithoutTrackers) {
    make({});

    announcer->start();
    announcer->announce_now();
    announcer->completed();
    announcer->urgent(true);
    run(hours(1));

    EXPECT_TRUE(announcer->status().empty());
    EXPECT_EQ(stop(), Duration::zero());
}

TEST_F(AnnouncerTest, NumWantIsZeroWhenNoPeersAreWanted) {
    trackers["9.9.9.1:80"] = FakeTracker::honest_udp(900, kPeer);
    torrent.facts.wants_peers = false;
    make({{"udp://9.9.9.1:80"}});

    announcer->start();
    run(seconds(1));

    EXPECT_EQ(announces.at(0).num_want, 0u);
}

// Many torrents whose trackers are all silent.
class ManyAnnouncers : public AnnouncerTest {
protected:
    ManyAnnouncers() {
        for (int i = 0; i < 120; ++i) {
            Announcer::Network network{engine.get_executor(), clock, http, resolver, udp, false, &clients};
            std::vector<std::vector<std::string>> tiers{{"udp://9.9.8." + std::to_string(i) + ":80"}};
            std::array<std::byte, InfoHash::kBytes> bytes{};
            bytes[0] = static_cast<std::byte>(i);
            many.push_back(
                std::make_unique<Announcer>(std::move(network), InfoHash(bytes), std::move(tiers), false, torrent));
            many.back()->start();
        }
    }
    ~ManyAnnouncers() override {
        for (auto& each : many) asio::co_spawn(engine, each->stop(seconds(2)), [](std::exception_ptr) {});
        run(seconds(10));
    }
    // In the order in which each was first asked.
    std::vector<std::string> asked() const {
        std::vector<std::string> all;
        for (auto const& datagram : udp.sent)
            if (auto to = datagram.to.text(); std::find(all.begin(), all.end(), to) == all.end()) all.push_back(to);
        return all;
    }

    std::vector<std::unique_ptr<Announcer>> many;
};

TEST_F(ManyAnnouncers, NoMoreThanFiftyAnnouncesAreUnderWayOverAllTorrents) {
    run(seconds(1));
    auto const first = asked();
    run(seconds(200));

    EXPECT_EQ(first.size(), 50u);
    EXPECT_EQ(asked().size(), 120u);
}

TEST_F(ManyAnnouncers, AnAnnounceThatSomebodyComesToWaitForIsTheNext) {
    run(seconds(1));

    many.back()->urgent(true);
    run(seconds(60));

    ASSERT_GT(asked().size(), 51u);
    EXPECT_EQ(asked().at(50), "9.9.8.119:80");
}

TEST_F(AnnouncerTest, APasskeyThatATrackerEchoesIsNeitherLoggedNorShown) {
    tests::DebugLog const logged;
    std::string const key = "0123456789abcdef";
    trackers["9.9.9.1:80"] = [&](std::string const& datagram) {
        if (datagram.size() == 16) return FakeTracker::honest_udp(900, kPeer)(datagram);
        return std::vector<std::string>{std::string("\0\0\0\3", 4) + datagram.substr(12, 4) + "no such key: " + key};
    };
    make({{"udp://9.9.9.1:80/" + key}});

    announcer->start();
    run(seconds(10));

    EXPECT_EQ(announcer->status().at(0).message, "no such key: [hidden]");
    EXPECT_NE(logged.text().find("reason=no such key: [hidden]"), std::string::npos) << logged.text();
    EXPECT_EQ(logged.text().find(key.substr(0, 8)), std::string::npos) << logged.text();
}

}  // namespace
}  // namespace rqfs::torrent
