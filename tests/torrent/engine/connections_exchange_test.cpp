#include "tests/support/fake_peer.h"
#include "tests/support/memory_stream.h"
#include "tests/support/run_engine.h"
#include "tests/torrent/engine/connections_fixture.h"
#include "torrent/connections.h"
#include "torrent/peer/extension.h"
#include "torrent/peer/holepunch_message.h"
#include "torrent/peer/pex_message.h"
#include "torrent/peer/settings.h"
#include "torrent/swarm/peer_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using Type = HolepunchMessage::Type;

constexpr std::uint8_t kTheirPexId = 11;
constexpr std::uint8_t kTheirHolepunchId = 12;

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

class Exchange : public ConnectionsFixture {
protected:
    Exchange() { connections.start(); }
    void TearDown() override {
        tests::run_engine(engine, connections.stop());
        for (auto const& peer : peers) tests::run_engine(engine, peer->stop());
    }
    bool is_private() const override { return torrent_is_private; }

    // A peer that dialled us, listens at `port` and speaks both extensions.
    tests::FakePeer& come(std::string const& from, std::uint16_t port,
                          std::function<void(ExtensionHandshake&)> const& change = {}) {
        tests::MemoryStreamOptions options;
        options.second = {Address::parse(from).value(), 50000};
        auto streams = tests::memory_streams(engine.get_executor(), options);
        auto& peer =
            *peers.emplace_back(std::make_unique<tests::FakePeer>(engine.get_executor(), std::move(streams.second)));
        Handshake theirs;
        theirs.extensions = theirs.fast = true;
        theirs.peer_id[0] = static_cast<std::byte>(peers.size());
        connections.adopt_incoming(std::move(streams.first), theirs);
        ExtensionHandshake says;
        says.port = port;
        says.ut_pex = kTheirPexId;
        says.ut_holepunch = kTheirHolepunchId;
        if (change) change(says);
        peer.say_extended(0, says.encode());
        clock.run_for(engine, 100ms);
        return peer;
    }
    void pass(Duration time) {
        for (auto const end = clock.now() + time; clock.now() < end;) {
            connections.tick();
            clock.run_for(engine, 1s);
        }
    }
    static std::vector<PexMessage> exchanges(tests::FakePeer& peer) {
        std::vector<PexMessage> all;
        for (auto const& heard : peer.heard(MessageId::extended))
            if (heard.message.extended_id == kTheirPexId)
                all.push_back(PexMessage::parse(std::span(heard.bytes).subspan(2)).value());
        return all;
    }
    static std::vector<HolepunchMessage> holepunches(tests::FakePeer& peer) {
        std::vector<HolepunchMessage> all;
        for (auto const& heard : peer.heard(MessageId::extended))
            if (heard.message.extended_id == kTheirHolepunchId)
                all.push_back(HolepunchMessage::parse(std::span(heard.bytes).subspan(2)).value());
        return all;
    }
    static std::vector<std::byte> telling_of(std::vector<std::string> const& endpoints) {
        PexMessage message;
        for (auto const& endpoint : endpoints) message.added.push_back({at(endpoint), 0});
        return message.encode();
    }
    bool dialled(std::string const& endpoint) const {
        return std::find(connector.dialled.begin(), connector.dialled.end(), at(endpoint)) != connector.dialled.end();
    }

    bool torrent_is_private = false;
    Connections connections{context, InfoHash(), shared_log(), *this};
    std::vector<std::unique_ptr<tests::FakePeer>> peers;
};

TEST_F(Exchange, WhoDialledUsIsNamedWithItsListeningPort) {
    auto& first = come("20.0.0.1", 1000);
    come("20.0.0.2", 2000);

    pass(3s);

    auto const told = exchanges(first);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told.front().added, (std::vector<PexPeer>{{at("20.0.0.2:2000"), PexPeer::kHolepunch}}));
}

TEST_F(Exchange, WhoLeavesIsDroppedAMinuteLater) {
    auto& first = come("20.0.0.1", 1000);
    auto& second = come("20.0.0.2", 2000);
    pass(3s);
    exchanges(first);

    second.close();
    pass(50s);
    EXPECT_TRUE(exchanges(first).empty());
    pass(12s);

    auto const told = exchanges(first);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told.front().added.empty());
    EXPECT_EQ(told.front().dropped, (std::vector{at("20.0.0.2:2000")}));
}

TEST_F(Exchange, AListeningPortThatNobodyShouldDialIsNotPassedOn) {
    auto& first = come("20.0.0.1", 1000 + 1024);
    come("20.0.0.2", 25);

    pass(10s);

    EXPECT_TRUE(exchanges(first).empty());
}

