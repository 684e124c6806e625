#include "tests/sim/sessions/dht_of_sessions.h"
#include "tests/support/fake_udp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

// Counts the datagrams that come to a host and speak of a torrent.
class Spy final : public UdpSocket::Receiver {
public:
    Spy(SimulatedHost& host, InfoHash const& info_hash) : host_(host), info_hash_(info_hash) {
        host_.udp().add(*this);
        host_.start();
    }
    ~Spy() override { host_.udp().remove(*this); }

    bool datagram(Endpoint const&, std::span<std::byte const> bytes) override {
        ++all;
        auto const hash = info_hash_.bytes();
        if (std::search(bytes.begin(), bytes.end(), hash.begin(), hash.end()) != bytes.end()) ++of_torrent;
        return true;
    }

    std::size_t all = 0;
    std::size_t of_torrent = 0;

private:
    SimulatedHost& host_;
    InfoHash info_hash_;
};

// A machine whose UDP sockets could not be opened.
class WithoutUdp final : public Network {
public:
    WithoutUdp(SimulatedHost& host, asio::any_io_executor const& executor) : host_(host), udp_(executor) {}

    Connector& connector() override { return host_.connector(); }
    UdpSocket& udp() override { return udp_; }
    std::span<std::unique_ptr<Acceptor> const> acceptors() const override { return host_.acceptors(); }
    void start() override { host_.start(); }
    asio::awaitable<void> stop() override { return host_.stop(); }

private:
    SimulatedHost& host_;
    FakeUdp udp_;
};

TEST_F(DhtOfSessions, AnInfoHashAloneIsEnoughToReadAFilm) {
    auto const made = make_torrent({.bytes = 1'000'000});
    auto const hash = made.metainfo->info_hash();
    add_dht();
    add_torrent(add("40.0.0.1:6881"), made);
    clock.run_for(engine, 1min);
    auto& leech = add("41.0.0.1:6881");
    auto const begin = clock.now();

    add_magnet(leech, bare_magnet(hash));

    ASSERT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
    ASSERT_EQ(leech.session->peers(hash).size(), 1u);
    EXPECT_EQ(leech.session->peers(hash).front().source, "dht");
    auto const stream = leech.session->open(hash, FileIndex(0), ReaderProgram{});
    EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data);
    EXPECT_LE(clock.now() - begin, 5s);
}

TEST_F(DhtOfSessions, WhoFindsOnlyItselfGoesOnSearching) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    add_dht();
    auto& leech = add("41.0.0.1:6881");
    add_magnet(leech, bare_magnet(hash));

    clock.run_for(engine, 3min);

    auto const dht = leech.session->trackers(hash).back();
    EXPECT_EQ(dht.peers, 0u);
    EXPECT_LE(dht.next_announce.value_or(0s), 40s);
}

TEST_F(DhtOfSessions, TwoThatSearchForTheSameFindEachOther) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    add_dht();
    auto& leech = add("41.0.0.1:6881");
    add_magnet(leech, bare_magnet(hash));
    clock.run_for(engine, 10min);

    add_torrent(add("40.0.0.1:6881"), made);

    EXPECT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
}

TEST_F(DhtOfSessions, SaysWhatItsSearchIsDoing) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    auto& alone = add("41.0.0.1:6881", [](Settings& settings) { settings.dht_routers = {"nowhere.test:6881"}; });
    add_magnet(alone, bare_magnet(hash));
    clock.run_for(engine, 1s);
    auto const lonely = alone.session->torrent(hash).reason;
    add_dht();
    auto& among_others = add("42.0.0.1:6881");
    add_magnet(among_others, bare_magnet(hash));
    clock.run_for(engine, 10s);

    auto const searched = among_others.session->torrent(hash).reason;
    auto const trackers = among_others.session->trackers(hash);

    EXPECT_EQ(lonely, "no peers yet: no node of the DHT is known yet");
    EXPECT_NE(searched.find("the DHT"), std::string::npos) << searched;
    ASSERT_EQ(trackers.size(), 1u);
    EXPECT_EQ(trackers.front().url, "DHT");
    EXPECT_TRUE(trackers.front().state == "working" || trackers.front().state == "announcing");
}

TEST_F(DhtOfSessions, SaysThatNoNodeAnswersAndWhenItIsAskedAgain) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    auto& alone = add("41.0.0.1:6881", [](Settings& settings) { settings.dht_routers = {"17.0.0.9:6881"}; });
    add_magnet(alone, bare_magnet(hash));

    ASSERT_TRUE(until(2min, [&] { return alone.session->trackers(hash).back().state == "failed"; }));
    auto const row = alone.session->trackers(hash).back();
    auto const resting = alone.session->torrent(hash).reason;
    ASSERT_TRUE(until(2min, [&] { return alone.session->trackers(hash).back().state == "announcing"; }));
    auto const searching = alone.session->torrent(hash).reason;

    EXPECT_EQ(row.message, "no node of the DHT answers");
    ASSERT_TRUE(row.next_announce);
    EXPECT_EQ(resting, "no peers yet: no node of the DHT answers, it is asked again in " +
                           std::to_string(row.next_announce->count()) + " s");
    EXPECT_EQ(searching, "no peers yet: no node of the DHT answers, it is being asked again");
}

