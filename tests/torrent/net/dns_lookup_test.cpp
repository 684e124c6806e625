// What becomes of the sockets of a lookup that is over. What the kernel answers to whatever comes for one that is no
// more goes by whatever interface its routes name.
#include "torrent/net/dns_lookup.h"

#include "tests/support/run_engine.h"
#include "tests/torrent/net/fake_name_server.h"
#include "tests/torrent/net/other_end.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/task_group.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using tests::comes_true;
using tests::FakeNameServer;
using tests::OtherEnd;
using tests::run_engine;

class SocketsOfALookup : public ::testing::Test {
protected:
    // A lookup, tied to an interface or not, is called off when `asked` says that the server has heard of it.
    void call_off(std::string_view interface, std::function<bool()> const& asked) {
        options.binding = InterfaceBinding(interface);
        resolver = std::make_unique<DnsResolver>(clock, options);
        TaskGroup tasks(engine.get_executor(), "test");
        tasks.spawn(look_up());
        heard = comes_true([&] {
            engine.restart();
            engine.run_for(1ms);
            return asked();
        });
        run_engine(engine, tasks.stop());
    }

    asio::awaitable<void> look_up() {
        try {
            auto const found = co_await resolver->resolve("tracker.example");
            EXPECT_TRUE(found.empty());
        } catch (boost::system::system_error const& e) {
            EXPECT_EQ(e.code(), asio::error::operation_aborted);
        }
    }

    asio::io_context engine{1};
    SteadyClock clock;
    DnsOptions options{{}, {}, "/nonexistent", "/nonexistent"};
    std::unique_ptr<DnsResolver> resolver;
    bool heard = false;
};

// Somebody asks over UDP, and the server is late.
class OfDatagrams : public SocketsOfALookup {
protected:
    void ask(std::string_view interface) {
        options.servers = {from_asio(server.local_endpoint())};
        call_off(interface, [&] { return server.available() > 0; });
        ASSERT_TRUE(heard);
        asio::ip::udp::endpoint asker;
        server.receive_from(asio::buffer(room), asker);
        server.connect(asker);
    }
    // What was sent before.
    bool is_refused() {
        boost::system::error_code code;
        server.send(asio::buffer(room), 0, code);
        return code == asio::error::connection_refused;
    }

    std::array<char, 512> room{};
    asio::ip::udp::socket server{engine, {asio::ip::make_address("127.0.0.1"), 0}};
};

TEST_F(OfDatagrams, AreClosedAtItsEndWhereNothingIsBound) {
    ask("");
    EXPECT_TRUE(comes_true([&] { return is_refused(); }));
}

TEST_F(OfDatagrams, BoundToAnInterfaceStay) {
    ask("lo");
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(is_refused()) << i;
}

// An answer by UDP had not room enough, and the lookup is called off while it asks over TCP.
class OfConnections : public SocketsOfALookup {
protected:
    void ask(std::string_view interface) {
        server.answer = [](auto const& question) { return std::vector{FakeNameServer::reply(question, {}, 0, true)}; };
        server.connected = [&](asio::ip::tcp::socket socket) { other.emplace(std::move(socket)); };
        options.servers = {server.endpoint()};
        call_off(interface, [&] { return other.has_value(); });
        ASSERT_TRUE(heard);
        EXPECT_TRUE(comes_true([&] { return other->reads_the_end(); }));
        EXPECT_TRUE(other->sends(1000));
    }

    FakeNameServer server{engine};
    std::optional<OtherEnd> other;
};

TEST_F(OfConnections, AreClosedAtItsEndWhereNothingIsBound) {
    ask("");
    EXPECT_TRUE(comes_true([&] { return other->is_reset(); }));
}

TEST_F(OfConnections, BoundToAnInterfaceStay) {
    ask("lo");
    EXPECT_TRUE(comes_true([&] { return other->is_acknowledged(); }));
    EXPECT_FALSE(other->is_reset());
}

}  // namespace
}  // namespace rqfs::torrent
