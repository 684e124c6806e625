#include "tests/sim/sessions/sessions.h"
#include "tests/support/make_torrent.h"
#include "tests/support/simulated_network.h"
#include "tests/support/simulated_proxy.h"
#include "tests/support/simulated_tracker.h"
#include "torrent/net/network.h"
#include "torrent/session.h"

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

// A host's network that notes whom it speaks to.
class Watched final : public Network, private Connector, private UdpSocket {
public:
    explicit Watched(SimulatedHost& host) : host_(host) {}

    std::set<std::string> spoken_to;  // addresses

    Connector& connector() override { return *this; }
    UdpSocket& udp() override { return *this; }
    Multicast* multicast() override { return host_.multicast(); }
    std::span<std::unique_ptr<Acceptor> const> acceptors() const override { return host_.acceptors(); }
    void start() override { host_.start(); }
    asio::awaitable<void> stop() override { return host_.stop(); }

private:
    asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint to, Duration limit) override {
        spoken_to.insert(to.address.text());
        return host_.connector().connect(to, limit);
    }
    void send(Endpoint const& to, std::span<std::byte const> bytes) override {
        spoken_to.insert(to.address.text());
        host_.udp().send(to, bytes);
    }
    void add(Receiver& receiver) override { host_.udp().add(receiver); }
    void remove(Receiver& receiver) override { host_.udp().remove(receiver); }
    std::vector<Endpoint> local() const override { return host_.udp().local(); }

    SimulatedHost& host_;
};

// Nobody's names but the proxy's: looking one up would already tell somebody.
class NoNames final : public Resolver {
public:
    asio::awaitable<std::vector<Address>> resolve(std::string host) override {
        auto const literal = Address::parse(host);
        EXPECT_TRUE(literal) << host << " was looked up";
        co_return std::vector<Address>(1, literal.value());
    }
};

class BehindProxy : public Sessions {
protected:
    BehindProxy() {
        network.name("tracker.far", Address::parse("20.0.0.9").value());
        network.name("router.far", Address::parse("20.0.0.8").value());
    }

    void start(std::string const& url = "socks5://20.0.0.7:1080") {
        Settings settings;
        settings.proxy = url;
        settings.dht_routers = {"router.far:6881"};
        session = std::make_unique<Session>(
            Session::Parts{engine.get_executor(), clock, workers, store, names, &watched}, settings);
        run(session->start());
    }
    void TearDown() override {
        if (session) run(session->stop());
        session.reset();
        Sessions::TearDown();
        run(proxy.stop());
    }

    SimulatedHost& home = network.add({Endpoint::parse("20.0.0.2:6881").value()});
    Watched watched{home};
    NoNames names;
    MemoryStore store;
    SimulatedHost& far = network.add({Endpoint::parse("20.0.0.7:1080").value()});
    SimulatedProxy proxy{engine.get_executor(), far, network.resolver()};
    std::unique_ptr<Session> session;
    std::set<std::string> const only_the_proxy{"20.0.0.7"};
};

TEST_F(BehindProxy, ATrackerByNameAndItsPeersAreReachedThroughTheProxyAlone) {
    SimulatedTracker tracker(network.add({Endpoint::parse("20.0.0.9:6969").value()}), clock);
    auto const made = make_torrent({.bytes = 20'000'000, .trackers = {"udp://tracker.far:6969/announce"}});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 1'000'000});
    start();
    run(session->add(made.file, AddOptions{}));

    auto const stream = session->open(hash, FileIndex(0), ReaderProgram{});
    EXPECT_EQ(read(*stream, {0, 100'000}), std::vector<std::byte>(made.data.begin(), made.data.begin() + 100'000));

    EXPECT_EQ(watched.spoken_to, only_the_proxy);
    EXPECT_EQ(tracker.announces(Endpoint::parse("20.0.0.7:1").value(), 2), 1u) << "from the proxy, at no port of ours";
    ASSERT_EQ(session->peers(hash).size(), 1u);
    EXPECT_EQ(session->peers(hash).front().endpoint.text(), "20.0.0.1:6881");
}

TEST_F(BehindProxy, NobodyCanComeInAndNobodyIsToldOtherwise) {
    start();

    auto const status = session->status();

    EXPECT_TRUE(status.listening.empty());
    EXPECT_EQ(status.proxy, "socks5://20.0.0.7:1080");
    ASSERT_EQ(session->dht().size(), 1u);
    EXPECT_TRUE(session->dht().front().read_only);
}

