#include "torrent/connections.h"

#include "tests/support/fake_peer.h"
#include "tests/support/memory_stream.h"
#include "tests/support/run_engine.h"
#include "tests/torrent/engine/connections_fixture.h"
#include "torrent/swarm/peer_priority.h"

#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <sstream>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

Address at(std::string const& text) { return Address::parse(text).value(); }

std::vector<Endpoint> strangers() {
    std::vector<Endpoint> all;
    for (int network = 1; network <= 20; ++network) all.push_back(Endpoint::parse("9." + std::to_string(network) + ".7.3:7000").value());
    return all;
}

std::vector<Endpoint> best_first(std::vector<Endpoint> peers, std::string const& own) {
    auto const us = Endpoint::parse(own).value();
    std::sort(peers.begin(), peers.end(), [&](auto const& a, auto const& b) { return peer_priority(us, a) > peer_priority(us, b); });
    return peers;
}

TEST_F(ConnectionsFixture, PeersAreDialledInTheOrderOfOurExternalAddress) {
    somebody_waits = true;  // all are dialled at once
    Connections connections(context, InfoHash(), shared_log(), *this);
    connections.start();
    connections.add_addresses(strangers(), AddressSource::tracker);
    connections.set_external(at("123.213.32.10"));

    connections.tick();
    clock.run_for(engine, 0ms);

    EXPECT_EQ(connector.dialled, best_first(strangers(), "123.213.32.10:6881"));
    tests::run_engine(engine, connections.stop());
}

TEST_F(ConnectionsFixture, ATorrentAddedLaterKnowsTheExternalAddressFromTheStart) {
    somebody_waits = true;  // all are dialled at once
    external.tracker_says(at("123.213.32.10"), at("8.8.8.8"), clock.now());
    Connections connections(context, InfoHash(), shared_log(), *this);
    connections.start();
    connections.add_addresses(strangers(), AddressSource::tracker);

    connections.tick();
    clock.run_for(engine, 0ms);

    EXPECT_EQ(connector.dialled, best_first(strangers(), "123.213.32.10:6881"));
    tests::run_engine(engine, connections.stop());
}

TEST_F(ConnectionsFixture, OnlyTheUsersPeersAreKnownOnceAPrivateTorrentsTrackersAreOthers) {
    Connections connections(context, InfoHash(), shared_log(), *this);
    connections.start();
    auto const users = Endpoint::parse("9.50.7.3:7000").value();
    connections.add_addresses(strangers(), AddressSource::tracker);
    connections.add_addresses(std::vector<Endpoint>(1, users), AddressSource::user);

    connections.trackers_changed();
    connections.tick();
    clock.run_for(engine, 0ms);

    EXPECT_EQ(connector.dialled, std::vector<Endpoint>(1, users));
    EXPECT_EQ(connections.known().counts().known, 1u);
    tests::run_engine(engine, connections.stop());
}

TEST_F(ConnectionsFixture, WhatAPeerSaysOfOurAddressIsPassedOn) {
    Connections connections(context, InfoHash(), shared_log(), *this);
    connections.start();
    auto streams = tests::memory_streams(engine.get_executor());
    tests::FakePeer peer(engine.get_executor(), std::move(streams.second));
    auto const remote = streams.first->remote();
    Handshake theirs;
    theirs.extensions = theirs.fast = true;
    ExtensionHandshake says;
    says.your_address = at("123.213.32.10");
    connections.adopt_incoming(std::move(streams.first), theirs);

    peer.say_extended(0, says.encode());
    clock.run_for(engine, 1s);

    ASSERT_EQ(votes.size(), 1u);
    EXPECT_EQ(votes.front().first, at("123.213.32.10"));
    EXPECT_EQ(votes.front().second, remote);
    tests::run_engine(engine, connections.stop());
    tests::run_engine(engine, peer.stop());
}

// A peer in memory whose connection says at `trace` what it receives.
class LoggedPeers : public ConnectionsFixture {
protected:
    LoggedPeers() { connections.start(); }
    void TearDown() override { tests::run_engine(engine, connections.stop()); }

    // One incoming connection from 10.0.0.2:1002 that says where it listens, speaks, and leaves.
    void come_and_go(std::uint16_t listens_at) {
        auto streams = tests::memory_streams(engine.get_executor());
        tests::FakePeer peer(engine.get_executor(), std::move(streams.second));
        Handshake theirs;
        theirs.extensions = theirs.fast = true;
        connections.adopt_incoming(std::move(streams.first), theirs);
        ExtensionHandshake says;
        says.port = listens_at;
        peer.say_extended(0, says.encode());
        clock.run_for(engine, 1s);
        peer.say(MessageId::unchoke);
        clock.run_for(engine, 1s);
        tests::run_engine(engine, peer.stop());
        clock.run_for(engine, 1s);
    }
    bool logged(std::string const& words) {
        auto const found = text.str().find(words) != std::string::npos;
        text.str("");
        return found;
    }
    static Endpoint endpoint(std::string const& where) { return Endpoint::parse(where).value(); }

    std::ostringstream text;
    std::shared_ptr<spdlog::logger> detailed = [this] {
        auto logger = std::make_shared<spdlog::logger>("detailed", std::make_shared<spdlog::sinks::ostream_sink_st>(text));
        logger->set_level(spdlog::level::trace);
        return logger;
    }();
    Connections connections{context, InfoHash(), shared_log(), *this};
};

TEST_F(LoggedPeers, APeerThatComesBackIsLoggedAsBefore) {
    come_and_go(7000);
    ASSERT_FALSE(logged("unchoke"));
    ASSERT_TRUE(connections.set_peer_logger(endpoint("10.0.0.2:7000"), detailed));

    come_and_go(7000);
    EXPECT_TRUE(logged("unchoke"));
    come_and_go(7001);
    EXPECT_FALSE(logged("unchoke")) << "that is another peer";
}

TEST_F(LoggedPeers, ATorrentsNewLoggerLeavesThePeersTheirOwn) {
    come_and_go(7000);
    ASSERT_TRUE(connections.set_peer_logger(endpoint("10.0.0.2:7000"), detailed));

    connections.set_logger(shared_log());
    come_and_go(7000);

    EXPECT_TRUE(logged("unchoke"));
}

TEST_F(LoggedPeers, ATakenBackLevelIsForgotten) {
    come_and_go(7000);
    ASSERT_TRUE(connections.set_peer_logger(endpoint("10.0.0.2:7000"), detailed));

    ASSERT_TRUE(connections.set_peer_logger(endpoint("10.0.0.2:7000"), nullptr));
    come_and_go(7000);

    EXPECT_FALSE(logged("unchoke"));
}

TEST_F(LoggedPeers, AnAddressThatNobodyKnowsIsNotKept) {
    EXPECT_FALSE(connections.set_peer_logger(endpoint("10.0.0.2:7000"), detailed));

    come_and_go(7000);

    EXPECT_FALSE(logged("unchoke"));
}

}  // namespace
}  // namespace rqfs::torrent
