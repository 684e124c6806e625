#include "torrent/net/udp_sockets.h"

#include "tests/support/run_engine.h"
#include "tests/support/virtual_clock.h"
#include "torrent/net/listening_sockets.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <sched.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using tests::run_engine;

struct Catcher final : UdpSocket::Receiver {
    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override {
        if (takes_all || (!bytes.empty() && bytes[0] == wanted)) {
            senders.push_back(from);
            datagrams.emplace_back(bytes.begin(), bytes.end());
            if (then) then();
            return true;
        }
        return false;
    }
    bool takes_all = false;
    std::byte wanted{};
    std::vector<Endpoint> senders;
    std::vector<std::vector<std::byte>> datagrams;
    std::function<void()> then;
};

class UdpSocketsTest : public ::testing::Test {
protected:
    UdpSocketsTest() {
        ours.start();
        theirs.start();
    }
    ~UdpSocketsTest() override {
        run_engine(engine, ours.stop());
        run_engine(engine, theirs.stop());
    }
    void run_until(std::function<bool()> const& done, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
        auto const end = std::chrono::steady_clock::now() + limit;
        while (!done() && std::chrono::steady_clock::now() < end) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(10));
        }
    }

    asio::io_context engine{1};
    SteadyClock clock;
    std::vector<std::string> const both{"127.0.0.1:0", "[::1]:0"};
    UdpSockets ours{engine.get_executor(), clock, open_listening_sockets(engine.get_executor(), both).udp};
    UdpSockets theirs{engine.get_executor(), clock, open_listening_sockets(engine.get_executor(), both).udp};
};

TEST_F(UdpSocketsTest, SendsFromTheSocketOfTheDestinationsFamily) {
    Catcher catcher;
    catcher.takes_all = true;
    theirs.add(catcher);
    std::vector<std::byte> const bytes(3, std::byte{7});

    for (auto const& to : theirs.local()) ours.send(to, bytes);
    run_until([&] { return catcher.senders.size() == 2; });

    ASSERT_EQ(catcher.senders.size(), 2u);
    for (auto const& local : ours.local())
        EXPECT_EQ(std::count(catcher.senders.begin(), catcher.senders.end(), local), 1);
    EXPECT_EQ(catcher.datagrams[0], bytes);
}

TEST_F(UdpSocketsTest, AsksReceiversInTheirOrderUntilOneTakesTheDatagram) {
    Catcher first, second, third;
    first.wanted = std::byte{1};
    second.takes_all = third.takes_all = true;
    for (auto* each : {&first, &second, &third}) theirs.add(*each);
    std::vector<std::byte> const one(1, std::byte{1}), two(1, std::byte{2});

    ours.send(theirs.local()[0], one);
    ours.send(theirs.local()[0], two);
    run_until([&] { return first.datagrams.size() + second.datagrams.size() == 2; });

    EXPECT_EQ(first.datagrams.size(), 1u);
    EXPECT_EQ(second.datagrams.size(), 1u);
    EXPECT_TRUE(third.datagrams.empty());
}

TEST_F(UdpSocketsTest, AReceiverMayLeaveWhileADatagramIsDelivered) {
    Catcher leaver, stayer;
    leaver.takes_all = stayer.takes_all = true;
    leaver.then = [&] { theirs.remove(leaver); };
    theirs.add(leaver);
    theirs.add(stayer);
    std::vector<std::byte> const bytes(1, std::byte{1});

    ours.send(theirs.local()[0], bytes);
    ours.send(theirs.local()[0], bytes);
    run_until([&] { return stayer.datagrams.size() == 1; });

    EXPECT_EQ(leaver.datagrams.size(), 1u);
    EXPECT_EQ(stayer.datagrams.size(), 1u);
}