TEST_F(BehindProxy, TheDhtIsJoinedByARouterThatOnlyTheProxyCanName) {
    auto const by_address = [](Settings& settings) { settings.dht_routers = {"20.0.0.8:6881"}; };
    auto& router = add("20.0.0.8:6881", {}, by_address);
    add("20.0.0.4:6881", {}, by_address);
    auto& neighbour = add("20.0.0.5:6881", {}, by_address);
    ASSERT_TRUE(until(1min, [&] { return neighbour.session->dht().front().connected; }));
    auto const before = router.session->dht().front().good;
    start();

    EXPECT_TRUE(until(1min, [&] { return session->dht().front().connected; }));

    EXPECT_EQ(watched.spoken_to, only_the_proxy);
    EXPECT_EQ(router.session->dht().front().good, before) << "who answers nobody is no node of others";
}

TEST_F(BehindProxy, ReadsWaitForAProxyThatIsAway) {
    SimulatedTracker tracker(network.add({Endpoint::parse("20.0.0.9:6969").value()}), clock);
    auto const made = make_torrent({.bytes = 20'000'000, .trackers = {"udp://tracker.far:6969/announce"}});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "20.0.0.1:6881", {.up_bytes_per_second = 1'000'000});
    start();
    run(session->add(made.file, AddOptions{}));
    auto const stream = session->open(hash, FileIndex(0), ReaderProgram{});
    read(*stream, {0, 1000});
    proxy.open = false;
    proxy.hang_up();
    clock.call_at(clock.now() + 10min, [this] { proxy.open = true; });
    auto const begin = clock.now();

    EXPECT_EQ(read(*stream, {19'000'000, 19'100'000}).size(), 100'000u);

    EXPECT_GE(seconds_of(clock.now() - begin), 600);
    EXPECT_LE(seconds_of(clock.now() - begin), 620);
    EXPECT_EQ(watched.spoken_to, only_the_proxy);
}

TEST_F(BehindProxy, WithoutDatagramsThereIsNoDhtAndUdpTrackersSayWhy) {
    auto const made = make_torrent({.trackers = {"udp://tracker.far:6969/announce"}});
    start("http://20.0.0.7:1080");

    run(session->add(made.file, AddOptions{}));
    clock.run_for(engine, 5s);

    EXPECT_TRUE(session->dht().empty());
    EXPECT_EQ(session->trackers(made.metainfo->info_hash()).at(0).message,
              "the proxy http://20.0.0.7:1080 relays no datagrams, as HTTP carries no UDP");
    EXPECT_TRUE(watched.spoken_to.empty());
}

