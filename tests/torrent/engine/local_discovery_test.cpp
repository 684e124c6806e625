#include "torrent/local_discovery.h"

#include "tests/support/run_engine.h"
#include "tests/support/two_networks.h"
#include "tests/support/virtual_clock.h"
#include "torrent/clock.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/lsd_message.h"
#include "torrent/net/system_multicast.h"
#include "torrent/per_family.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

InfoHash hash(int number) {
    std::array<std::byte, InfoHash::kBytes> bytes{};
    bytes[0] = static_cast<std::byte>(number);
    bytes[1] = static_cast<std::byte>(number >> 8);
    return InfoHash(bytes);
}

// A network whose other members are the test.
class FakeMulticast final : public Multicast {
public:
    void join(std::span<Endpoint const> groups, Receiver& its_receiver) override {
        joined.assign(groups.begin(), groups.end());
        receiver = &its_receiver;
    }
    void leave() override { receiver = nullptr; }
    void send(Endpoint const& group, std::span<std::byte const> bytes) override {
        sent.emplace_back(group, LsdMessage::parse(bytes).value());
    }
    bool is_neighbour(Address const&) const override { return true; }

    void say(LsdMessage const& message, std::string const& from = "192.168.1.9:6771") {
        auto const text = message.encode(LsdMessage::groups()[0]);
        receiver->multicast(Endpoint::parse(from).value(), std::as_bytes(std::span(text)));
    }

    Receiver* receiver = nullptr;
    std::vector<Endpoint> joined;
    std::vector<std::pair<Endpoint, LsdMessage>> sent;
};

class LocalDiscoveryTest : public testing::Test {
protected:
    LocalDiscoveryTest() { discovery.start(); }
    void TearDown() override {
        searches.clear();
        tests::run_engine(engine, discovery.stop());
        EXPECT_EQ(network.receiver, nullptr);
    }
    void look_for(int number) {
        searches.push_back(discovery.find_peers(hash(number), [this, number](Endpoint const& peer) {
            found.push_back(std::to_string(number) + " " + peer.text());
        }));
    }
    static LsdMessage from_another(std::vector<InfoHash> hashes) { return {7000, std::move(hashes), "another"}; }
    void pass(Duration time) { clock.run_for(engine, time); }

    boost::asio::io_context engine{1};
    tests::VirtualClock clock;
    FakeMulticast network;
    PerFamily<std::uint16_t> ports{6881, 6881};
    LocalDiscovery discovery{engine.get_executor(), clock, network, ports};
    std::vector<std::unique_ptr<LocalDiscovery::Search>> searches;
    std::vector<std::string> found;
};

TEST_F(LocalDiscoveryTest, ATorrentIsAnnouncedInBothFamiliesAndAgainAfterFiveMinutes) {
    look_for(1);
    pass(1s);

    EXPECT_EQ(network.joined, (std::vector<Endpoint>{LsdMessage::groups()[0], LsdMessage::groups()[1]}));
    ASSERT_EQ(network.sent.size(), 2u);
    EXPECT_EQ(network.sent[0].first, LsdMessage::groups()[0]);
    EXPECT_EQ(network.sent[1].first, LsdMessage::groups()[1]);
    EXPECT_EQ(network.sent[0].second.port, 6881);
    EXPECT_EQ(network.sent[0].second.info_hashes, (std::vector{hash(1)}));
    pass(1h);
    EXPECT_EQ(network.sent.size(), 2u * (3u + 11u));
}

TEST_F(LocalDiscoveryTest, EachFamilyHearsItsPortAndNothingWhereNobodyCanConnect) {
    ports = {6881, 7000};
    look_for(1);
    pass(1s);
    ports[false] = 0;

    pass(6min);

    ASSERT_GT(network.sent.size(), 2u);
    EXPECT_EQ(network.sent[0].second.port, 6881);
    for (std::size_t i = 1; i < network.sent.size(); ++i) {
        EXPECT_EQ(network.sent[i].first, LsdMessage::groups()[1]);
        EXPECT_EQ(network.sent[i].second.port, 7000);
    }
}

TEST_F(LocalDiscoveryTest, ATorrentAddedLaterIsSaidAtOnceHoweverManyThereAre) {
    for (int i = 2; i < 202; ++i) look_for(i);
    pass(1h);
    network.sent.clear();

    look_for(1);
    pass(1s);

    auto const named = [](auto const& sent) {
        auto const& hashes = sent.second.info_hashes;
        return std::find(hashes.begin(), hashes.end(), hash(1)) != hashes.end();
    };
    EXPECT_EQ(std::count_if(network.sent.begin(), network.sent.end(), named), 2);
}

TEST_F(LocalDiscoveryTest, WhatSomebodyWaitsForIsSaidAMinuteAfterTheLastTime) {
    look_for(1);
    pass(30s);
    network.sent.clear();

    searches.front()->hurry();
    pass(40s);

    EXPECT_EQ(network.sent.size(), 2u);
}

TEST_F(LocalDiscoveryTest, WhoAnnouncesOurTorrentIsFound) {
    look_for(1);
    look_for(2);

    network.say(from_another({hash(3), hash(2)}));

    EXPECT_EQ(found, (std::vector<std::string>{"2 192.168.1.9:7000"}));
}

TEST_F(LocalDiscoveryTest, OurOwnWordsAreIgnored) {
    look_for(1);
    pass(1s);

    network.say(network.sent.front().second);

    EXPECT_TRUE(found.empty());
}

