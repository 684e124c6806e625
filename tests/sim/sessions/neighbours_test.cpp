#include "tests/support/make_torrent.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_virtual.h"
#include "tests/support/simulated_network.h"
#include "tests/support/virtual_clock.h"
#include "torrent/session.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

constexpr std::uint64_t kKernelRead = 128 * 1024;

// Reads a file from the beginning to the end, never faster than it plays.
asio::awaitable<void> play(VirtualClock& clock, Stream& stream, std::uint64_t bytes, double bytes_per_second) {
    auto const begin = clock.now();
    for (std::uint64_t at = 0; at < bytes; at += kKernelRead) {
        ByteRange const range{at, std::min(at + kKernelRead, bytes)};
        auto const slices = co_await stream.read(range);
        auto const played = std::chrono::duration<double>(static_cast<double>(at) / bytes_per_second);
        co_await clock.wait_until(begin + std::chrono::duration_cast<Duration>(played));
    }
}

// Sessions that learn of each other by what others say and by being neighbours: there is no tracker and no DHT.
class Neighbours : public testing::Test {
protected:
    struct Member {
        SimulatedHost& host;
        MemoryStore store;
        std::unique_ptr<Session> session;
        std::unique_ptr<Stream> stream;
        bool played = false;
    };

    Member& add(std::string const& at, SimulatedAccess const& access = {},
                std::function<void(Settings&)> const& change = {}) {
        auto& host = network.add({Endpoint::parse(at).value()}, access);
        auto& member = *members.emplace_back(new Member{host, {}, nullptr, nullptr});
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
    void start_playing(Member& member, MadeTorrent const& made, double bytes_per_second) {
        member.stream = member.session->open(made.metainfo->info_hash(), FileIndex(0), ReaderProgram{});
        asio::co_spawn(engine, play(clock, *member.stream, made.data.size(), bytes_per_second),
                       [&](std::exception_ptr const& failure) {
                           EXPECT_FALSE(failure);
                           member.played = true;
                       });
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
        for (auto const& member : members) {
            member->stream.reset();
            run(member->session->stop());
        }
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
    EXPECT_FALSE(seed.session->status().incoming_seen || leech.session->status().incoming_seen)
        << "that a neighbour comes says nothing of the port that others need";
}

TEST_F(Neighbours, ThatOneComesOverIPv6SaysNothingOfThePortThatOthersNeed) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "[2600:1::2]:6881", {.lan = 1});
    clock.run_for(engine, 1min);
    auto& leech = add("[2600:1::3]:6881", {.lan = 1});

    run(leech.session->add(made.file, AddOptions{.download = true}));

    ASSERT_TRUE(until(1s, [&] { return seed.session->torrent(hash).peers_connected == 1; }));
    EXPECT_FALSE(seed.session->status().incoming_seen || leech.session->status().incoming_seen);
}

TEST_F(Neighbours, ThatSomebodyComesFromElsewhereOverIPv6IsSeen) {
    auto const made = make_torrent({.bytes = 5'000'000});
    auto const hash = made.metainfo->info_hash();
    auto& seed = add_seed(made, "[2600:1::2]:6881", {.lan = 1});
    auto& leech = add("[2600:2::3]:6881", {.lan = 2});
    run(leech.session->add(made.file, AddOptions{.download = true}));

    run(leech.session->connect(hash, "2600:1::2", 6881));

    ASSERT_TRUE(until(1s, [&] { return seed.session->torrent(hash).peers_connected == 1; }));
    EXPECT_TRUE(seed.session->status().incoming_seen);
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

// Two of one house play four minutes of a film, the second 10 s after the first; what both fetch at the same time while
// the second one begins weighs less in a longer one.
class Household : public Neighbours {
protected:
    // How many times the film came from the internet, whose three seeds and whose line are so fast.
    double times_loaded(std::uint64_t seed_bytes_per_second, std::uint64_t line_bytes_per_second) {
        constexpr double film_rate = 200'000;
        auto const made = make_torrent({.bytes = 48'000'000, .piece_bytes = 128 << 10});
        auto const hash = made.metainfo->info_hash();
        std::vector<Member*> seeds;
        for (auto const* const at : {"21.0.0.1:6881", "22.0.0.1:6881", "23.0.0.1:6881"})
            seeds.push_back(&add_seed(made, at, {.up_bytes_per_second = seed_bytes_per_second}));
        SimulatedAccess const home{.down_bytes_per_second = line_bytes_per_second, .lan = 1};
        std::vector<Member*> const watchers{&add("192.168.1.2:6881", home), &add("192.168.1.3:6881", home)};
        for (auto* const watcher : watchers) {
            run(watcher->session->add(made.file, AddOptions{}));
            for (auto* const seed : seeds)
                run(watcher->session->connect(hash, seed->host.endpoint().address.text(), 6881));
            start_playing(*watcher, made, film_rate);
            clock.run_for(engine, 10s);
        }
        EXPECT_TRUE(
            until(5min, [&] { return std::ranges::all_of(watchers, [](auto* each) { return each->played; }); }));
        double sent = 0;
        for (auto* const seed : seeds) sent += static_cast<double>(seed->session->torrent(hash).uploaded_bytes);
        auto const times = sent / static_cast<double>(made.data.size());
        RecordProperty("times_loaded", std::to_string(times));
        return times;
    }
};

TEST_F(Household, TwoWhoPlayTheSameFilmTakeItFromTheInternetOnce) { EXPECT_LE(times_loaded(370'000, 1'000'000), 1.1); }

TEST_F(Household, TheyDoSoWhereTheLineIsAsFastAsTheirOwnNetwork) {
    EXPECT_LE(times_loaded(0, 0), 1.1) << "neither has a limit";
}

}  // namespace
}  // namespace rqfs::tests
