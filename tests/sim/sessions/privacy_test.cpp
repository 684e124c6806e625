#include "tests/sim/sessions/sessions.h"
#include "tests/support/temp_dir.h"
#include "torrent/error.h"

#include <boost/system/system_error.hpp>

#include <fstream>
#include <span>
#include <string_view>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using namespace torrent;

constexpr auto kSeed = "41.0.0.1:6881";
constexpr auto kLeech = "42.0.0.1:6881";

// Keeps what comes to a host that speaks as its owner likes.
class Datagrams final : public UdpSocket::Receiver {
public:
    explicit Datagrams(SimulatedHost& host) : host_(host) {
        host_.udp().add(*this);
        host_.start();
    }
    ~Datagrams() override { host_.udp().remove(*this); }

    void ping(Endpoint const& to) {
        constexpr std::string_view message = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
        host_.udp().send(to, std::as_bytes(std::span(message)));
    }
    bool datagram(Endpoint const&, std::span<std::byte const> bytes) override {
        heard.emplace_back(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        return true;
    }

    std::vector<std::string> heard;

private:
    SimulatedHost& host_;
};

// Sessions that keep away from each other, or say nothing of themselves.
class PrivacyOfSessions : public Sessions {
protected:
    std::string write(std::string const& name, std::string_view text) {
        std::ofstream(directory / name) << text;
        return directory / name;
    }
    static std::function<void(Settings&)> filtering(std::string const& list) {
        return [list](Settings& settings) { settings.ip_filter = {list}; };
    }
    static bool connected(Member const& member, InfoHash const& hash) { return !member.session->peers(hash).empty(); }
    static std::uint64_t refused(Member const& member) {
        return member.session->status().ip_filter.refused_connections;
    }
    void add_magnet(Member& member, std::string const& magnet) { run(member.session->add(magnet, AddOptions{})); }

