#include "torrent/net/proxied_network.h"

#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/net/socks5_message.h"
#include "torrent/net/system_network.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using tests::run_engine;

// A proxy at 127.0.0.1 that says whatever it is told to about where it relays; the relay is a socket of the test.
class LyingProxy {
public:
    explicit LyingProxy(asio::io_context& engine)
        : acceptor_(engine, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)), tasks_(engine.get_executor(), "") {
        tasks_.spawn(serve());
    }
    asio::awaitable<void> stop() {
        acceptor_.close();
        co_await tasks_.stop();
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    ProxyTarget relay;

private:
    asio::awaitable<void> serve() {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        std::array<std::byte, 13> asked{};
        co_await asio::async_read(socket, asio::buffer(asked, 3), asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer("\x05\x00", 2), asio::use_awaitable);
        co_await asio::async_read(socket, asio::buffer(asked, 10), asio::use_awaitable);
        auto reply = socks5::encode_request(socks5::Command::connect, relay);
        reply[1] = std::byte{0};
        co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
        boost::system::error_code end;
        co_await asio::async_read(socket, asio::buffer(asked), asio::redirect_error(asio::use_awaitable, end));
    }

    tcp::acceptor acceptor_;
    TaskGroup tasks_;
};

struct Heard final : UdpSocket::Receiver {
    bool datagram(Endpoint const& from, std::span<std::byte const> bytes) override {
        all.push_back(from.text() + " " + std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size()));
        return true;
    }
    std::vector<std::string> all;
};

// On real sockets: a datagram goes to the relay, its answer comes back, and a stranger's is dropped.
class ProxiedNetworkTest : public ::testing::Test {
protected:
    ~ProxiedNetworkTest() override {
        network->udp().remove(heard);
        run_engine(engine, network->stop());
        run_engine(engine, proxy.stop());
    }

    void use(ProxyTarget const& said) {
        proxy.relay = said;
        below = SystemNetwork::outgoing_only(engine.get_executor(), clock);
        auto const address = ProxyAddress::parse("socks5://127.0.0.1:" + std::to_string(proxy.port())).value();
        network = std::make_unique<ProxiedNetwork>(engine.get_executor(), clock, *below, lookup, address);
        network->udp().add(heard);
        network->start();
    }
    void run_until(std::function<bool()> const& done) {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done() && std::chrono::steady_clock::now() < end) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(10));
        }
    }
    // The relay hears one datagram and answers it, a stranger and the proxy's own address having done so before.
    void exchange(udp::socket& relay) {
        relay.non_blocking(true);
        std::string const text = "hello";
        network->udp().send(Endpoint::parse("1.2.3.4:80").value(), std::as_bytes(std::span(text)));
        std::array<char, 100> bytes{};
        udp::endpoint from;
        std::size_t size = 0;
        boost::system::error_code nothing;
        run_until([&] { return (size = relay.receive_from(asio::buffer(bytes), from, 0, nothing)) > 0; });
        ASSERT_EQ(std::string(bytes.data(), size), kHead + "hello");

        udp::socket stranger(engine, udp::endpoint(relay.local_endpoint().address(), 0));
        udp::socket proxys(engine, udp::endpoint(proxy_address(relay), 0));
        stranger.send_to(asio::buffer(kHead + "of a stranger"), from);
        proxys.send_to(asio::buffer(kHead + "of the proxy"), from);
        relay.send_to(asio::buffer(kHead + "answer"), from);
        run_until([&] { return !heard.all.empty(); });
        EXPECT_EQ(heard.all, std::vector<std::string>{"1.2.3.4:80 answer"});
    }
    // One that can be sent from to where the relay sends.
    static asio::ip::address proxy_address(udp::socket const& relay) {
        return asio::ip::make_address(relay.local_endpoint().address().is_v6() ? "::1" : "127.0.0.1");
    }

    std::string const kHead{"\x00\x00\x00\x01\x01\x02\x03\x04\x00\x50", 10};
    asio::io_context engine{1};
    SteadyClock clock;
    DnsResolver lookup{clock};
    LyingProxy proxy{engine};
    std::unique_ptr<SystemNetwork> below;
    std::unique_ptr<ProxiedNetwork> network;
    Heard heard;
};

TEST_F(ProxiedNetworkTest, TheRelayIsAtAnotherAddress) {
    udp::socket relay(engine, udp::endpoint(asio::ip::make_address("127.0.0.2"), 0));
    use({{}, Address::v4({127, 0, 0, 2}), relay.local_endpoint().port()});

    exchange(relay);
}

TEST_F(ProxiedNetworkTest, TheRelayIsOfTheOtherFamily) {
    boost::system::error_code missing;
    udp::socket relay(engine, udp::v6());
    relay.bind(udp::endpoint(asio::ip::make_address("::1"), 0), missing);
    if (missing) GTEST_SKIP() << "this machine has no IPv6";
    use({{}, Address::parse("::1").value(), relay.local_endpoint().port()});

    exchange(relay);
}

TEST_F(ProxiedNetworkTest, TheRelayHasAName) {
    udp::socket relay(engine, udp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    use({"localhost", {}, relay.local_endpoint().port()});

    exchange(relay);
}

TEST_F(ProxiedNetworkTest, TheRelayIsWhereTheProxyIs) {
    udp::socket relay(engine, udp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    use({{}, Address(), relay.local_endpoint().port()});

    exchange(relay);
}

}  // namespace
}  // namespace rqfs::torrent
