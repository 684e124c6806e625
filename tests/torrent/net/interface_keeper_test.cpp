#include "torrent/net/interface_keeper.h"

#include "tests/support/virtual_clock.h"
#include "torrent/net/connector.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/listening_sockets.h"
#include "torrent/net/tcp_socket.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Attachment = InterfaceBinding::Attachment;

Address at(std::string const& text) { return Address::parse(text).value(); }

// Loopback, as it would be as an interface that comes and goes.
Attachment present(std::vector<Address> addresses = {at("127.0.0.1")}) {
    return {InterfaceBinding("lo").now().index, "lo", true, std::move(addresses)};
}

class InterfaceKeeperTest : public ::testing::Test {
protected:
    explicit InterfaceKeeperTest(std::vector<std::string> const& listen = {"127.0.0.1:0"})
        : opened(open_listening_sockets(engine.get_executor(), listen)),
          udp(engine.get_executor(), clock, std::move(opened.udp), opened.at) {
        for (std::size_t i = 0; i < opened.tcp.size(); ++i) {
            tcp.push_back(std::make_unique<TcpAcceptor>(std::move(opened.tcp[i]), opened.at[i], connections));
            accept(*tcp.back());
        }
        udp.start();
    }
    ~InterfaceKeeperTest() override {
        for (auto const& each : tcp) each->close();
        if (keeper) run(keeper->stop());
        run(udp.stop());
        for (auto const& guest : guests) guest->close();
        engine.restart();
        engine.run();
    }

    void keep(std::string const& setting = "lo", bool with_tcp = true) {
        InterfaceKeeper::Sockets sockets{{}, udp, *connections};
        if (with_tcp)
            for (auto const& each : tcp) sockets.tcp.push_back(each.get());
        auto const look = [this] {
            ++looks;
            return now;
        };
        keeper = std::make_unique<InterfaceKeeper>(engine.get_executor(), clock, InterfaceBinding(setting), now,
                                                   std::move(sockets), look);
        keeper->start();
        clock.run_for(engine, 10ms);
    }
    void becomes(Attachment next) {
        now = std::move(next);
        clock.run_for(engine, 1s);
    }