TEST_F(UdpSocketsTest, ReceivesMoreThanABatchAndNeverFailsLoudly) {
    Catcher catcher;
    catcher.takes_all = true;
    theirs.add(catcher);
    std::vector<std::byte> const bytes(100, std::byte{1});
    std::vector<std::byte> const too_long(70'000);

    for (int i = 0; i < 100; ++i) ours.send(theirs.local()[0], bytes);
    ours.send(theirs.local()[0], too_long);
    run_until([&] { return catcher.datagrams.size() == 100; });

    EXPECT_EQ(catcher.datagrams.size(), 100u);
}

TEST_F(UdpSocketsTest, AnAnswerLeavesFromTheAddressThatWasAsked) {
    std::vector<std::string> const two{"127.0.0.1:0", "127.0.0.2:0"};
    UdpSockets host(engine.get_executor(), clock, open_listening_sockets(engine.get_executor(), two).udp);
    host.start();
    Catcher asked, heard;
    asked.takes_all = heard.takes_all = true;
    std::vector<std::byte> const bytes(1, std::byte{1});
    asked.then = [&] { host.send(asked.senders.back(), bytes); };
    host.add(asked);
    theirs.add(heard);

    for (auto const& at : host.local()) theirs.send(at, bytes);
    run_until([&] { return heard.senders.size() == 2; });

    EXPECT_EQ(std::set(heard.senders.begin(), heard.senders.end()).size(), 2u);
    run_engine(engine, host.stop());
}

struct Heard {
    std::vector<Endpoint> ours, senders;  // where we listen, and who was heard at each destination
};

Heard speak(std::vector<std::string> const& listen, std::vector<std::string> const& destinations) {
    asio::io_context engine{1};
    SteadyClock clock;
    UdpSockets host(engine.get_executor(), clock, open_listening_sockets(engine.get_executor(), listen).udp);
    UdpSockets others(engine.get_executor(), clock, open_listening_sockets(engine.get_executor(), destinations).udp);
    Catcher catcher;
    catcher.takes_all = true;
    others.add(catcher);
    others.start();
    for (auto const& to : others.local()) {
        auto const before = catcher.senders.size();
        host.send(to, std::vector<std::byte>(1, std::byte{1}));
        for (int i = 0; i < 500 && catcher.senders.size() == before; ++i) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(10));
        }
    }
    run_engine(engine, others.stop());
    run_engine(engine, host.stop());
    return {host.local(), catcher.senders};
}

// Only the calling thread does. What is missing for it, if anything.
std::string enter_network_with_two_addresses() {
    if (::unshare(CLONE_NEWNET) != 0) return "a network namespace needs root";
    auto const status =
        std::system("ip link set lo up && ip addr add 11.0.0.1/32 dev lo && ip addr add 11.0.0.2/32 dev lo");
    if (status == 0) return "";
    bool const found = !WIFEXITED(status) || WEXITSTATUS(status) != 127;  // a shell's word for no such program
    return found ? "`ip` could not set the addresses of a network namespace" : "`ip` (iproute2) is missing";
}

// In a network namespace of a thread's own, where alone we may have another address.
TEST(UdpSocketsOfAHost, ItsLoopbackSpeaksWithLoopbackAloneHoweverTheyAreNamed) {
    Heard first, last;
    std::string missing;
    std::thread([&] {
        missing = enter_network_with_two_addresses();
        if (!missing.empty()) return;
        first = speak({"127.0.0.1:0", "11.0.0.1:0"}, {"11.0.0.2:0", "127.0.0.2:0"});
        last = speak({"11.0.0.1:0", "127.0.0.1:0"}, {"11.0.0.2:0", "127.0.0.2:0"});
    }).join();
    if (!missing.empty()) GTEST_SKIP() << missing;

    EXPECT_EQ(first.senders, (std::vector{first.ours[1], first.ours[0]}));
    EXPECT_EQ(last.senders, (std::vector{last.ours[0], last.ours[1]}));
}

TEST_F(UdpSocketsTest, AfterAFloodThatNobodyTakesTheNextDatagramsWaitAWhile) {
    struct Refusing final : UdpSocket::Receiver {
        bool datagram(Endpoint const&, std::span<std::byte const>) override {
            ++seen;
            return false;
        }
        std::size_t seen = 0;
    } refusing;
    theirs.add(refusing);
    std::vector<std::byte> const bytes(1, std::byte{1});
    run_engine(engine, ours.stop());
    UdpSockets sender(engine.get_executor(), clock, open_listening_sockets(engine.get_executor(), both).udp);
    for (int i = 0; i < 100; ++i) sender.send(theirs.local()[0], bytes);

    run_until([&] { return refusing.seen == 100; });
    auto const begin = std::chrono::steady_clock::now();
    sender.send(theirs.local()[0], bytes);
    run_until([&] { return refusing.seen == 101; });

    EXPECT_EQ(refusing.seen, 101u);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(3));
    run_engine(engine, sender.stop());
}

