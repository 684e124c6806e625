#include "tests/support/fake_peer.h"
#include "tests/support/memory_stream.h"
#include "tests/support/run_engine.h"
#include "tests/torrent/engine/connections_fixture.h"
#include "torrent/connections.h"
#include "torrent/log.h"
#include "torrent/peer/extension.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

// A torrent that somebody waits for, with ten places.
class Places : public ConnectionsFixture {
protected:
    Places() {
        settings.connections_per_torrent = 10;
        connections.start();
    }
    void TearDown() override {
        tests::run_engine(engine, connections.stop());
        for (auto const& peer : peers) tests::run_engine(engine, peer->stop());
    }
    tests::FakePeer& come(std::string const& from, std::function<void(ExtensionHandshake&)> const& change = {}) {
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
        says.port = 2000;
        if (change) change(says);
        peer.say_extended(0, says.encode());
        clock.run_for(engine, 100ms);
        return peer;
    }
    void fill() {
        for (int i = 1; i <= 10; ++i) come("20.0." + std::to_string(i) + ".1");
    }
    void pass(Duration time) {
        for (auto const end = clock.now() + time; clock.now() < end;) {
            connections.tick();
            clock.run_for(engine, 1s);
        }
    }
    bool dialled(std::string const& endpoint) const {
        return std::find(connector.dialled.begin(), connector.dialled.end(), at(endpoint)) != connector.dialled.end();
    }

    Connections connections{context, InfoHash(), shared_log(), *this};
    std::vector<std::unique_ptr<tests::FakePeer>> peers;
};

TEST_F(Places, AUselessPeerMakesRoomForOneThatWaits) {
    fill();
    std::vector<Endpoint> const waiting{at("30.0.0.1:6881")};
    connections.add_addresses(waiting, AddressSource::tracker);
    pass(30s);
    EXPECT_EQ(connections.connected(), 10u);
    EXPECT_FALSE(dialled("30.0.0.1:6881"));

    pass(40s);

    EXPECT_EQ(connections.connected(), 9u);
    EXPECT_TRUE(dialled("30.0.0.1:6881"));
}

TEST_F(Places, WhereNobodyWaitsAllStay) {
    fill();

    pass(100s);  // and they would be hung up on for their silence

    EXPECT_EQ(connections.connected(), 10u);
}

TEST_F(Places, WhoTakesWhatWeHaveIsNotReplaced) {
    fill();
    for (auto const& peer : peers) peer->say(MessageId::interested);
    std::vector<Endpoint> const waiting{at("30.0.0.1:6881")};
    connections.add_addresses(waiting, AddressSource::tracker);

    pass(90s);

    EXPECT_EQ(connections.connected(), 10u);
}

TEST_F(Places, APeerThatNamesItsOtherAddressIsDialledAtBothAtOnce) {
    auto& peer = come("2600::1", [](ExtensionHandshake& says) { says.ipv4 = Address::parse("30.0.0.9").value(); });
    pass(30s);
    EXPECT_TRUE(connector.dialled.empty()) << "it is connected";

    peer.close();
    pass(2s);

    EXPECT_EQ(connector.dialled.size(), 2u);
    EXPECT_TRUE(dialled("30.0.0.9:2000"));
    EXPECT_TRUE(dialled("[2600::1]:2000"));
}

TEST_F(Places, APeerMaySayOfNobodyThatItIsItself) {
    std::vector<Endpoint> const known{at("30.0.0.9:2000")};
    connections.add_addresses(known, AddressSource::tracker);
    pass(1s);
    connector.dialled.clear();

    come("2600::1", [](ExtensionHandshake& says) { says.ipv4 = Address::parse("30.0.0.9").value(); });
    pass(3min);

    EXPECT_TRUE(dialled("30.0.0.9:2000"));
}

TEST_F(Places, APeerThatRepeatsItsHandshakeNamesOneOtherAddress) {
    auto& peer = come("2600::1", [](ExtensionHandshake& says) { says.ipv4 = Address::parse("30.0.0.9").value(); });

    for (int i = 0; i < 1'000; ++i) {
        ExtensionHandshake says;
        says.ipv4 = Address::parse("30." + std::to_string(i / 200) + "." + std::to_string(i % 200) + ".7").value();
        says.port = static_cast<std::uint16_t>(2'000 + i);
        peer.say_extended(0, says.encode());
    }
    pass(5s);
    EXPECT_EQ(connections.known().counts().known, 2u);
    peer.close();
    pass(10s);

    for (auto const& endpoint : connector.dialled)
        EXPECT_TRUE(endpoint == at("30.0.0.9:2000") || endpoint == at("[2600::1]:2000")) << endpoint.text();
    EXPECT_TRUE(dialled("30.0.0.9:2000"));
}

TEST_F(Places, AnotherAddressIsVettedAsAStrangersWord) {
    come("2600::1", [](ExtensionHandshake& says) { says.ipv4 = Address::parse("127.0.0.1").value(); });

    EXPECT_EQ(connections.known().find(at("127.0.0.1:2000")), nullptr);
}

}  // namespace
}  // namespace rqfs::torrent