TEST_F(LocalDiscoveryTest, OurOwnWordsFromEveryInterfaceLeaveRoomForANeighbours) {
    look_for(1);
    pass(1s);

    for (int i = 0; i < 50; ++i) network.say(network.sent.front().second);
    network.say(from_another({hash(1)}));

    EXPECT_EQ(found, std::vector<std::string>{"1 192.168.1.9:7000"});
}

TEST_F(LocalDiscoveryTest, AFloodIsHeardInPart) {
    look_for(1);

    for (int i = 0; i < 500; ++i) {
        for (int j = 0; j < 100; ++j) network.say(from_another({hash(1)}));
        pass(10ms);
    }

    EXPECT_GE(found.size(), 40u);
    EXPECT_LE(found.size(), 50u) << "in five seconds";
}

TEST_F(LocalDiscoveryTest, ATorrentThatIsGoneIsNeitherAnnouncedNorFound) {
    look_for(1);
    pass(1s);
    searches.clear();

    network.say(from_another({hash(1)}));
    pass(1h);

    EXPECT_TRUE(found.empty());
    EXPECT_EQ(network.sent.size(), 2u);
}

TEST_F(LocalDiscoveryTest, OneThatComesAfterTheLastWasForgottenIsAnnounced) {
    look_for(1);
    pass(1s);
    searches.clear();
    pass(10min);

    look_for(2);
    pass(1s);

    ASSERT_EQ(network.sent.size(), 4u);
    EXPECT_EQ(network.sent.back().second.info_hashes, (std::vector{hash(2)}));
}

TEST_F(LocalDiscoveryTest, WhoFindsAPeerMayEndItsSearch) {
    std::unique_ptr<LocalDiscovery::Search> search;
    search = discovery.find_peers(hash(1), [&](Endpoint const&) { search.reset(); });

    network.say(from_another({hash(1)}));

    EXPECT_EQ(search, nullptr);
}

TEST_F(LocalDiscoveryTest, WithoutAPortNothingIsSaid) {
    ports = {0, 0};
    look_for(1);

    pass(1h);

    EXPECT_TRUE(network.sent.empty());
}

TEST_F(LocalDiscoveryTest, ANewNetworkHearsOfEverythingWithinAMinute) {
    look_for(1);
    pass(10s);
    network.sent.clear();

    network.receiver->networks_changed();
    pass(57s);

    EXPECT_EQ(network.sent.size(), 2u);
}

double seconds_of_processor() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

TEST(LocalDiscoveryOnARealNetwork, ANeighbourWhoSendsTenThousandDatagramsASecondCostsLittle) {
    auto const networks = tests::TwoNetworks::make();
    if (!networks) GTEST_SKIP() << "needs root, network namespaces and the program ip";
    boost::asio::io_context engine{1};
    SteadyClock clock;
    SystemMulticast multicast(engine.get_executor(), clock, {Endpoint::parse("0.0.0.0:6881").value()});
    PerFamily<std::uint16_t> const ports{6881, 6881};
    LocalDiscovery discovery(engine.get_executor(), clock, multicast, ports);
    discovery.start();
    auto neighbours = networks->join(engine, {to_udp(LsdMessage::groups()[0]), to_udp(LsdMessage::groups()[1])});
    std::size_t found = 0;
    auto search = discovery.find_peers(hash(1), [&](Endpoint const&) { ++found; });
    auto const text = LsdMessage{7000, {hash(1)}, "another"}.encode(LsdMessage::groups()[0]);
    auto const begin = clock.now();
    auto const elapsed = [&] { return std::chrono::duration<double>(clock.now() - begin).count(); };

    double processor = 0;
    for (int i = 1; elapsed() < 5; ++i) {
        for (int j = 0; j < 100; ++j) neighbours[0].say(text);
        auto const before = seconds_of_processor();
        engine.restart();
        engine.run_until(begin + i * 10ms);
        processor += seconds_of_processor() - before;
    }

    EXPECT_GE(found, 10u);
    EXPECT_LE(static_cast<double>(found), 10 * elapsed());
    EXPECT_LT(processor, elapsed() / 10);
    search.reset();
    tests::run_engine(engine, discovery.stop());
    tests::run_engine(engine, multicast.stop());
}

TEST_F(LocalDiscoveryTest, WhoHasALinkLocalAddressAloneIsFoundThere) {
    look_for(1);

    network.say(from_another({hash(1)}), "[fe80::9%3]:6771");
    pass(1s);

    EXPECT_EQ(found, std::vector<std::string>{"1 [fe80::9%3]:7000"});
}

TEST_F(LocalDiscoveryTest, WhoHasAnotherAddressIsFoundThereAlone) {
    look_for(1);

    network.say(from_another({hash(1)}), "[fe80::9%3]:6771");
    network.say(from_another({hash(1)}), "192.168.1.9:6771");
    pass(1s);
    network.say(from_another({hash(1)}), "[fe80::9%3]:6771");
    pass(1s);

    EXPECT_EQ(found, std::vector<std::string>{"1 192.168.1.9:7000"});
}

TEST_F(LocalDiscoveryTest, ASearchMayEndBeforeALinkLocalAddressIsTold) {
    look_for(1);

    network.say(from_another({hash(1)}), "[fe80::9%3]:6771");
    searches.clear();
    pass(1s);

    EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace rqfs::torrent
