#include "torrent/net/listener.h"

#include "tests/support/run_engine.h"
#include "torrent/net/connector.h"
#include "torrent/net/system_network.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using tests::run_engine;

struct Guests final : Listener::Owner {
    void incoming(std::unique_ptr<StreamSocket> socket, Listener::Pending pending) override {
        sockets.push_back(std::move(socket));
        handshakes.push_back(std::move(pending));
    }
    std::vector<std::unique_ptr<StreamSocket>> sockets;
    std::vector<Listener::Pending> handshakes;
};

class ListenerTest : public ::testing::Test {
protected:
    ListenerTest() { listener.start(); }
    ~ListenerTest() override { run_engine(engine, listener.stop()); }

    std::unique_ptr<StreamSocket> dial() {
        return run_engine(engine, connector.connect(listener.local().front(), std::chrono::seconds(5)));
    }
    void run_until(std::function<bool()> const& done) {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!done() && std::chrono::steady_clock::now() < end) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(10));
        }
    }
    // The other side has closed when a read ends.
    bool closed(StreamSocket& socket) {
        char byte = 0;
        auto const buffer = asio::buffer(&byte, 1);
        try {
            run_engine(engine, socket.read_some(buffer));
        } catch (boost::system::system_error const&) {
            return true;
        }
        return false;
    }

    asio::io_context engine{1};
    SteadyClock clock;
    TcpConnector connector{clock};
    Guests guests;
    SystemNetwork network{engine.get_executor(), clock, {"127.0.0.1:0"}};
    Listener listener{engine.get_executor(), clock, network.acceptors(), guests};
};

TEST_F(ListenerTest, HandsOverWhoConnects) {
    auto const socket = dial();

    run_until([&] { return guests.sockets.size() == 1; });

    ASSERT_EQ(guests.sockets.size(), 1u);
    EXPECT_EQ(guests.sockets[0]->remote(), socket->local());
    EXPECT_EQ(socket->remote(), listener.local().front());
}

TEST_F(ListenerTest, RefusesAFourthHandshakeFromOneAddressAndTakesItWhenAnotherHasEnded) {
    std::vector<std::unique_ptr<StreamSocket>> dialled;
    for (int i = 0; i < 3; ++i) dialled.push_back(dial());
    run_until([&] { return guests.sockets.size() == 3; });
    auto const fourth = dial();
    EXPECT_TRUE(closed(*fourth));
    EXPECT_EQ(guests.sockets.size(), 3u);

    guests.handshakes.pop_back();
    dialled.push_back(dial());
    run_until([&] { return guests.sockets.size() == 4; });

    EXPECT_EQ(guests.sockets.size(), 4u);
}

TEST_F(ListenerTest, OthersReachEachFamilyAtItsPortAndLoopbackIsOnlyBetterThanNothing) {
    auto const ports_at = [this](std::vector<std::string> const& places) {
        std::vector<std::unique_ptr<Acceptor>> acceptors;
        for (auto const& place : places)
            acceptors.push_back(std::make_unique<TcpAcceptor>(asio::ip::tcp::acceptor(engine.get_executor()),
                                                              Endpoint::parse(place).value()));
        return Listener(engine.get_executor(), clock, acceptors, guests).ports();
    };
    using Ports = PerFamily<std::uint16_t>;

    EXPECT_EQ(ports_at({}), (Ports{0, 0}));
    EXPECT_EQ(ports_at({"127.0.0.1:1"}), (Ports{1, 0}));
    EXPECT_EQ(ports_at({"127.0.0.1:1", "[::1]:2", "10.0.0.1:3", "[2600::1]:4", "0.0.0.0:5"}), (Ports{3, 4}));
}

TEST_F(ListenerTest, DoesNotSpinWhileThereAreNoDescriptors) {
    auto const socket = std::unique_ptr<int, void (*)(int*)>(new int(::socket(AF_INET, SOCK_STREAM, 0)), [](int* fd) {
        ::close(*fd);
        delete fd;
    });
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener.ports()[false]);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(*socket) + 1;
    ::setrlimit(RLIMIT_NOFILE, &none);
    std::vector<int> fillers;
    for (int filler = ::dup(*socket); filler >= 0; filler = ::dup(*socket)) fillers.push_back(filler);
    ASSERT_EQ(::connect(*socket, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);

    auto const cpu_before = std::clock();
    auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    std::size_t handlers = 0;
    while (std::chrono::steady_clock::now() < end) {
        engine.restart();
        handlers += engine.run_for(std::chrono::milliseconds(50));
    }
    auto const cpu = std::clock() - cpu_before;
    for (auto const filler : fillers) ::close(filler);
    ::setrlimit(RLIMIT_NOFILE, &before);

    EXPECT_LT(handlers, 20u);
    EXPECT_LT(cpu, CLOCKS_PER_SEC / 10);
    EXPECT_TRUE(guests.sockets.empty());
    run_until([&] { return guests.sockets.size() == 1; });
    EXPECT_EQ(guests.sockets.size(), 1u) << "it goes on when there are descriptors again";
}

}  // namespace
}  // namespace rqfs::torrent