    TempDir directory;
    MadeTorrent made = make_torrent({.bytes = 300'000});
    InfoHash hash = made.metainfo->info_hash();
};

TEST_F(PrivacyOfSessions, AListedPeerIsNotDialledWhoeverNamesIt) {
    auto& seed = add_seed(made, kSeed);
    auto& leech = add(kLeech, {}, filtering(write("list", "seed:41.0.0.0-41.0.0.255\n")));

    add_magnet(leech, magnet_of(hash, seed.host));
    clock.run_for(engine, 3min);

    EXPECT_FALSE(connected(leech, hash));
    EXPECT_FALSE(seed.session->status().incoming_seen);
    auto const reason = leech.session->torrent(hash).reason;
    EXPECT_TRUE(reason.starts_with("no peers yet: the IP filter (network.ip_filter) refuses whom others name")) << reason;
}

TEST_F(PrivacyOfSessions, TheUserIsToldWhyAListedPeerIsNotDialled) {
    auto& leech = add(kLeech, {}, filtering(write("list", "41.0.0.1\n")));
    add_magnet(leech, "magnet:?xt=urn:btih:" + hash.hex());

    try {
        run(leech.session->connect(hash, "41.0.0.1", 6881));
        FAIL() << "it was dialled";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(sentence(e), "the IP filter (network.ip_filter) keeps us away from 41.0.0.1:6881");
    }
}

TEST_F(PrivacyOfSessions, AListedPeerThatDialsUsIsNotHeard) {
    auto& seed =
        add_seed(made, kSeed, {}, filtering(write("list", "042.000.000.001 - 042.000.000.009 , 100 , leech\n")));
    auto& leech = add(kLeech);

    add_magnet(leech, magnet_of(hash, seed.host));
    clock.run_for(engine, 1min);

    EXPECT_FALSE(connected(leech, hash));
    EXPECT_FALSE(connected(seed, hash));
    EXPECT_FALSE(seed.session->status().incoming_seen);
    EXPECT_GT(refused(seed), 0u);
}

TEST_F(PrivacyOfSessions, APeerThatGetsOntoAListIsLeftAndNotDialledAgain) {
    auto const list = write("list", "1.2.3.4\n");
    auto& seed = add_seed(made, kSeed);
    auto& leech = add(kLeech, {}, filtering(list));
    add_magnet(leech, magnet_of(hash, seed.host));
    ASSERT_TRUE(until(1min, [&] { return connected(leech, hash); }));

    write("list", "1.2.3.4\n41.0.0.0/8\n");
    ASSERT_TRUE(until(30s, [&] { return !connected(leech, hash); }));
    clock.run_for(engine, 5min);

    EXPECT_FALSE(connected(leech, hash));
    EXPECT_FALSE(connected(seed, hash));
    EXPECT_GE(refused(leech), 1u);  // and each time the other one dials us
    EXPECT_EQ(leech.session->status().ip_filter.ranges, 2u);
}

TEST_F(PrivacyOfSessions, APeerThatDialledUsIsLeftWhenItGetsOntoAList) {
    auto const list = write("list", "# nobody yet\n");
    auto& seed = add_seed(made, kSeed, {}, filtering(list));
    auto& leech = add(kLeech);
    add_magnet(leech, magnet_of(hash, seed.host));
    ASSERT_TRUE(until(1min, [&] { return connected(seed, hash); }));

    write("list", "42.0.0.0/8\n");

    EXPECT_TRUE(until(30s, [&] { return !connected(seed, hash); }));
    EXPECT_GT(refused(seed), 0u);
}

TEST_F(PrivacyOfSessions, AnotherListTakesEffectWhenTheConfigurationIsReadAgain) {
    auto& seed = add_seed(made, kSeed);
    auto& leech = add(kLeech, {}, filtering(write("list", "41.0.0.1\n")));
    add_magnet(leech, "magnet:?xt=urn:btih:" + hash.hex());
    Settings fresh;
    fresh.ip_filter = {write("other", "43.0.0.1\n")};

    auto const later = leech.session->apply(fresh);
    clock.run_for(engine, 1s);

    EXPECT_TRUE(later.empty());
    run(leech.session->connect(hash, "41.0.0.1", 6881));
    EXPECT_TRUE(until(1min, [&] { return connected(leech, hash) && connected(seed, hash); }));
}

TEST_F(PrivacyOfSessions, WithoutItsListASessionDoesNotStart) {
    auto& host = network.add({Endpoint::parse(kLeech).value()});
    MemoryStore store;
    Settings settings;
    settings.ip_filter = {directory / "missing"};
    Session session({engine.get_executor(), clock, workers, store, network.resolver(), &host}, settings);

    EXPECT_THROW(run(session.start()), boost::system::system_error);

    run(session.stop());
}

TEST_F(PrivacyOfSessions, AListedNodeOfTheDhtIsNotAnswered) {
    auto& member = add(kLeech, {}, filtering(write("list", "50.0.0.1\n")));
    Datagrams listed(network.add({Endpoint::parse("50.0.0.1:6881").value()}));
    Datagrams other(network.add({Endpoint::parse("50.0.1.1:6881").value()}));

    listed.ping(member.host.endpoint());
    other.ping(member.host.endpoint());
    clock.run_for(engine, 10s);

    EXPECT_TRUE(listed.heard.empty());
    EXPECT_FALSE(other.heard.empty());
}

TEST_F(PrivacyOfSessions, AMagnetLinkCannotMakeUsDialOurOwnMachine) {
    auto& canary = add_seed(made, "127.0.0.1:6379");
    auto& near = add_seed(made, "127.0.0.2:51413");
    network.name("rebound.test", near.host.endpoint().address);
    auto& leech = add(kLeech);

    add_magnet(leech, magnet_of(hash, canary.host) + "&x.pe=127.0.0.2:51413&x.pe=rebound.test:51413");
    clock.run_for(engine, 5min);

    EXPECT_FALSE(connected(leech, hash));
    EXPECT_FALSE(canary.session->status().incoming_seen || near.session->status().incoming_seen);
    run(leech.session->connect(hash, "127.0.0.2", 51413));
    EXPECT_TRUE(until(1min, [&] { return connected(leech, hash); })) << "what the user says himself is done";
}

TEST_F(PrivacyOfSessions, TheDhtNamesNoProgramWhenAnonymous) {
    auto& named = add(kSeed);
    auto& anonymous = add(kLeech, {}, [](Settings& settings) { settings.anonymous = true; });
    Datagrams node(network.add({Endpoint::parse("50.0.1.1:6881").value()}));

    node.ping(named.host.endpoint());
    clock.run_for(engine, 10s);
    auto const of_named = std::exchange(node.heard, {});
    node.ping(anonymous.host.endpoint());
    clock.run_for(engine, 10s);

    ASSERT_GE(of_named.size(), 2u) << "an answer, and a query in return";
    ASSERT_GE(node.heard.size(), 2u);
    for (auto const& message : of_named) EXPECT_NE(message.find("1:v4:RQ"), std::string::npos);
    for (auto const& message : node.heard) EXPECT_EQ(message.find("1:v"), std::string::npos);
}

TEST_F(PrivacyOfSessions, PeersAreNotToldWhichProgramThisIsWhenAnonymous) {
    auto& seed = add_seed(made, kSeed);
    auto& leech = add(kLeech, {}, [](Settings& settings) { settings.anonymous = true; });

    add_magnet(leech, magnet_of(hash, seed.host));
    ASSERT_TRUE(until(1min, [&] { return leech.session->entry(hash)->metainfo != nullptr; }));

    auto const peers = seed.session->peers(hash);
    ASSERT_EQ(peers.size(), 1u);
    EXPECT_EQ(peers.front().client.find("rqfs"), std::string::npos) << peers.front().client;
    EXPECT_NE(peers.front().client.substr(0, 3), "-RQ");
    EXPECT_NE(leech.session->peers(hash).front().client.find("rqfs"), std::string::npos) << "the other one is not";
}

TEST_F(PrivacyOfSessions, TheLocalNetworkIsNotToldWhenAnonymous) {
    SimulatedAccess const home{.lan = 1};
    auto const alone = [](Settings& settings) { settings.dht = false; };
    auto const anonymous = [](Settings& settings) {
        settings.dht = false;
        settings.anonymous = true;
    };
    add_seed(made, "192.168.1.2:6881", home, anonymous);
    auto& leech = add("192.168.1.3:6881", home, alone);
    add_magnet(leech, "magnet:?xt=urn:btih:" + hash.hex());

    clock.run_for(engine, 10min);
    bool const found_anonymous = connected(leech, hash);
    add_seed(made, "192.168.1.4:6881", home, alone);

    EXPECT_FALSE(found_anonymous);
    EXPECT_TRUE(until(10min, [&] { return connected(leech, hash); })) << "one that is not";
}

TEST_F(PrivacyOfSessions, AnonymityChangesAtTheNextStart) {
    auto& member = add(kLeech);
    Settings fresh;
    fresh.anonymous = true;

    EXPECT_EQ(member.session->apply(fresh), std::vector<std::string>{"network.anonymous"});
    EXPECT_TRUE(member.session->apply(Settings()).empty()) << "nothing was kept of it";
}

}  // namespace
}  // namespace rqfs::tests
