#include "tests/support/make_torrent.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_virtual.h"
#include "tests/support/simulated_network.h"
#include "tests/support/virtual_clock.h"
#include "torrent/session.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

// Sessions that learn of each other by what others say and by being neighbours: there is no tracker and no DHT.
class Neighbours : public testing::Test {
protected:
    struct Member {
        SimulatedHost& host;
        MemoryStore store;
        std::unique_ptr<Session> session;
    };

    Member& add(std::string const& at, SimulatedAccess const& access = {},
                std::function<void(Settings&)> const& change = {}) {
        auto& host = network.add({Endpoint::parse(at).value()}, access);
        auto& member = *members.emplace_back(new Member{host, {}, nullptr});
        Settings settings;
        settings.dht = false;
        if (change) change(settings);
        Session::Parts const parts{engine.get_executor(), clock, workers, member.store, network.resolver(), &host};
        member.session = std::make_unique<Session>(parts, settings);
        run(member.session->start());
        return member;
    }
    Member& add_seed(MadeTorrent const& made, std::string const& at, SimulatedAccess const& access = {}) {
        auto& member = add(at, access);
        member.store.fill(made.metainfo->info_hash(), made.data, made.metainfo->pieces().piece_bytes());
        run(member.session->add(made.file, AddOptions{}));
        return member;
    }
    bool has(Member& member, InfoHash const& hash) {
        return member.session->torrent(hash).state == TorrentState::seeding;
    }
    // "ADDRESS:PORT by SOURCE" of those it is connected to.
    static std::vector<std::string> connected(Member const& member, InfoHash const& hash) {
        std::vector<std::string> all;
        for (auto const& peer : member.session->peers(hash)) all.push_back(peer.endpoint.text() + " by " + peer.source);
        std::sort(all.begin(), all.end());
        return all;
    }
    template <class T>
    T run(asio::awaitable<T> task) {
        return run_virtual(engine, clock, std::move(task));
    }
    bool until(Duration limit, std::function<bool()> const& done) { return clock.run_until(engine, limit, done); }
    void TearDown() override {
        for (auto const& member : members) run(member->session->stop());
    }

    asio::io_context engine{1};
    VirtualClock clock;
    Workers workers{engine.get_executor()};
    SimulatedNetwork network{engine.get_executor(), clock};
    std::vector<std::unique_ptr<Member>> members;
};

std::string bare_magnet(InfoHash const& info_hash) { return "magnet:?xt=urn:btih:" + info_hash.hex(); }

TEST_F(Neighbours, OnePeerThatExchangesPeersIsEnoughToFindTheSeed) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "20.0.0.1:6881");
    auto& relay = add("21.0.0.2:6881");
    run(relay.session->add(made.file, AddOptions{}));
    run(relay.session->connect(hash, "20.0.0.1", 6881));
    ASSERT_TRUE(until(10s, [&] { return relay.session->torrent(hash).peers_connected == 1; }));

    auto& leech = add("22.0.0.3:6881");
    run(leech.session->add(bare_magnet(hash) + "&x.pe=21.0.0.2:6881", AddOptions{.download = true}));

    EXPECT_TRUE(until(30s, [&] { return has(leech, hash); }));
    EXPECT_LE(relay.session->torrent(hash).have_bytes, 0u) << "the relay has nothing to give";
}

TEST_F(Neighbours, WhoWasLearntByPeerExchangeIsShownSo) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    std::vector<Member*> leeches;
    for (auto const* const at : {"20.0.0.1:6881", "21.0.0.2:6881", "22.0.0.3:6881"}) {
        leeches.push_back(&add(at));
        run(leeches.back()->session->add(made.file, AddOptions{.download = true}));
    }
    run(leeches[0]->session->connect(hash, "21.0.0.2", 6881));
    run(leeches[1]->session->connect(hash, "22.0.0.3", 6881));

    ASSERT_TRUE(until(2min, [&] { return leeches[0]->session->torrent(hash).peers_connected == 2; }));

    clock.run_for(engine, 10s);
    std::vector<std::string> sources;
    for (auto const* const leech : leeches)
        for (auto const& peer : leech->session->peers(hash)) sources.push_back(peer.source);
    // Both may have dialled, or one of them.
    EXPECT_EQ(std::count(sources.begin(), sources.end(), "pex"), 1) << testing::PrintToString(sources);
    EXPECT_EQ(std::count(sources.begin(), sources.end(), "user"), 2);
    EXPECT_EQ(std::count(sources.begin(), sources.end(), "incoming"), 3);
}

