#include "torrent/net/proxied_udp.h"

#include "tests/support/fake_udp.h"
#include "tests/support/run_virtual.h"
#include "tests/support/scripted_proxy.h"
#include "tests/support/virtual_clock.h"
#include "torrent/limits.h"
#include "torrent/net/resolver.h"

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using std::chrono::minutes;
using std::chrono::seconds;
using tests::ScriptedProxy;

// A relay at port 4660 of 0.0.0.0: the proxy's own address.
std::string const kRelay("\x05\x00\x00\x01\x00\x00\x00\x00\x12\x34", 10);
std::string const kNoLogin("\x05\x00", 2);
std::string const kHead("\x00\x00\x00\x01\x01\x02\x03\x04\x00\x50", 10);  // to and from 1.2.3.4:80

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

class Heard final : public UdpSocket::Receiver {
public:
    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override {
        all.push_back(from.text() + " " + std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size()));
        return true;
    }
    std::vector<std::string> all;
};

class Names final : public Resolver {
public:
    asio::awaitable<std::vector<Address>> resolve(std::string host) override {
        asked.push_back(host);
        if (auto const literal = Address::parse(host)) co_return std::vector<Address>(1, *literal);
        if (!known.contains(host))
            throw boost::system::system_error(asio::error::host_not_found, "the name " + host + " is not known");
        co_return known.at(host);
    }
    std::map<std::string, std::vector<Address>> known;
    std::vector<std::string> asked;
};

class ProxiedUdpTest : public ::testing::Test {
protected:
    ~ProxiedUdpTest() override {
        end();
        tests::run_virtual(engine, clock, network.stop());
    }

    void end() {
        if (udp) {
            udp->remove(heard);
            tests::run_virtual(engine, clock, udp->stop());
        }
        udp.reset();
    }