TEST_F(Exchange, AddressesOfOurOwnNetworkAreNotToldToStrangers) {
    auto& stranger = come("20.0.0.1", 2000);
    auto& neighbour = come("192.168.1.7", 3000);

    pass(10s);

    EXPECT_TRUE(exchanges(stranger).empty());
    ASSERT_EQ(exchanges(neighbour).size(), 1u);
}

TEST_F(Exchange, WhatAPeerTellsIsDialledAsFromAStranger) {
    auto& peer = come("20.0.0.1", 2000);

    peer.say_extended(kOurPexId, telling_of({"20.0.0.9:6881", "192.168.1.1:8080", "127.0.0.1:6379", "20.0.0.8:25"}));
    pass(1s);

    EXPECT_TRUE(dialled("20.0.0.9:6881"));
    EXPECT_EQ(connector.dialled.size(), 1u);
    EXPECT_TRUE(connections.known().find(at("20.0.0.9:6881"))->sources.contains(PeerSource::pex));
}

TEST_F(Exchange, ANeighbourMayTellOfOurOwnNetwork) {
    auto& peer = come("192.168.1.7", 2000);

    peer.say_extended(kOurPexId, telling_of({"192.168.1.8:6881"}));
    pass(1s);

    EXPECT_TRUE(dialled("192.168.1.8:6881"));
}

// A provider's customers behind its NAT (100.64/10), Teredo, test ranges, another private network: none is our own.
class SpecialStrangers : public Exchange, public testing::WithParamInterface<char const*> {};

TEST_P(SpecialStrangers, MayNotTellOfOurOwnNetwork) {
    auto& peer = come(GetParam(), 2000);

    peer.say_extended(kOurPexId, telling_of({"192.168.1.8:6881", "10.0.0.8:6881"}));
    pass(1s);

    EXPECT_TRUE(connector.dialled.empty());
}

TEST_P(SpecialStrangers, AreNotToldOfOurOwnNetworkNorOthersOfThem) {
    auto& stranger = come(GetParam(), 2000);
    auto& neighbour = come("192.168.1.7", 3000);
    auto& other = come("20.0.0.1", 4000);

    pass(10s);

    for (auto const& message : exchanges(stranger))
        EXPECT_EQ(message.added, (std::vector<PexPeer>{{at("20.0.0.1:4000"), PexPeer::kHolepunch}}));
    for (auto const& message : exchanges(neighbour))
        EXPECT_EQ(message.added, (std::vector<PexPeer>{{at("20.0.0.1:4000"), PexPeer::kHolepunch}}));
    EXPECT_TRUE(exchanges(other).empty());
}

INSTANTIATE_TEST_SUITE_P(Exchange, SpecialStrangers,
                         testing::Values("100.64.3.4", "198.18.0.9", "240.0.0.9", "2001:0:1::9", "10.9.8.7"));

TEST_F(Exchange, ALinkLocalAddressIsToldToNobody) {
    auto& neighbour = come("192.168.1.7", 3000);
    come("fe80::9%2", 4000);

    for (bool const test_network : {false, true}) {
        settings.test_network = test_network;
        pass(90s);

        for (auto const& message : exchanges(neighbour)) EXPECT_TRUE(message.added.empty()) << test_network;
    }
}

TEST_F(Exchange, NobodyMayTellOfALinkLocalAddress) {
    auto& peer = come("fe80::9%2", 2000);

    peer.say_extended(kOurPexId, telling_of({"[fe80::8%2]:6881", "[fe80::8]:6881", "192.168.1.8:6881"}));
    pass(1s);

    EXPECT_EQ(connector.dialled, std::vector{at("192.168.1.8:6881")});
}

TEST_F(Exchange, AFloodEndsTheConnection) {
    auto& peer = come("20.0.0.1", 2000);

    for (int i = 0; i < 8; ++i) peer.say_extended(kOurPexId, telling_of({}));
    pass(1s);

    EXPECT_EQ(connections.connected(), 0u);
}

// Ten thousand victims, told of in 50 minutes in each of the ways that a peer has to tell of them.
class Victims : public Exchange {
protected:
    using Group = std::span<std::string const>;