TEST_F(DhtOfSessions, SaysThatNoNodeAnswersAnyMore) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    add_dht();
    auto& member = add("41.0.0.1:6881");
    add_magnet(member, bare_magnet(hash));
    clock.run_for(engine, 1min);
    auto const before = member.session->trackers(hash).back();

    member.host.fall_silent(2h);
    clock.run_for(engine, 1h);

    EXPECT_NE(before.state, "failed");
    EXPECT_EQ(before.message, "");
    EXPECT_EQ(member.session->trackers(hash).back().message, "no node of the DHT answers");
}

TEST_F(DhtOfSessions, SaysThatNobodyIsAskedWhenItIsOff) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    auto& member = add("41.0.0.1:6881", [](Settings& settings) { settings.dht = false; });
    add_magnet(member, bare_magnet(hash));

    EXPECT_EQ(member.session->torrent(hash).reason,
              "no peers yet, and no tracker to ask: add one, or use `rqfsctl connect`");
    EXPECT_TRUE(member.session->dht().empty());
    EXPECT_TRUE(member.session->trackers(hash).empty());
}

TEST_F(DhtOfSessions, GoesOnWithoutWhereThereIsNoUdp) {
    auto& host = network.add({Endpoint::parse("41.0.0.1:6881").value()});
    WithoutUdp nothing(host, engine.get_executor());
    MemoryStore store;
    Session session({engine.get_executor(), clock, workers, store, network.resolver(), &nothing}, Settings());

    run(session.start());
    run(session.add(bare_magnet(make_torrent({}).metainfo->info_hash()), AddOptions{}));
    auto const nodes = session.dht();
    auto const torrents = session.torrents().size();
    run(session.stop());

    EXPECT_TRUE(nodes.empty());
    EXPECT_EQ(torrents, 1u);
}

TEST_F(DhtOfSessions, ItsSettingsTakeEffectAtTheNextStart) {
    auto& member = add("41.0.0.1:6881");
    Settings changed;
    changed.dht = false;
    changed.dht_read_only = true;

    auto const later = member.session->apply(changed);

    EXPECT_EQ(later, (std::vector<std::string>{"network.dht", "network.dht_routers", "network.dht_read_only"}));
    EXPECT_EQ(member.session->dht().size(), 1u);
}

TEST_F(DhtOfSessions, APrivateTorrentIsNeverSpokenOf) {
    auto const made = make_torrent({.is_private = true});
    auto const hash = made.metainfo->info_hash();
    Spy const router(network.add({Endpoint::parse("17.0.0.1:6881").value()}), hash);
    auto& seed = add("40.0.0.1:6881");

    add_torrent(seed, made);
    clock.run_for(engine, 2h);

    EXPECT_GT(router.all, 0u) << "the node itself looks for others";
    EXPECT_EQ(router.of_torrent, 0u);
    EXPECT_EQ(seed.session->dht().front().searches, 0u);
    EXPECT_TRUE(seed.session->trackers(hash).empty());
}

TEST_F(DhtOfSessions, AMagnetThatTurnsOutPrivateLeavesTheDhtAndWhatItGave) {
    auto const made = make_torrent({.is_private = true});
    auto const hash = made.metainfo->info_hash();
    add_dht();
    auto& stranger = add("43.0.0.1:6881");
    add_magnet(stranger, bare_magnet(hash));
    clock.run_for(engine, 1min);
    auto& seed = add("40.0.0.1:6881");
    add_torrent(seed, made);
    auto& leech = add("41.0.0.1:6881");
    add_magnet(leech, bare_magnet(hash));
    ASSERT_TRUE(until(1min, [&] { return leech.session->torrent(hash).peers_known > 0; }));

    run(leech.session->connect(hash, "40.0.0.1", 6881));
    ASSERT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
    clock.run_for(engine, 10s);

    EXPECT_EQ(leech.session->dht().front().searches, 0u);
    EXPECT_EQ(leech.session->torrent(hash).peers_known, 1u) << "the one the user named";
    for (auto const& peer : leech.session->peers(hash)) EXPECT_EQ(peer.endpoint, seed.host.endpoint());
}

TEST_F(DhtOfSessions, ARemovedTorrentLeavesNothing) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    Spy const router(network.add({Endpoint::parse("17.0.0.1:6881").value()}), hash);
    auto& member = add("41.0.0.1:6881");
    add_magnet(member, bare_magnet(hash));
    clock.run_for(engine, 10min);
    auto const before = router.of_torrent;

    run(member.session->remove(hash, false));
    clock.run_for(engine, 2h);

    EXPECT_GT(before, 0u);
    EXPECT_EQ(router.of_torrent, before);
    EXPECT_EQ(member.session->dht().front().searches, 0u);
}