    void use(std::string const& text) {
        proxy = ProxyAddress::parse(text).value();
        dialer.emplace(clock, network, lookup, proxy);
        udp.emplace(engine.get_executor(), clock, wire, *dialer, names);
        udp->add(heard);
        udp->start();
    }
    void associate(std::string const& answer = kRelay) {
        network.script = {{3, kNoLogin}, {10, answer}};
        network.afterwards = ScriptedProxy::Afterwards::fall_silent;
        use("socks5://10.0.0.1:1080");
        run(seconds(1));
    }
    void run(Duration duration) { clock.run_for(engine, duration); }
    void send(std::string const& to, std::string const& text) {
        udp->send(at(to), std::as_bytes(std::span<char const>(text)));
    }
    void inject(std::string const& from, std::string bytes) {
        wire.inject(at(from), std::move(bytes));
        run(seconds(0));
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    ScriptedProxy network{engine.get_executor()};
    tests::FakeUdp wire{engine.get_executor()};
    Names lookup;
    ProxiedResolver names;
    ProxyAddress proxy;
    std::optional<ProxyDialer> dialer;
    std::optional<ProxiedUdp> udp;
    Heard heard;
};

TEST_F(ProxiedUdpTest, SendsToTheProxysOwnAddressWithTheTargetBefore) {
    associate();

    send("1.2.3.4:80", "hello");

    EXPECT_EQ(network.received.at(0), std::string("\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00", 13));
    ASSERT_EQ(wire.sent.size(), 1u);
    EXPECT_EQ(wire.sent.at(0).to.text(), "10.0.0.1:4660");
    EXPECT_EQ(wire.sent.at(0).bytes, kHead + "hello");
}

TEST_F(ProxiedUdpTest, SendsToTheRelayThatTheReplyNamesAndHearsNobodyElse) {
    associate(std::string("\x05\x00\x00\x01\x08\x08\x08\x08\x12\x34", 10));

    send("1.2.3.4:80", "hello");
    inject("8.8.8.8:4660", kHead + "answer");
    inject("10.0.0.1:4660", kHead + "of the proxy itself");
    inject("8.8.8.8:4661", kHead + "of another port");

    ASSERT_EQ(wire.sent.size(), 1u);
    EXPECT_EQ(wire.sent.at(0).to.text(), "8.8.8.8:4660");
    EXPECT_EQ(heard.all, std::vector<std::string>{"1.2.3.4:80 answer"});
}

TEST_F(ProxiedUdpTest, ARelayMayHaveAnAddressOfTheOtherFamily) {
    associate(
        std::string("\x05\x00\x00\x04\x2a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x12\x34", 22));

    send("1.2.3.4:80", "hello");
    inject("[2a00::1]:4660", kHead + "answer");

    ASSERT_EQ(wire.sent.size(), 1u);
    EXPECT_EQ(wire.sent.at(0).to.text(), "[2a00::1]:4660");
    EXPECT_EQ(heard.all.size(), 1u);
}

TEST_F(ProxiedUdpTest, ARelaysNameIsLookedUp) {
    lookup.known["relay.example"] = {Address::parse("2a00::1").value(), Address::parse("10.0.0.7").value()};
    associate(std::string("\x05\x00\x00\x03\x0drelay.example\x12\x34", 20));

    send("1.2.3.4:80", "hello");
    inject("10.0.0.7:4660", kHead + "answer");
    inject("[2a00::1]:4660", kHead + "of its other address");

    ASSERT_EQ(wire.sent.size(), 1u);
    EXPECT_EQ(wire.sent.at(0).to.text(), "10.0.0.7:4660") << "the family that the proxy is reached by";
    EXPECT_EQ(heard.all, std::vector<std::string>{"1.2.3.4:80 answer"});
}

TEST_F(ProxiedUdpTest, ARelayWhoseNameIsNotKnownIsAskedForAgain) {
    associate(std::string("\x05\x00\x00\x03\x0drelay.example\x12\x34", 20));
    send("1.2.3.4:80", "hello");
    EXPECT_TRUE(wire.sent.empty());
    lookup.known["relay.example"] = {Address::parse("10.0.0.7").value()};

    run(minutes(1));

    send("1.2.3.4:80", "hello");
    ASSERT_FALSE(wire.sent.empty());
    EXPECT_EQ(wire.sent.back().to.text(), "10.0.0.7:4660");
}

TEST_F(ProxiedUdpTest, ARelayWhereNobodyCanBeIsNone) {
    for (auto const* const reply :
         {"\x05\x00\x00\x01\xe0\x00\x00\x01\x12\x34", "\x05\x00\x00\x01\x00\x00\x00\x05\x12\x34",
          "\x05\x00\x00\x01\xff\xff\xff\xff\x12\x34", "\x05\x00\x00\x03\x03\x61\x0a\x62\x12\x34"}) {
        network.script = {{3, kNoLogin}, {10, std::string(reply, 10)}};
        network.afterwards = ScriptedProxy::Afterwards::fall_silent;
        use("socks5://10.0.0.1:1080");
        run(seconds(1));

        send("1.2.3.4:80", "hello");

        EXPECT_TRUE(wire.sent.empty());
        EXPECT_TRUE(lookup.asked.empty() || lookup.asked.back() == "10.0.0.1");
        end();
    }
}

TEST_F(ProxiedUdpTest, TheProxyLooksUpNames) {
    associate();
    auto const placeholder = tests::run_virtual(engine, clock, names.resolve("tracker.ab")).at(0);

    send(Endpoint{placeholder, 80}.text(), "hello");

    EXPECT_EQ(wire.sent.at(0).bytes, std::string("\x00\x00\x00\x03\x0atracker.ab\x00\x50hello", 22));
}

TEST_F(ProxiedUdpTest, DeliversWhatTheRelaySends) {
    associate();

    inject("10.0.0.1:4660", kHead + "answer");

    EXPECT_EQ(heard.all, std::vector<std::string>{"1.2.3.4:80 answer"});
}

TEST_F(ProxiedUdpTest, DropsWhatOthersSend) {
    associate();

    inject("10.0.0.1:4661", kHead + "another port");
    inject("10.0.0.2:4660", kHead + "another machine");
    inject("1.2.3.4:80", "whom we asked");

    EXPECT_TRUE(heard.all.empty());
}

TEST_F(ProxiedUdpTest, DropsFragmentsAndGarbage) {
    associate();
    auto fragment = kHead + "fragment";
    fragment[2] = 1;

    inject("10.0.0.1:4660", fragment);
    inject("10.0.0.1:4660", kHead.substr(0, 9));
    inject("10.0.0.1:4660", "");

    EXPECT_TRUE(heard.all.empty());
}

TEST_F(ProxiedUdpTest, WhatIsSentWhileTheRelayIsBeingMadeWaits) {
    network.script = {{3, kNoLogin}, {10, kRelay}};
    use("socks5://10.0.0.1:1080");
    for (std::size_t i = 0; i <= limit::kProxyDatagramsWaiting; ++i) send("1.2.3.4:80", std::to_string(i));
    EXPECT_TRUE(wire.sent.empty());

    run(seconds(1));

    ASSERT_EQ(wire.sent.size(), limit::kProxyDatagramsWaiting);
    EXPECT_EQ(wire.sent.front().bytes, kHead + "1") << "the newest are kept";
}

TEST_F(ProxiedUdpTest, WithoutARelayDatagramsAreLost) {
    network.up = false;
    use("socks5://10.0.0.1:1080");
    run(seconds(5));

    send("1.2.3.4:80", "lost");
    network.script = {{3, kNoLogin}, {10, kRelay}};
    network.up = true;
    run(minutes(2));

    EXPECT_TRUE(wire.sent.empty());
    send("1.2.3.4:80", "sent");
    EXPECT_EQ(wire.sent.size(), 1u);
    EXPECT_EQ(udp->obstacle(), "");
}

TEST_F(ProxiedUdpTest, TriesAgainWithGrowingPauses) {
    network.up = false;
    use("socks5://10.0.0.1:1080");

    run(minutes(10));

    auto const tries = network.dialled.size();
    EXPECT_GE(tries, 12u);  // 1, 2, 4, ... 60 s, then once a minute
    EXPECT_LE(tries, 17u);
}

TEST_F(ProxiedUdpTest, MakesTheRelayAgainWhenTheConnectionEnds) {
    associate();
    run(minutes(5));
    ASSERT_EQ(network.dialled.size(), 1u);
    network.script.back().answer.back() = '\x35';

    network.hang_up();
    run(seconds(3));

    send("1.2.3.4:80", "hello");
    ASSERT_EQ(wire.sent.size(), 1u);
    EXPECT_EQ(wire.sent.at(0).to.text(), "10.0.0.1:4661");
    inject("10.0.0.1:4660", kHead + "of the old one");
    EXPECT_TRUE(heard.all.empty());
}

TEST_F(ProxiedUdpTest, MakesTheRelayAgainWhenNothingComesBack) {
    associate();

    for (int i = 0; i < 15; ++i) {
        send("1.2.3.4:80", "anybody?");
        run(seconds(10));
    }

    EXPECT_EQ(network.dialled.size(), 2u);
}

TEST_F(ProxiedUdpTest, KeepsARelayThatAnswersAndOneThatIsNotUsed) {
    associate();
    for (int i = 0; i < 60; ++i) {
        send("1.2.3.4:80", "anybody?");
        inject("10.0.0.1:4660", kHead + "yes");
        run(seconds(10));
    }

    run(minutes(60));

    EXPECT_EQ(network.dialled.size(), 1u);
}

TEST_F(ProxiedUdpTest, AServerThatRefusesIsAnObstacleWithASentence) {
    associate(std::string("\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00", 10));

    EXPECT_EQ(udp->obstacle(), "the proxy 10.0.0.1:1080 refused to relay datagrams: it does not do that");
    send("1.2.3.4:80", "hello");
    EXPECT_TRUE(wire.sent.empty());
    auto const tries = network.dialled.size();
    run(minutes(10));
    EXPECT_EQ(network.dialled.size(), tries) << "it is not pestered";
}

TEST_F(ProxiedUdpTest, AnObstacleMayGoAway) {
    associate(std::string("\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00", 10));
    ASSERT_NE(udp->obstacle(), "");
    network.script.back().answer = kRelay;

    run(minutes(31));

    EXPECT_EQ(udp->obstacle(), "");
    send("1.2.3.4:80", "hello");
    EXPECT_EQ(wire.sent.size(), 1u);
}

TEST_F(ProxiedUdpTest, ARelayWithoutAPortIsNone) {
    associate(std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10));