    void accept(TcpAcceptor& acceptor) {
        asio::co_spawn(engine, acceptor.accept(),
                       [&](std::exception_ptr const& failure, std::unique_ptr<StreamSocket> socket) {
                           if (failure) return;
                           guests.push_back(std::move(socket));
                           read(*guests.back());
                           accept(acceptor);
                       });
    }
    // As peers do: who hears of the end closes.
    void read(StreamSocket& guest) {
        asio::co_spawn(engine, guest.read_some(asio::buffer(rubbish)),
                       [&](std::exception_ptr const& failure, std::size_t) {
                           if (failure) guest.close();
                       });
    }
    void run(asio::awaitable<void> task) {
        bool done = false;
        asio::co_spawn(engine, std::move(task), [&](std::exception_ptr const&) { done = true; });
        EXPECT_TRUE(clock.run_until(engine, 1s, [&] { return done; }));
    }
    // What the kernel does takes real time, if hardly any.
    bool soon(std::function<bool()> const& done) {
        auto const end = std::chrono::steady_clock::now() + 10s;
        while (!done() && std::chrono::steady_clock::now() < end) {
            engine.restart();
            engine.run_one_for(1ms);
        }
        return done();
    }
    // Whether somebody who dials gets in.
    bool answers(std::size_t number = 0) {
        auto const before = guests.size();
        callers.emplace_back(engine);
        boost::system::error_code code;
        callers.back().connect(to_tcp(opened.at[number]), code);
        return !code && soon([&] { return guests.size() > before; });
    }
    bool hears_datagrams(std::size_t number = 0) {
        struct Ear final : UdpSocket::Receiver {
            bool datagram(Endpoint const&, std::span<std::byte const>) override { return heard = true; }
            bool heard = false;
        } ear;
        udp.add(ear);
        asio::ip::udp::socket sender(engine, asio::ip::udp::v4());
        boost::system::error_code ignored;
        sender.send_to(asio::buffer("x", 1), to_udp(opened.at[number]), 0, ignored);
        auto const heard = soon([&] { return ear.heard; });
        udp.remove(ear);
        return heard;
    }
    // Whether a caller's connection was ended by us.
    static bool ended(asio::ip::tcp::socket& caller) {
        std::array<char, 1> byte{};
        boost::system::error_code code;
        caller.non_blocking(true);
        caller.read_some(asio::buffer(byte), code);
        return code && code != asio::error::would_block;
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    std::shared_ptr<TcpConnections> connections = std::make_shared<TcpConnections>();
    ListeningSockets opened;
    UdpSockets udp;
    std::vector<std::unique_ptr<TcpAcceptor>> tcp;
    std::array<char, 16> rubbish{};
    std::vector<std::unique_ptr<StreamSocket>> guests;
    std::vector<asio::ip::tcp::socket> callers;
    Attachment now = present();
    std::size_t looks = 0;
    std::unique_ptr<InterfaceKeeper> keeper;
};

class TwoAddresses : public InterfaceKeeperTest {
protected:
    TwoAddresses() : InterfaceKeeperTest({"127.0.0.1:0", "127.0.0.2:0"}) {
        now = present({at("127.0.0.1"), at("127.0.0.2")});
    }
};

TEST_F(InterfaceKeeperTest, WhatStaysAsItIsIsLeftAlone) {
    keep();
    ASSERT_TRUE(answers());

    clock.run_for(engine, 1min);

    EXPECT_GE(looks, 60u);
    EXPECT_FALSE(ended(callers.front()));
    EXPECT_TRUE(answers());
    EXPECT_TRUE(hears_datagrams());
}

TEST_F(InterfaceKeeperTest, WhereNothingIsBoundItNeverLooks) {
    keep("");

    becomes({});
    clock.run_for(engine, 1min);

    EXPECT_EQ(looks, 0u);
    EXPECT_TRUE(answers());
}

TEST_F(InterfaceKeeperTest, ClosesEverySocketWhenTheInterfaceGoes) {
    keep();

    becomes({});

    EXPECT_FALSE(udp.is_open(0));
    EXPECT_FALSE(tcp[0]->is_open());
    EXPECT_FALSE(answers());
}

TEST_F(InterfaceKeeperTest, ListensAtTheSamePlaceAgainWhenItIsBack) {
    keep();
    becomes({});

    becomes(present());

    EXPECT_TRUE(answers());
    EXPECT_TRUE(hears_datagrams());
}

TEST_F(InterfaceKeeperTest, GoesAndComesAgainAndAgain) {
    keep();

    for (int i = 0; i < 50; ++i) {
        becomes({});
        becomes(present());
    }

    EXPECT_TRUE(answers());
    EXPECT_TRUE(hears_datagrams());
}

TEST_F(InterfaceKeeperTest, AnotherDeviceOfTheSameNameGetsOtherSocketsAndOldConnectionsEnd) {
    keep();
    ASSERT_TRUE(answers());
    auto other = present();
    other.index += 7;

    becomes(other);

    EXPECT_TRUE(soon([&] { return ended(callers.front()); }));
    EXPECT_TRUE(answers());
    EXPECT_TRUE(hears_datagrams());
}

TEST_F(InterfaceKeeperTest, ConnectionsEndWhenTheInterfaceGoes) {
    keep();
    ASSERT_TRUE(answers());

    becomes({});

    EXPECT_TRUE(soon([&] { return ended(callers.front()); }));
}

TEST_F(TwoAddresses, OnlyWhatBelongsToAnAddressThatHasGoneEnds) {
    keep();
    ASSERT_TRUE(answers(0));
    ASSERT_TRUE(answers(1));

    becomes(present());

    EXPECT_TRUE(soon([&] { return ended(callers[1]); }));
    EXPECT_FALSE(ended(callers[0]));
    EXPECT_TRUE(udp.is_open(0));
    EXPECT_FALSE(udp.is_open(1));
    EXPECT_FALSE(answers(1));
    EXPECT_TRUE(answers(0));
}

TEST_F(TwoAddresses, AnAddressThatComesBackIsListenedAtAgain) {
    keep();
    becomes(present());

    becomes(present({at("127.0.0.1"), at("127.0.0.2")}));

    EXPECT_TRUE(answers(1));
    EXPECT_TRUE(hears_datagrams(1));
}

TEST_F(InterfaceKeeperTest, APortThatSomebodyTookMeanwhileIsTriedAgain) {
    keep();
    becomes({});
    {
        asio::ip::udp::socket const thief(engine, to_udp(opened.at[0]));
        becomes(present());
        EXPECT_FALSE(udp.is_open(0));
        EXPECT_FALSE(tcp[0]->is_open());
    }

    clock.run_for(engine, 1s);

    EXPECT_TRUE(answers());
    EXPECT_TRUE(hears_datagrams());
}

TEST_F(InterfaceKeeperTest, WhereNobodyConnectsTheDatagramsComeBackAlone) {
    keep("lo", false);
    becomes({});
    ASSERT_FALSE(udp.is_open(0));

    becomes(present());

    EXPECT_TRUE(hears_datagrams());
}

TEST_F(InterfaceKeeperTest, SaysWhatGoesThroughTheInterface) {
    keep();

    auto const status = keeper->status();

    EXPECT_EQ(status.setting, "lo");
    EXPECT_EQ(status.device, "lo");
    EXPECT_EQ(status.addresses, now.addresses);
    EXPECT_EQ(status.changed, std::nullopt);
    EXPECT_EQ(status.losses, 0u);
    EXPECT_EQ(status.trouble, "");
}

TEST_F(InterfaceKeeperTest, SaysWhyNothingIsSentAndForHowLong) {
    keep("none0");

    becomes({});
    clock.run_for(engine, 30s);

    auto const status = keeper->status();
    EXPECT_EQ(status.setting, "none0");
    EXPECT_EQ(status.device, "");
    EXPECT_TRUE(status.addresses.empty());
    EXPECT_EQ(status.losses, 1u);
    EXPECT_GE(status.changed, 29s);
    EXPECT_NE(status.trouble.find("there is no interface none0"), std::string::npos) << status.trouble;
}

TEST_F(InterfaceKeeperTest, WithoutAnAddressItIsGoneToo) {
    keep();

    becomes(present({}));

    EXPECT_EQ(keeper->status().losses, 1u);
    EXPECT_NE(keeper->status().trouble, "");
}

TEST_F(InterfaceKeeperTest, SaysThatTheInterfaceCameBack) {
    keep();
    becomes({});
    clock.run_for(engine, 30s);

    becomes(present());

    auto const status = keeper->status();
    EXPECT_EQ(status.device, "lo");
    EXPECT_EQ(status.losses, 1u);
    EXPECT_LE(status.changed, 2s);
    EXPECT_EQ(status.trouble, "");
}

TEST_F(InterfaceKeeperTest, SaysNothingWhereNothingIsBound) {
    keep("");

    EXPECT_EQ(keeper->status().setting, "");
    EXPECT_EQ(keeper->status().trouble, "");
}

}  // namespace
}  // namespace rqfs::torrent