TEST_F(Neighbours, ABareMagnetIsReadFromANeighbour) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "192.168.1.2:6881", {.lan = 1});
    clock.run_for(engine, 2min);
    auto& leech = add("192.168.1.3:6881", {.lan = 1});
    auto const begin = clock.now();

    run(leech.session->add(bare_magnet(hash), AddOptions{.download = true}));

    EXPECT_TRUE(until(10s, [&] { return has(leech, hash); }));
    EXPECT_LE(clock.now() - begin, 2s);
}

TEST_F(Neighbours, TheOneThatWasThereFirstIsFoundThoughItOnlyListens) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "192.168.1.2:6881", {.lan = 1});
    clock.run_for(engine, 1min);
    auto& leech = add("192.168.1.3:6881", {.lan = 1});

    run(leech.session->add(made.file, AddOptions{.download = true}));

    ASSERT_TRUE(until(1s, [&] { return seed.session->torrent(hash).peers_connected == 1; }));
    EXPECT_EQ(connected(seed, hash), (std::vector<std::string>{"192.168.1.3:6881 by lsd"}));
}

TEST_F(Neighbours, OtherNetworksHearNothing) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "192.168.1.2:6881", {.lan = 1});
    auto& other = add("192.168.2.3:6881", {.lan = 2});
    auto& off = add("192.168.1.4:6881", {.lan = 1}, [](Settings& settings) { settings.lsd = false; });

    for (auto* const leech : {&other, &off}) run(leech->session->add(made.file, AddOptions{.download = true}));
    clock.run_for(engine, 10min);

    EXPECT_EQ(other.session->torrent(hash).peers_connected, 0u);
    EXPECT_EQ(off.session->torrent(hash).peers_connected, 0u);
}

TEST_F(Neighbours, APrivateTorrentIsNotAnnounced) {
    auto const made = make_torrent({.bytes = 5'000'000, .is_private = true});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "192.168.1.2:6881", {.lan = 1});
    auto& leech = add("192.168.1.3:6881", {.lan = 1});
    auto& magnet = add("192.168.1.4:6881", {.lan = 1});

    run(leech.session->add(made.file, AddOptions{.download = true}));
    run(magnet.session->add(bare_magnet(hash), AddOptions{.download = true}));
    clock.run_for(engine, 10min);

    EXPECT_EQ(seed.session->torrent(hash).peers_connected, 0u);
    EXPECT_EQ(leech.session->torrent(hash).peers_connected, 0u);
    EXPECT_EQ(magnet.session->entry(hash)->metainfo, nullptr) << "who asks for it is not answered by those who know";
}

TEST_F(Neighbours, LimitsAreForTheInternet) {
    auto const made = make_torrent({.bytes = 20'000'000});
    auto const hash = made.metainfo->info_hash();
    auto const slow = [](Settings& settings) { settings.down_limit = 100'000; };
    add_seed(made, "192.168.1.2:6881", {.lan = 1});
    auto& leech = add("192.168.1.3:6881", {.lan = 1}, slow);
    auto& strict = add("192.168.1.4:6881", {.lan = 1}, [&](Settings& settings) {
        slow(settings);
        settings.limit_lan = true;
    });

    for (auto* const each : {&leech, &strict}) run(each->session->add(made.file, AddOptions{.download = true}));

    EXPECT_TRUE(until(20s, [&] { return has(leech, hash); }));
    EXPECT_LE(strict.session->torrent(hash).have_bytes, 3'000'000u);
}

}  // namespace
}  // namespace rqfs::tests