TEST_F(DhtOfSessions, APausedTorrentIsNotSearchedForUntilItIsResumed) {
    auto const hash = make_torrent({}).metainfo->info_hash();
    Spy const router(network.add({Endpoint::parse("17.0.0.1:6881").value()}), hash);
    auto& member = add("41.0.0.1:6881");
    add_magnet(member, bare_magnet(hash));
    clock.run_for(engine, 10min);
    auto const before = router.of_torrent;

    run(member.session->pause(hash));
    clock.run_for(engine, 2h);
    auto const paused = router.of_torrent;
    run(member.session->resume(hash));
    clock.run_for(engine, 1min);

    EXPECT_GT(before, 0u);
    EXPECT_EQ(paused, before);
    EXPECT_GT(router.of_torrent, paused);
}

TEST_F(DhtOfSessions, TheNodesOfTheLastRunAreEnoughWhenNoRouterAnswers) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    add_dht();
    add_torrent(add("40.0.0.1:6881"), made);
    auto& leech = add("41.0.0.1:6881");
    clock.run_for(engine, 3min);
    run(leech.session->stop());

    start(leech, [](Settings& settings) { settings.dht_routers = {"nowhere.test:6881"}; });
    auto const begin = clock.now();
    add_magnet(leech, bare_magnet(hash));

    EXPECT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
    EXPECT_LE(clock.now() - begin, 5s);
}

TEST_F(DhtOfSessions, WhatItKnowsIsSavedNowAndThen) {
    add_dht();
    auto const& store = members.back()->store;
    auto const at_first = store.dht.size();

    clock.run_for(engine, 10min);

    EXPECT_EQ(at_first, 0u);
    EXPECT_GT(store.dht.size(), 8u * 26) << "eight nodes of 26 bytes";
}

TEST_F(DhtOfSessions, ConnectedPeersTellEachOtherOfTheirNodes) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    auto const nowhere = [](Settings& settings) { settings.dht_routers = {"nowhere.test:6881"}; };
    auto& seed = add("40.0.0.1:6881", nowhere);
    add_torrent(seed, made);
    auto& leech = add("41.0.0.1:6881", nowhere);

    add_magnet(leech, bare_magnet(hash) + "&x.pe=" + seed.host.endpoint().text());
    ASSERT_TRUE(until(1min, [&] { return has_metadata(leech, hash); }));
    clock.run_for(engine, 10s);

    EXPECT_EQ(leech.session->dht().front().good, 1u);
    EXPECT_EQ(seed.session->dht().front().good, 1u);
}

TEST_F(DhtOfSessions, PeersOfAPrivateTorrentDoNotTellEachOtherOfTheirNodes) {
    auto const made = make_torrent({.is_private = true});
    auto const hash = made.metainfo->info_hash();
    auto const nowhere = [](Settings& settings) { settings.dht_routers = {"nowhere.test:6881"}; };
    auto& seed = add("40.0.0.1:6881", nowhere);
    add_torrent(seed, made);
    auto& leech = add("41.0.0.1:6881", nowhere);

    run(leech.session->add(made.file, AddOptions{}));
    run(leech.session->connect(hash, "40.0.0.1", 6881));
    ASSERT_TRUE(until(1min, [&] { return leech.session->torrent(hash).peers_connected == 1; }));
    clock.run_for(engine, 1min);

    EXPECT_FALSE(leech.session->dht().front().connected);
    EXPECT_FALSE(seed.session->dht().front().connected);
}

// It answers nobody, so nobody is to come and ask (BEP 5, 43).
TEST_F(DhtOfSessions, AReadOnlyNodeIsNotShownToPeers) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    auto const nowhere = [](Settings& settings) { settings.dht_routers = {"nowhere.test:6881"}; };
    auto const read_only = [&](Settings& settings) {
        nowhere(settings);
        settings.dht_read_only = true;
    };
    auto& seed = add("40.0.0.1:6881", read_only);
    add_torrent(seed, made);
    auto& leech = add("41.0.0.1:6881", nowhere);

    add_magnet(leech, bare_magnet(hash) + "&x.pe=" + seed.host.endpoint().text());
    ASSERT_TRUE(until(1min, [&] { return has_metadata(leech, hash); }));
    clock.run_for(engine, 1min);

    EXPECT_EQ(leech.session->dht().front().sent_bytes, 0u) << "nobody was named to it";
}

TEST_F(DhtOfSessions, AReadOnlyNodeFindsAndIsNobodysNode) {
    auto const made = make_torrent({});
    auto const hash = made.metainfo->info_hash();
    add_dht();
    add_torrent(add("40.0.0.1:6881"), made);
    auto& leech = add("41.0.0.1:6881", [](Settings& settings) { settings.dht_read_only = true; });
    auto const others = members.front()->session->dht().front();

    add_magnet(leech, bare_magnet(hash));

    EXPECT_TRUE(until(1min, [&] { return has_metadata(leech, hash); })) << leech.session->torrent(hash).reason;
    EXPECT_TRUE(leech.session->dht().front().read_only);
    EXPECT_EQ(leech.session->dht().front().stored_peers, 0u);
    auto const now = members.front()->session->dht().front();
    EXPECT_LE(now.good + now.questionable, others.good + others.questionable + 1) << "the seed's node may be new";
}

}  // namespace
}  // namespace rqfs::tests