    Victims() {
        for (int i = 0; i < 10'000; ++i)
            all.push_back("30." + std::to_string(i % 200) + ".0." + std::to_string(i / 200) + ":7000");
    }
    static PexMessage adding(Group victims) {
        PexMessage message;
        for (auto const& victim : victims) message.added.push_back({at(victim), 0});
        return message;
    }
    void tell_all(std::function<void(Group)> const& tell) {
        for (std::size_t said = 0; said < all.size(); said += limit::kPexPeersRead) {
            tell(Group(all).subspan(said, limit::kPexPeersRead));
            pass(61s);
        }
    }
    // Of 50 minutes; the attacker itself, who listens somewhere too, is no victim.
    void expect_few_dials() const {
        std::map<Endpoint, int> dials;
        for (auto const& endpoint : connector.dialled)
            if (endpoint.port == 7000) ++dials[endpoint];
        EXPECT_GE(dials.size(), limit::kNamedAtOnce);
        EXPECT_LE(dials.size(), limit::kNamedAtOnce + 51 * limit::kNamedAtOnce / 10);
        for (auto const& [endpoint, count] : dials) EXPECT_LE(count, 3) << endpoint.text();
    }
    std::size_t victims_known() const { return connections.known().counts().known - 1; }

    std::vector<std::string> all;
};

TEST_F(Victims, OfTenThousandFiftyAreDialledThreeTimesEachAndFiveMoreAMinute) {
    auto& peer = come("20.0.0.1", 2000);

    peer.say_extended(kOurPexId, adding(Group(all).first(limit::kPexPeersRead)).encode());
    pass(1s);
    EXPECT_EQ(victims_known(), limit::kNamedAtOnce) << "a first message counts in full";
    pass(60s);
    tell_all([&](Group victims) { peer.say_extended(kOurPexId, adding(victims).encode()); });

    expect_few_dials();
    EXPECT_EQ(connections.connected(), 1u);
}

TEST_F(Victims, DroppingThemMakesNoRoomForMore) {
    auto& peer = come("20.0.0.1", 2000);
    std::vector<Endpoint> before;

    tell_all([&](Group victims) {
        auto message = adding(victims.first(50));
        message.dropped = before;
        before.clear();
        for (auto const& victim : message.added) before.push_back(victim.endpoint);
        peer.say_extended(kOurPexId, message.encode());
    });

    expect_few_dials();
}

TEST_F(Victims, ComingBackMakesNoRoomForMore) {
    int times = 0;

    tell_all([&](Group victims) {
        auto& peer = come("20.0.0.1", 2000);
        peer.say_extended(kOurPexId, adding(victims).encode());
        clock.run_for(engine, 1s);
        peer.close();
        ++times;
    });

    EXPECT_EQ(times, 50);
    expect_few_dials();
}

TEST_F(Victims, AllAddressesOfAHouseholdAreOneAndAllWaysOfNamingTogether) {
    int household = 0;

    tell_all([&](Group victims) {
        auto const twin = at(victims[0]).address;
        auto& peer = come("2600::" + std::to_string(++household), 7000, [&](auto& says) { says.ipv4 = twin; });
        for (auto const& victim : victims.subspan(1, 10))
            peer.say_extended(kOurHolepunchId, HolepunchMessage{Type::connect, at(victim), {}}.encode());
        peer.say_extended(kOurPexId, adding(victims.subspan(11)).encode());
        clock.run_for(engine, 1s);
        peer.close();
    });

    std::erase_if(connector.dialled, [](auto const& endpoint) { return endpoint.address.is_v6(); });
    expect_few_dials();
}

TEST_F(Victims, ThoseGivenUpCountAgainWhenTheyMayBeLearntAnew) {
    auto const first = Group(all).first(50);
    come("20.0.0.1", 2000).say_extended(kOurPexId, adding(first).encode());
    pass(2h);
    ASSERT_EQ(connections.known().counts().known, 0u) << "it was silent and is gone, too";

    auto& peer = come("20.0.0.1", 2000);
    peer.say_extended(kOurPexId, adding(first).encode());
    peer.say_extended(kOurPexId, adding(Group(all).subspan(50, 50)).encode());
    pass(1s);

    EXPECT_EQ(victims_known(), 50u);
}

TEST_F(Victims, WhomOthersNamedCostsNothing) {
    for (auto const& victim : Group(all).first(40)) connections.add_addresses({at(victim)}, AddressSource::tracker);
    auto& peer = come("20.0.0.1", 2000);

    peer.say_extended(kOurPexId, adding(Group(all).first(90)).encode());
    pass(1s);

    EXPECT_EQ(victims_known(), 90u);
}

TEST_F(Exchange, APrivateTorrentNeitherSpeaksNorListens) {
    torrent_is_private = true;
    auto& peer = come("20.0.0.1", 2000);
    come("20.0.0.2", 3000);

    peer.say_extended(kOurPexId, telling_of({"20.0.0.9:6881"}));
    peer.say_extended(kOurHolepunchId, HolepunchMessage{Type::connect, at("20.0.0.8:6881"), {}}.encode());
    pass(5s);

    EXPECT_TRUE(connector.dialled.empty());
    for (auto const& heard : peer.heard(MessageId::extended)) {
        ASSERT_EQ(heard.message.extended_id, 0);
        auto const ours = ExtensionHandshake::parse(std::span(heard.bytes).subspan(2)).value();
        EXPECT_EQ(ours.ut_pex, 0);
        EXPECT_EQ(ours.ut_holepunch, 0);
    }
}

TEST_F(Exchange, TwoPeersMeetThroughUs) {
    auto& first = come("20.0.0.1", 2000);
    auto& second = come("20.0.0.2", 3000);

    first.say_extended(kOurHolepunchId, HolepunchMessage{Type::rendezvous, at("20.0.0.2:3000"), {}}.encode());
    clock.run_for(engine, 1s);

    EXPECT_EQ(holepunches(first), (std::vector<HolepunchMessage>{{Type::connect, at("20.0.0.2:3000"), {}}}));
    EXPECT_EQ(holepunches(second), (std::vector<HolepunchMessage>{{Type::connect, at("20.0.0.1:2000"), {}}}));
}

TEST_F(Exchange, ANeighbourAndAStrangerDoNotMeetThroughUs) {
    auto& stranger = come("20.0.0.1", 2000);
    auto& neighbour = come("192.168.1.7", 3000);

    stranger.say_extended(kOurHolepunchId, HolepunchMessage{Type::rendezvous, at("192.168.1.7:3000"), {}}.encode());
    neighbour.say_extended(kOurHolepunchId, HolepunchMessage{Type::rendezvous, at("20.0.0.1:2000"), {}}.encode());
    clock.run_for(engine, 1s);

    using Failure = HolepunchMessage::Failure;
    EXPECT_EQ(holepunches(stranger),
              (std::vector<HolepunchMessage>{{Type::error, at("192.168.1.7:3000"), Failure::not_connected}}));
    EXPECT_EQ(holepunches(neighbour),
              (std::vector<HolepunchMessage>{{Type::error, at("20.0.0.1:2000"), Failure::not_connected}}));
}

TEST_F(Exchange, WhoSaysThatItListensWhereAServiceDoesMeetsNobodyThroughUs) {
    auto& first = come("20.0.0.1", 25);
    auto& second = come("20.0.0.2", 3000);

    first.say_extended(kOurHolepunchId, HolepunchMessage{Type::rendezvous, at("20.0.0.2:3000"), {}}.encode());
    clock.run_for(engine, 1s);

    EXPECT_EQ(holepunches(first).size(), 1u);
    EXPECT_TRUE(holepunches(second).empty());
}

TEST_F(Exchange, APeerThatIsNotHereCannotBeMet) {
    auto& first = come("20.0.0.1", 2000);

    first.say_extended(kOurHolepunchId, HolepunchMessage{Type::rendezvous, at("20.0.0.2:3000"), {}}.encode());
    clock.run_for(engine, 1s);

    auto const answers = holepunches(first);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers.front().failure, HolepunchMessage::Failure::not_connected);
}

TEST_F(Exchange, AskedToConnectWeDialAsForAStranger) {
    auto& peer = come("20.0.0.1", 2000);

    peer.say_extended(kOurHolepunchId, HolepunchMessage{Type::connect, at("20.0.0.9:6881"), {}}.encode());
    peer.say_extended(kOurHolepunchId, HolepunchMessage{Type::connect, at("127.0.0.1:6881"), {}}.encode());
    clock.run_for(engine, 1s);

    EXPECT_EQ(connector.dialled, (std::vector{at("20.0.0.9:6881")}));
}

TEST_F(Exchange, APeerThatIsDialledIsShownWithWhoToldOfIt) {
    EXPECT_EQ(main_source(PeerSource::incoming), PeerSource::incoming);
    auto both = PeerSources(PeerSource::resume);
    both.add(PeerSource::pex);
    EXPECT_EQ(main_source(both), PeerSource::pex);
    both.add(PeerSource::tracker);
    EXPECT_EQ(main_source(both), PeerSource::tracker) << "a private torrent keeps it";
}

}  // namespace
}  // namespace rqfs::torrent
