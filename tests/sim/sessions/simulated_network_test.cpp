#include "tests/support/simulated_network.h"

#include "tests/support/run_virtual.h"
#include "tests/support/virtual_clock.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace torrent;

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

struct Counter final : UdpSocket::Receiver {
    bool datagram(Endpoint const& from, std::span<std::byte const>) override {
        ++count;
        last = from;
        return true;
    }
    std::size_t count = 0;
    Endpoint last;
};

class SimulatedNetworkTest : public testing::Test {
protected:
    boost::system::error_code dial(SimulatedHost& host, std::string const& to) {
        try {
            run_virtual(engine, clock, host.connector().connect(at(to), 8s));
        } catch (boost::system::system_error const& e) {
            return e.code();
        }
        return {};
    }
    // A stream between two hosts; the second end is the one that was accepted.
    MemoryStreams streams(SimulatedHost& from, SimulatedHost& to) {
        MemoryStreams both;
        asio::co_spawn(engine, to.acceptors().front()->accept(),
                       [&](std::exception_ptr const& failure, std::unique_ptr<StreamSocket> stream) {
                           EXPECT_FALSE(failure);
                           both.second = std::move(stream);
                       });
        both.first = run_virtual(engine, clock, from.connector().connect(to.endpoint(), 8s));
        return both;
    }
    // Starts writing; what does not fit waits for the reader.
    void write(StreamSocket& stream, std::vector<std::byte> const& bytes) {
        views.push_back(std::make_unique<asio::const_buffer>(asio::buffer(bytes)));
        asio::co_spawn(engine, stream.write(std::span(views.back().get(), 1)),
                       [](std::exception_ptr const& failure) { EXPECT_FALSE(failure); });
    }
    Duration time_to_read(StreamSocket& stream, std::size_t bytes) {
        auto const begin = clock.now();
        std::vector<char> room(bytes);
        while (bytes > 0) bytes -= run_virtual(engine, clock, stream.read_some(asio::buffer(room.data(), bytes)));
        return clock.now() - begin;
    }

    asio::io_context engine{1};
    VirtualClock clock;
    SimulatedNetwork network{engine.get_executor(), clock};
    std::vector<std::unique_ptr<asio::const_buffer>> views;
};

TEST_F(SimulatedNetworkTest, RefusesAfterARoundTripWhereNobodyListensAndTimesOutWhereNobodyIs) {
    auto& here = network.add({at("20.0.0.1:1")}, {.latency = 10ms});
    network.add({at("20.0.0.2:2")}, {.latency = 30ms});
    auto const begin = clock.now();

    EXPECT_EQ(dial(here, "20.0.0.2:2"), asio::error::connection_refused);
    EXPECT_EQ(clock.now() - begin, 80ms);

    EXPECT_EQ(dial(here, "20.0.0.3:2"), asio::error::timed_out);
    EXPECT_EQ(clock.now() - begin, 80ms + 8s);
    EXPECT_EQ(dial(here, "[2001:db8::1]:2"), asio::error::network_unreachable);
}

TEST_F(SimulatedNetworkTest, StreamsOfAHostShareItsWayOut) {
    auto& from = network.add({at("20.0.0.1:1")}, {.latency = 0ms, .up_bytes_per_second = 100'000});
    auto& to = network.add({at("20.0.0.2:2")}, {.latency = 0ms});
    auto& other = network.add({at("20.0.0.3:3")}, {.latency = 0ms});
    auto const first = streams(from, to);
    auto const second = streams(from, other);
    std::vector<std::byte> const bytes(100'000);

    write(*first.first, bytes);
    write(*second.first, bytes);

    EXPECT_NEAR(std::chrono::duration<double>(time_to_read(*first.second, bytes.size())).count(), 1, 0.01);
    EXPECT_NEAR(std::chrono::duration<double>(time_to_read(*second.second, bytes.size())).count(), 1, 0.01);
}

TEST_F(SimulatedNetworkTest, ASlowSenderDoesNotHoldUpAFastOne) {
    auto& slow = network.add({at("20.0.0.1:1")}, {.latency = 0ms, .up_bytes_per_second = 1'000});
    auto& fast = network.add({at("20.0.0.2:2")}, {.latency = 0ms});
    auto& to = network.add({at("20.0.0.3:3")}, {.latency = 0ms, .down_bytes_per_second = 100'000});
    auto const crawling = streams(slow, to);
    auto const flying = streams(fast, to);
    std::vector<std::byte> const bytes(100'000);

    write(*crawling.first, bytes);
    write(*flying.first, bytes);

    EXPECT_LE(time_to_read(*flying.second, bytes.size()), 1100ms);
}

TEST_F(SimulatedNetworkTest, ASilentHostsBytesArriveWhenItIsBack) {
    auto& from = network.add({at("20.0.0.1:1")}, {.latency = 0ms});
    auto& to = network.add({at("20.0.0.2:2")}, {.latency = 0ms});
    auto const both = streams(from, to);
    std::vector<std::byte> const bytes(1000);
    from.fall_silent(1min);

    write(*both.first, bytes);

    EXPECT_EQ(dial(to, "20.0.0.1:1"), asio::error::timed_out);
    EXPECT_EQ(time_to_read(*both.second, bytes.size()), 52s);
}

TEST_F(SimulatedNetworkTest, LosesItsShareOfDatagramsAndTheSameOnesAgain) {
    auto& from = network.add({at("20.0.0.1:1")}, {.datagrams_lost = 0.25});
    auto& to = network.add({at("20.0.0.2:2")});
    Counter counter;
    to.udp().add(counter);
    from.start();
    to.start();
    std::array<std::byte, 100> const bytes{};

    for (int i = 0; i < 10'000; ++i) from.udp().send(to.endpoint(), bytes);
    clock.run_for(engine, 1s);

    EXPECT_NEAR(static_cast<double>(counter.count), 7'500, 150);
    EXPECT_EQ(counter.last, from.endpoint());
    EXPECT_EQ(network.datagrams(), 10'000u);
}

TEST_F(SimulatedNetworkTest, DatagramsToOtherPortsOrAfterTheEndAreLost) {
    auto& from = network.add({at("20.0.0.1:1")});
    auto& to = network.add({at("20.0.0.2:2")});
    Counter counter;
    to.udp().add(counter);
    from.start();
    to.start();
    std::array<std::byte, 1> const bytes{};

    from.udp().send(at("20.0.0.2:3"), bytes);
    from.udp().send(at("[2001:db8::1]:2"), bytes);
    clock.run_for(engine, 1s);
    run_virtual(engine, clock, to.stop());
    from.udp().send(to.endpoint(), bytes);
    clock.run_for(engine, 1s);

    EXPECT_EQ(counter.count, 0u);
    to.udp().remove(counter);
}

}  // namespace
}  // namespace rqfs::tests