TEST_F(BehindProxy, OfADhtThatNoDatagramReachesTheTrackersSayWhyAndNotWhenItIsAskedNext) {
    auto const made = make_torrent({.bytes = 100'000});
    auto const hash = made.metainfo->info_hash();
    proxy.relays = false;
    start();
    run(session->add(made.file, AddOptions{}));
    clock.run_for(engine, 5s);

    auto const row = session->trackers(hash).back();

    EXPECT_EQ(row.url, "DHT");
    EXPECT_EQ(row.state, "failed");
    EXPECT_EQ(row.message,
              "it is not reached: the proxy 20.0.0.7:1080 refused to relay datagrams: it does not do that");
    EXPECT_FALSE(row.next_announce);
    try {
        session->announce(hash, std::nullopt);
        ADD_FAILURE() << "it is said to be asked";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(sentence(e), "the DHT: " + row.message);
    }
}

TEST_F(BehindProxy, WhileTheProxyIsAwayTorrentsSayThatBeforeAllElseAndOnlyThen) {
    auto const made = make_torrent({.bytes = 100'000, .trackers = {"http://tracker.far/announce"}});
    auto const hash = made.metainfo->info_hash();
    proxy.open = false;
    start();
    run(session->add(made.file, AddOptions{}));
    auto const stream = session->open(hash, FileIndex(0), ReaderProgram{});
    clock.run_for(engine, 5s);

    auto const status = session->torrent(hash);
    auto const why = session->why(hash, FileIndex(0));

    EXPECT_TRUE(status.reason.starts_with("nothing is sent but to the proxy, and that is in trouble: the proxy "))
        << status.reason;
    EXPECT_EQ(session->torrents().front().reason, status.reason);
    EXPECT_EQ(why.obstacle, status.reason);
    EXPECT_TRUE(explain(why).starts_with(why.obstacle + "\n")) << explain(why);
    EXPECT_EQ(session->trackers(hash).back().message, "it is not reached: " + why.obstacle);
    proxy.open = true;
    ASSERT_TRUE(until(2min, [&] { return session->why(hash, FileIndex(0)).obstacle.empty(); }));
    EXPECT_FALSE(session->torrent(hash).reason.starts_with("nothing is sent"));
}

TEST_F(BehindProxy, AProxyThatHangsUpOnWhoWantsDatagramsIsOtherwiseInNoTrouble) {
    auto const made = make_torrent({.bytes = 100'000});
    auto const hash = made.metainfo->info_hash();
    proxy.relays = false;
    proxy.hangs_up_instead = true;
    add_seed(made, "20.0.0.1:6881");
    start();
    run(session->add(made.file, AddOptions{}));
    clock.run_for(engine, 5s);

    EXPECT_EQ(session->why(hash, FileIndex(0)).obstacle, "");
    EXPECT_FALSE(session->torrent(hash).reason.starts_with("nothing is sent")) << session->torrent(hash).reason;
    run(session->connect(hash, "20.0.0.1", 6881));
    auto const stream = session->open(hash, FileIndex(0), ReaderProgram{});
    EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data);
}

TEST_F(BehindProxy, AProxyThatLetsUsComeAndSaysNothingIsInTrouble) {
    auto const made = make_torrent({.bytes = 100'000, .trackers = {"http://tracker.far/announce"}});
    auto const hash = made.metainfo->info_hash();
    proxy.speaks = false;
    start();
    run(session->add(made.file, AddOptions{}));

    EXPECT_TRUE(until(1min, [&] { return !session->why(hash, FileIndex(0)).obstacle.empty(); }));

    EXPECT_EQ(session->torrent(hash).reason,
              "nothing is sent but to the proxy, and that is in trouble: the proxy 20.0.0.7:1080: it does not answer");
    proxy.speaks = true;
    EXPECT_TRUE(until(2min, [&] { return session->why(hash, FileIndex(0)).obstacle.empty(); }));
}

TEST_F(BehindProxy, APausedTorrentSaysThatItIsPausedWhereverTheProxyIs) {
    auto const made = make_torrent({.bytes = 100'000});
    auto const hash = made.metainfo->info_hash();
    proxy.open = false;
    start();
    run(session->add(made.file, AddOptions{.paused = true}));
    clock.run_for(engine, 5s);

    EXPECT_EQ(session->torrent(hash).reason, "paused by the user");
    EXPECT_FALSE(session->why(hash, FileIndex(0)).obstacle.empty());
}

TEST_F(BehindProxy, APeerThatTheUserNamesIsFoundByTheProxy) {
    auto const made = make_torrent({.bytes = 100'000});
    auto const hash = made.metainfo->info_hash();
    add_seed(made, "20.0.0.9:6881");
    start();
    run(session->add(made.file, AddOptions{}));

    run(session->connect(hash, "tracker.far", 6881));

    auto const stream = session->open(hash, FileIndex(0), ReaderProgram{});
    EXPECT_EQ(read(*stream, {0, made.data.size()}), made.data);
    EXPECT_EQ(watched.spoken_to, only_the_proxy);
}

TEST_F(BehindProxy, AnotherProxyTakesEffectAtTheNextStart) {
    start();
    Settings changed;
    changed.dht_routers = {"router.far:6881"};
    changed.proxy = "socks5://20.0.0.6:1080";

    EXPECT_EQ(session->apply(changed), std::vector<std::string>{"network.proxy"});
    EXPECT_EQ(session->status().proxy, "socks5://20.0.0.7:1080");
}

TEST_F(BehindProxy, AMistakeIsNoReasonToGoWithoutIt) {
    EXPECT_THROW(start("socks9://20.0.0.7:1080"), boost::system::system_error);
    session.reset();
}

}  // namespace
}  // namespace rqfs::tests
