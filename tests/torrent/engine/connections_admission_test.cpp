#include "tests/support/fake_peer.h"
#include "tests/support/memory_stream.h"
#include "tests/support/run_engine.h"
#include "tests/torrent/engine/connections_fixture.h"
#include "torrent/connections.h"
#include "torrent/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

// A torrent with ten places that peers come to, each with an id of its own unless told otherwise.
class Admission : public ConnectionsFixture {
protected:
    Admission() {
        settings.connections_per_torrent = 10;
        connections.start();
    }
    void TearDown() override {
        tests::run_engine(engine, connections.stop());
        for (auto const& peer : peers) tests::run_engine(engine, peer->stop());
    }
    tests::FakePeer& come(std::string const& from, std::uint8_t id = 0) {
        tests::MemoryStreamOptions options;
        options.second = {Address::parse(from).value(), static_cast<std::uint16_t>(50'000 + peers.size())};
        auto streams = tests::memory_streams(engine.get_executor(), options);
        auto& peer =
            *peers.emplace_back(std::make_unique<tests::FakePeer>(engine.get_executor(), std::move(streams.second)));
        Handshake theirs;
        theirs.extensions = theirs.fast = true;
        theirs.peer_id[0] = static_cast<std::byte>(id != 0 ? id : ++last_id);
        connections.adopt_incoming(std::move(streams.first), theirs);
        peer.say(MessageId::have_none);
        peer.say(MessageId::interested);
        clock.run_for(engine, 100ms);
        return peer;
    }
    void fill() {
        for (int i = 1; i <= 10; ++i) come("20.0." + std::to_string(i) + ".1");
        ASSERT_EQ(connections.connected(), 10u);
    }
    // They are not silent meanwhile, and say anew what they want.
    void pass(Duration time) {
        for (auto const end = clock.now() + time; clock.now() < end;) {
            connections.tick();
            clock.run_for(engine, 1s);
            for (auto const& peer : peers) {
                if (peer->ended()) continue;
                peer->say(MessageId::not_interested);
                peer->say(MessageId::interested);
            }
        }
    }
    bool dialled(std::string const& endpoint) const {
        return std::find(connector.dialled.begin(), connector.dialled.end(), at(endpoint)) != connector.dialled.end();
    }

    std::uint8_t last_id = 0;
    Connections connections{context, InfoHash(), shared_log(), *this};
    std::vector<std::unique_ptr<tests::FakePeer>> peers;
};

TEST_F(Admission, OfOneAddressThreePeersAreLetIn) {
    for (int i = 0; i < 80; ++i) come("20.0.0.1");

    EXPECT_EQ(connections.connected(), limit::kPeersPerAddress);
}

TEST_F(Admission, AllAddressesOfAnIpv6HouseholdAreOne) {
    for (int i = 1; i <= 80; ++i) come("2600:1::" + std::to_string(i));
    EXPECT_EQ(connections.connected(), limit::kPeersPerAddress);

    come("2600:1:0:1::1");
    EXPECT_EQ(connections.connected(), limit::kPeersPerAddress + 1);
}

TEST_F(Admission, OfOurOwnNetworkEachAddressCountsForItself) {
    for (int i = 1; i <= 5; ++i) come("fd00::" + std::to_string(i));

    EXPECT_EQ(connections.connected(), 5u);
}

TEST_F(Admission, AnAddressWhoseConnectionsEndMayComeAgain) {
    for (int i = 0; i < 3; ++i) come("20.0.0.1").close();
    clock.run_for(engine, 1s);

    come("20.0.0.1");

    EXPECT_EQ(connections.connected(), 1u);
}

TEST_F(Admission, InATestNetworkManyShareAnAddress) {
    settings.test_network = true;

    for (int i = 0; i < 8; ++i) come("20.0.0.1");

    EXPECT_EQ(connections.connected(), 8u);
}

TEST_F(Admission, AnAddressThatHasItsConnectionsIsNotDialled) {
    for (int i = 0; i < 3; ++i) come("20.0.0.1");
    connections.add_addresses({at("20.0.0.1:7000"), at("20.0.0.2:7000")}, AddressSource::tracker);

    connections.tick();
    clock.run_for(engine, 1s);

    EXPECT_FALSE(dialled("20.0.0.1:7000"));
    EXPECT_TRUE(dialled("20.0.0.2:7000"));
}

TEST_F(Admission, TheUsersPeerIsDialledWhereverItIs) {
    for (int i = 0; i < 3; ++i) come("20.0.0.1");
    connections.add_addresses({at("20.0.0.1:7000")}, AddressSource::user);

    connections.tick();
    clock.run_for(engine, 1s);

    EXPECT_TRUE(dialled("20.0.0.1:7000"));
}

TEST_F(Admission, WhileAReaderWaitsThoseWhoOnlyTakeMakeRoomForOneThatWaits) {
    somebody_waits = true;
    fill();
    connections.add_addresses({at("30.0.0.1:6881")}, AddressSource::tracker);
    pass(50s);
    EXPECT_FALSE(dialled("30.0.0.1:6881"));

    pass(50s);

    EXPECT_TRUE(dialled("30.0.0.1:6881"));
    EXPECT_GE(connections.connected(), 7u) << "a few at a time";
}

TEST_F(Admission, WhoDialsUsWhenAllIsFullGetsThePlaceOfAUselessOneOnceThatHadItsTime) {
    somebody_waits = true;
    fill();
    EXPECT_TRUE(come("30.0.0.1").ended()) << "all are new";
    pass(70s);

    auto const& guest = come("30.0.0.1");

    EXPECT_FALSE(guest.ended());
    EXPECT_EQ(connections.connected(), 10u);
    EXPECT_TRUE(come("30.0.0.2").ended()) << "at a bounded rate";
}

TEST_F(Admission, WhileNobodyWaitsWhoDialsUsWhenAllIsFullIsTurnedAway) {
    fill();
    pass(70s);

    EXPECT_TRUE(come("30.0.0.1").ended());
    EXPECT_EQ(connections.connected(), 10u);
}

// We have dialled a peer whose id is greater than ours, so that of two connections dialled at once its own stays.
class SecondConnections : public Admission {
protected:
    static constexpr std::uint8_t kId = 255;

    tests::FakePeer& dial(std::string const& endpoint) {
        tests::MemoryStreamOptions options;
        options.second = at(endpoint);
        auto streams = tests::memory_streams(engine.get_executor(), options);
        Handshake theirs;
        theirs.extensions = theirs.fast = true;
        theirs.peer_id[0] = static_cast<std::byte>(kId);
        auto& peer = *peers.emplace_back(
            std::make_unique<tests::FakePeer>(engine.get_executor(), std::move(streams.second), true, theirs));
        connector.there[at(endpoint)] = std::move(streams.first);
        connections.add_addresses({at(endpoint)}, AddressSource::tracker);
        connections.tick();
        clock.run_for(engine, 1s);
        EXPECT_EQ(connections.connected(), 1u);
        peer.say(MessageId::have_none);
        return peer;
    }
};

// Ids are told to everybody by trackers and shown to every peer.
TEST_F(SecondConnections, AStrangerWithAPeersIdDoesNotEndItsConnection) {
    auto const& peer = dial("20.0.0.1:7000");
    pass(1min);

    auto const& stranger = come("40.0.0.1", kId);

    EXPECT_FALSE(peer.ended());
    EXPECT_TRUE(stranger.ended());
}

TEST_F(SecondConnections, OfTwoDialledAtOnceTheGreaterIdsStaysFromWhicheverAddress) {
    auto const& peer = dial("20.0.0.1:7000");

    auto const& again = come("40.0.0.1", kId);

    EXPECT_TRUE(peer.ended());
    EXPECT_FALSE(again.ended());
}

TEST_F(SecondConnections, APeerThatComesFromItsOwnAddressMayReplaceItsConnectionLater) {
    auto const& peer = dial("20.0.0.1:7000");
    pass(1min);

    auto const& again = come("20.0.0.1", kId);

    EXPECT_TRUE(peer.ended());
    EXPECT_FALSE(again.ended());
}

}  // namespace
}  // namespace rqfs::torrent