    send("1.2.3.4:80", "hello");

    EXPECT_TRUE(wire.sent.empty());
}

TEST_F(ProxiedUdpTest, ASilentServerIsGivenUpAndAskedAgain) {
    associate("");

    run(seconds(40));

    EXPECT_GE(network.dialled.size(), 2u);
}

TEST_F(ProxiedUdpTest, ThatNoRelayIsHadIsNoTroubleOfTheRest) {
    for (auto const* const reply : {"", "\x05\x00\x00\x07\x00\x00\x00\x00\x00\x00"}) {
        network.script = {{3, kNoLogin}, {10, std::string(reply, *reply == '\0' ? 0 : 10)}};
        network.afterwards = ScriptedProxy::Afterwards::close;
        use("socks5://10.0.0.1:1080");
        run(seconds(1));

        EXPECT_FALSE(network.dialled.empty());
        EXPECT_EQ(dialer->trouble(), "");
        end();
    }
}

TEST_F(ProxiedUdpTest, ThatItLetsNobodyInIsTheProxysTrouble) {
    network.script = {{3, "\x05\xff"}};
    use("socks5://10.0.0.1:1080");
    run(seconds(1));

    EXPECT_EQ(dialer->trouble(), "the proxy 10.0.0.1:1080 refused to relay datagrams: it wants a user and a password");
}

TEST_F(ProxiedUdpTest, ThroughHttpNothingGetsOut) {
    use("http://10.0.0.1:3128");
    run(seconds(5));

    send("1.2.3.4:80", "hello");

    EXPECT_TRUE(wire.sent.empty());
    EXPECT_TRUE(network.dialled.empty());
    EXPECT_TRUE(udp->local().empty());
    EXPECT_EQ(udp->obstacle(), "the proxy http://10.0.0.1:3128 relays no datagrams, as HTTP carries no UDP");
}

}  // namespace
}  // namespace rqfs::torrent