TEST_F(UdpSocketsTest, ASocketThatReplacesAnotherReceivesAndSendsInItsPlace) {
    Catcher heard, answered;
    heard.takes_all = answered.takes_all = true;
    theirs.add(heard);
    ours.add(answered);
    std::vector<std::byte> const bytes(1, std::byte{1});
    auto const place = theirs.local()[0];

    theirs.replace(0, asio::ip::udp::socket(engine));
    auto again = open_listening_sockets(engine.get_executor(), {place.text()}).udp;
    theirs.replace(0, std::move(again[0]));
    ours.send(place, bytes);
    theirs.send(ours.local()[0], bytes);
    run_until([&] { return !heard.senders.empty() && !answered.senders.empty(); });

    EXPECT_EQ(heard.senders, std::vector{ours.local()[0]});
    EXPECT_EQ(answered.senders, std::vector{place});
}

TEST_F(UdpSocketsTest, WithoutASocketOfItsFamilyADatagramIsLostAndTheOtherFamilyGoesOn) {
    Catcher catcher;
    catcher.takes_all = true;
    theirs.add(catcher);
    std::vector<std::byte> const bytes(1, std::byte{1});

    ours.replace(0, asio::ip::udp::socket(engine));
    for (auto const& to : theirs.local()) ours.send(to, bytes);
    run_until([&] { return !catcher.senders.empty(); });
    run_until([&] { return catcher.senders.size() > 1; }, std::chrono::milliseconds(50));

    EXPECT_FALSE(ours.is_open(0));
    EXPECT_EQ(catcher.senders, std::vector{ours.local()[1]});
}

TEST_F(UdpSocketsTest, ASocketReplacedWhileItDeliversIsReadNoFurther) {
    Catcher catcher;
    catcher.takes_all = true;
    catcher.then = [&] { theirs.replace(0, asio::ip::udp::socket(engine)); };
    theirs.add(catcher);
    std::vector<std::byte> const bytes(1, std::byte{1});

    ours.send(theirs.local()[0], bytes);
    run_until([&] { return !catcher.senders.empty(); });
    ours.send(theirs.local()[0], bytes);
    ours.send(theirs.local()[1], bytes);
    run_until([&] { return catcher.senders.size() == 2; });

    EXPECT_FALSE(theirs.is_open(0));
    EXPECT_EQ(catcher.senders, (std::vector{ours.local()[0], ours.local()[1]}));
}

TEST_F(UdpSocketsTest, AFloodThatNobodyTakesWakesNobodyUntilThePauseEnds) {
    Catcher refusing;
    refusing.wanted = std::byte{2};
    tests::VirtualClock made_up;
    UdpSockets flooded(engine.get_executor(), made_up, open_listening_sockets(engine.get_executor(), both).udp);
    flooded.start();
    flooded.add(refusing);
    std::vector<std::byte> const noise(1, std::byte{1}), wanted(1, std::byte{2});
    auto const settle = [&] {
        engine.restart();
        return engine.poll();
    };
    settle();
    ours.send(flooded.local()[0], noise);
    settle();

    std::size_t woken = 0;
    for (int i = 0; i < 100; ++i) {
        ours.send(flooded.local()[0], i == 50 ? wanted : noise);
        woken += settle();
    }
    made_up.run_for(engine, std::chrono::milliseconds(10));

    EXPECT_EQ(woken, 0u);
    EXPECT_EQ(refusing.datagrams.size(), 1u);
    run_engine(engine, flooded.stop());
}

TEST_F(UdpSocketsTest, ASocketThatIsReplacedInThePauseIsNotReadAgain) {
    Catcher refusing;
    tests::VirtualClock made_up;
    UdpSockets flooded(engine.get_executor(), made_up, open_listening_sockets(engine.get_executor(), both).udp);
    flooded.start();
    flooded.add(refusing);
    std::vector<std::byte> const noise(1, std::byte{1});
    engine.poll();
    ours.send(flooded.local()[0], noise);
    engine.restart();
    engine.poll();

    flooded.replace(0, asio::ip::udp::socket(engine.get_executor()));
    made_up.run_for(engine, std::chrono::milliseconds(10));

    EXPECT_FALSE(flooded.is_open(0));
    EXPECT_TRUE(flooded.is_open(1));
    run_engine(engine, flooded.stop());
}

}  // namespace
}  // namespace rqfs::torrent
