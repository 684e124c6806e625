// Where a socket listens at every address of the machine, whoever asks at one is answered from that one.
#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/listening_sockets.h"
#include "torrent/net/udp_sockets.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/error_code.hpp>

#include <sched.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using tests::run_engine;

constexpr std::byte kQuestion{1};
constexpr std::byte kLater{2};

// Answers what it is asked, at once.
struct Echo final : UdpSocket::Receiver {
    explicit Echo(UdpSocket& on) : socket(on) { socket.add(*this); }
    ~Echo() override { socket.remove(*this); }
    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override {
        asker = from;
        socket.send(from, bytes);
        return true;
    }
    UdpSocket& socket;
    Endpoint asker;
};

Address address(std::string_view text) { return Address::parse(text).value(); }

// Our sockets at every address, and somebody at `client` who asks at `server`: the answer's source.
struct Conversation {
    explicit Conversation(std::vector<std::string> const& listen, InterfaceBinding const& binding = InterfaceBinding())
        : ours(engine.get_executor(), clock, open_listening_sockets(engine.get_executor(), listen, binding).udp),
          echo(ours) {
        ours.start();
    }
    ~Conversation() { run_engine(engine, ours.stop()); }

    // Asks again and again: an address of IPv6 is not of use at once.
    std::optional<Address> answered_from(std::string_view client, std::string_view server) {
        auto const from = to_udp({address(client), 0});
        socket = asio::ip::udp::socket(engine, from);
        socket.non_blocking(true);
        auto const to = to_udp({address(server), ours.local().front().port});
        for (int tries = 0; tries < 50; ++tries) {
            boost::system::error_code ignored;
            socket.send_to(asio::buffer(&kQuestion, 1), to, 0, ignored);
            if (auto const source = receive(kQuestion)) return source;
        }
        return std::nullopt;
    }
    std::optional<Address> receive(std::byte wanted) {
        for (auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
             std::chrono::steady_clock::now() < end;) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(10));
            std::array<std::byte, 16> bytes{};
            asio::ip::udp::endpoint source;
            boost::system::error_code code;
            socket.receive_from(asio::buffer(bytes), source, 0, code);
            if (!code && bytes.front() == wanted) return from_asio(source).address;
        }
        return std::nullopt;
    }

    asio::io_context engine{1};
    SteadyClock clock;
    UdpSockets ours;
    Echo echo;
    asio::ip::udp::socket socket{engine};
};

TEST(UdpAnswers, ComeFromTheAddressThatWasAsked) {
    Conversation conversation({"0.0.0.0:0"});

    EXPECT_EQ(conversation.answered_from("127.0.0.1", "127.0.0.2"), address("127.0.0.2"));
    EXPECT_EQ(conversation.answered_from("127.0.0.1", "127.0.0.3"), address("127.0.0.3"));
    EXPECT_EQ(conversation.answered_from("127.0.0.1", "127.0.0.1"), address("127.0.0.1"));
}

TEST(UdpAnswers, OfASocketAtOneAddressComeFromThere) {
    Conversation conversation({"127.0.0.2:0"});

    EXPECT_EQ(conversation.answered_from("127.0.0.1", "127.0.0.2"), address("127.0.0.2"));
}

TEST(UdpAnswers, OfASocketThatIsTiedToAnInterfaceDoTheSame) {
    Conversation conversation({"0.0.0.0:0"}, InterfaceBinding("lo"));

    EXPECT_EQ(conversation.answered_from("127.0.0.1", "127.0.0.2"), address("127.0.0.2"));
}

TEST(UdpAnswers, WhatIsSentLaterComesFromWhereTheKernelHasIt) {
    Conversation conversation({"0.0.0.0:0"});
    ASSERT_TRUE(conversation.answered_from("127.0.0.1", "127.0.0.2"));

    std::optional<Address> source;
    for (int tries = 0; tries < 50 && !source; ++tries) {
        conversation.ours.send(conversation.echo.asker, std::vector<std::byte>(1, kLater));
        source = conversation.receive(kLater);
    }

    EXPECT_EQ(source, address("127.0.0.1"));
}

// In a network namespace of a thread's own, which alone may have two addresses on its loopback.
TEST(UdpAnswers, OverIPv6ComeFromTheAddressThatWasAsked) {
    std::string obstacle;
    std::vector<std::optional<Address>> sources;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0)
            obstacle = "a network namespace needs root";
        else if (std::system("ip link set lo up && ip -6 addr add fd77::1/128 dev lo nodad && "
                             "ip -6 addr add fd77::2/128 dev lo nodad") != 0)
            obstacle = "no IPv6 address can be set";
        if (!obstacle.empty()) return;
        Conversation conversation({"[::]:0"});
        for (auto const* const server : {"fd77::1", "fd77::2", "::1"})
            sources.push_back(conversation.answered_from("fd77::1", server));
    }).join();
    if (!obstacle.empty()) GTEST_SKIP() << obstacle;

    ASSERT_EQ(sources.size(), 3u);
    EXPECT_EQ(sources[0], address("fd77::1"));
    EXPECT_EQ(sources[1], address("fd77::2"));
    EXPECT_EQ(sources[2], address("::1"));
}

}  // namespace
}  // namespace rqfs::torrent
