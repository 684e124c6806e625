#include "torrent/net/nat_pmp_mapper.h"

#include "tests/support/run_engine.h"
#include "tests/support/run_virtual.h"
#include "tests/support/virtual_clock.h"
#include "torrent/clock.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::udp;

constexpr unsigned short kNatPmpPort = 5351;

// The protocol has but one port: each process has addresses of its own, so that tests may run beside each other.
std::string loopback(unsigned number) {
    auto const unique =
        4u * static_cast<unsigned>(::getpid()) + number;  // at most 2^24: the kernel's pids have 22 bits
    return "127." + std::to_string(unique >> 16 & 0xff) + "." + std::to_string(unique >> 8 & 0xff) + "." +
           std::to_string(unique & 0xff);
}

// Answers as RFC 6886 says, at an address of the loopback.
class FakeGateway {
public:
    FakeGateway(asio::io_context& engine, std::string const& address)
        : socket_(engine, udp::endpoint(asio::ip::make_address(address), kNatPmpPort)),
          tasks_(engine.get_executor(), "gateway") {
        router.address = Address::parse(address).value();
        router.own = Address::parse("127.0.0.1").value();
        tasks_.spawn(serve());
    }
    asio::awaitable<void> stop() {
        socket_.close();
        co_await tasks_.stop();
    }

    Router router;
    std::uint32_t seconds = 100'000;  // since start of epoch
    std::uint8_t result = 0;
    int copies = 1;

private:
    asio::awaitable<void> serve() {
        for (;;) {
            std::array<std::uint8_t, 16> question{};
            udp::endpoint client;
            co_await socket_.async_receive_from(asio::buffer(question), client, asio::use_awaitable);
            auto const answer = answer_to(question);
            for (int i = 0; i < copies; ++i) socket_.send_to(asio::buffer(answer), client);
        }
    }
    std::array<std::uint8_t, 16> answer_to(std::array<std::uint8_t, 16> const& question) const {
        std::array<std::uint8_t, 16> answer{};
        answer[1] = static_cast<std::uint8_t>(128 + question[1]);
        answer[3] = result;
        for (unsigned i = 0; i < 4; ++i) answer[4 + i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
        if (question[1] == 0)
            std::copy_n(std::array<std::uint8_t, 4>{41, 0, 0, 1}.begin(), 4, answer.begin() + 8);
        else
            std::copy_n(question.begin() + 4, 8, answer.begin() + 8);  // both ports and the lifetime
        return answer;
    }

    udp::socket socket_;
    TaskGroup tasks_;
};

class NatPmpMapperTest : public testing::Test {
protected:
    ~NatPmpMapperTest() override { stop(gateway); }

    void stop(FakeGateway& which) { tests::run_virtual(engine, clock, which.stop()); }
    auto open(FakeGateway& at) { return tests::run_virtual(engine, clock, mapper.open(at.router)); }
    PortAnswer map(TransportProtocol protocol) {
        return tests::run_virtual(engine, clock, mapper.map({protocol, 6881, 6881, 3'600s}));
    }
    PortState ask_after() {
        return tests::run_virtual(engine, clock, mapper.ask_after({TransportProtocol::tcp, 6881, 6881, 3'600s}));
    }
    void open_and_map() {
        open(gateway);
        map(TransportProtocol::tcp);
        map(TransportProtocol::udp);
    }
    // And the router counts.
    void pass(std::chrono::seconds time) {
        clock.run_for(engine, time);
        gateway.seconds += static_cast<std::uint32_t>(time.count());
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    FakeGateway gateway{engine, loopback(1)};
    NatPmpMapper mapper{engine.get_executor(), clock, InterfaceBinding()};
};

TEST_F(NatPmpMapperTest, ARouterThatGoesOnCountingKeepsWhatItMapped) {
    open_and_map();
    for (int i = 0; i < 5; ++i) {
        pass(300s);

        auto const state = ask_after();

        EXPECT_TRUE(state.kept);
        EXPECT_EQ(state.external, Address::parse("41.0.0.1").value());
    }
}

TEST_F(NatPmpMapperTest, ARouterThatBeganToCountAnewHasLostWhatItMapped) {
    open_and_map();
    pass(300s);
    gateway.seconds = 60;

    EXPECT_FALSE(ask_after().kept);

    pass(300s);
    EXPECT_TRUE(ask_after().kept) << "which is told once";
}

TEST_F(NatPmpMapperTest, ARefusalTellsOfALossToo) {
    open_and_map();
    pass(300s);
    gateway.seconds = 60;
    gateway.result = 3;  // it has no address yet

    EXPECT_FALSE(ask_after().kept);
}

TEST_F(NatPmpMapperTest, ARefusalAloneIsNoLoss) {
    open_and_map();
    pass(300s);
    gateway.result = 3;

    EXPECT_THROW(ask_after(), boost::system::system_error);
}

TEST_F(NatPmpMapperTest, WhatIsAnsweredTwiceIsNotTakenForAnAnswerOfMinutesLater) {
    gateway.copies = 3;
    open_and_map();
    for (int i = 0; i < 3; ++i) {
        pass(300s);

        EXPECT_TRUE(ask_after().kept);
    }
}

TEST_F(NatPmpMapperTest, ALossBetweenTwoMappingsIsTold) {
    open(gateway);
    EXPECT_FALSE(map(TransportProtocol::tcp).table_lost);
    gateway.seconds = 0;

    EXPECT_TRUE(map(TransportProtocol::udp).table_lost);
}

TEST_F(NatPmpMapperTest, ALossBetweenTwoOpeningsIsTold) {
    open_and_map();
    pass(300s);
    gateway.seconds = 0;

    open(gateway);

    EXPECT_TRUE(map(TransportProtocol::tcp).table_lost);
}

TEST_F(NatPmpMapperTest, AnotherRouterCountsForItself) {
    FakeGateway other(engine, loopback(2));
    other.seconds = 5;
    open_and_map();
    pass(300s);

    open(other);

    EXPECT_FALSE(map(TransportProtocol::tcp).table_lost);
    stop(other);
}

TEST_F(NatPmpMapperTest, ARouterThatIsNotThereIsAFailureAndNoLoss) {
    FakeGateway other(engine, loopback(2));
    open(other);
    stop(other);

    EXPECT_THROW(ask_after(), boost::system::system_error);
}

std::size_t open_files() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

TEST(NatPmpMapper, ARouterThatCannotBeReachedCostsNoSocket) {
    boost::asio::io_context engine{1};
    SteadyClock clock;
    NatPmpMapper mapper(engine.get_executor(), clock, InterfaceBinding());
    Router router;
    router.address = Address::parse("255.255.255.255").value();  // a broadcast, which sockets may not send
    auto const fail = [&] {
        EXPECT_THROW(tests::run_engine(engine, mapper.open(router)), boost::system::system_error);
    };
    fail();  // the engine itself has opened what it needs
    auto const before = open_files();

    for (int i = 0; i < 10; ++i) fail();

    EXPECT_EQ(open_files(), before);
}

}  // namespace
}  // namespace rqfs::torrent
