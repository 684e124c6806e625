#include "torrent/net/listening_sockets.h"

#include "torrent/error.h"
#include "torrent/net/endpoint_conversion.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;

std::vector<std::string> one(std::string text) { return {std::move(text)}; }

boost::system::error_code failure_of(asio::io_context& engine, std::vector<std::string> const& listen,
                                     std::string& text) {
    try {
        open_listening_sockets(engine.get_executor(), listen);
    } catch (boost::system::system_error const& e) {
        text = sentence(e);
        return e.code();
    }
    return {};
}

TEST(ListeningSockets, BindsTcpAndUdpToTheSamePortThatTheKernelChose) {
    asio::io_context engine;

    auto const sockets = open_listening_sockets(engine.get_executor(), one("127.0.0.1:0"));

    ASSERT_EQ(sockets.tcp.size(), 1u);
    ASSERT_EQ(sockets.udp.size(), 1u);
    EXPECT_NE(sockets.port(), 0);
    EXPECT_EQ(sockets.udp[0].local_endpoint().port(), sockets.port());
}

TEST(ListeningSockets, NamesTheExplicitPortThatIsTaken) {
    asio::io_context engine;
    auto const first = open_listening_sockets(engine.get_executor(), one("127.0.0.1:0"));
    auto const taken = std::to_string(first.port());

    std::string text;
    auto const code = failure_of(engine, one("127.0.0.1:" + taken), text);

    EXPECT_EQ(code, make_error_code(Errc::busy));
    EXPECT_NE(text.find("port " + taken + " is in use"), std::string::npos) << text;
}

TEST(ListeningSockets, IsBusyTooWhenOnlyTheUdpPortIsTaken) {
    asio::io_context engine;
    asio::ip::udp::socket other(engine, asio::ip::udp::endpoint(asio::ip::make_address("127.0.0.1"), 0));

    std::string text;
    auto const code = failure_of(engine, one("127.0.0.1:" + std::to_string(other.local_endpoint().port())), text);

    EXPECT_EQ(code, make_error_code(Errc::busy));
}

TEST(ListeningSockets, SaysThatTextIsNoAddress) {
    asio::io_context engine;

    std::string text;
    auto const code = failure_of(engine, one("localhost:6881"), text);

    EXPECT_EQ(code, make_error_code(Errc::malformed));
    EXPECT_NE(text.find("localhost"), std::string::npos) << text;
}

TEST(ListeningSockets, SaysThatTheAddressIsNotOfThisMachine) {
    asio::io_context engine;

    std::string text;
    auto const code = failure_of(engine, one("203.0.113.77:6881"), text);

    EXPECT_EQ(code, make_error_code(Errc::io));
    EXPECT_NE(text.find("203.0.113.77:6881"), std::string::npos) << text;
}

TEST(ListeningSockets, TakesTheNextPortInEveryFamilyWhenTheDefaultIsTaken) {
    asio::io_context engine;
    auto const first = open_listening_sockets(engine.get_executor(), {});

    auto const second = open_listening_sockets(engine.get_executor(), {});

    EXPECT_GT(second.port(), first.port());
    for (auto const& acceptor : second.tcp) EXPECT_EQ(acceptor.local_endpoint().port(), second.port());
    for (auto const& socket : second.udp) EXPECT_EQ(socket.local_endpoint().port(), second.port());
}

TEST(ListeningSockets, ListensOnSeveralAddresses) {
    asio::io_context engine;

    auto const sockets = open_listening_sockets(engine.get_executor(), {"127.0.0.1:0", "127.0.0.2:0", "[::1]:0"});

    ASSERT_EQ(sockets.tcp.size(), 3u);
    EXPECT_EQ(from_asio(sockets.tcp[1].local_endpoint()).address.text(), "127.0.0.2");
    EXPECT_TRUE(from_asio(sockets.tcp[2].local_endpoint()).address.is_v6());
}

TEST(ListeningSockets, AreClosedWithTheirPortsChosenWhereTheInterfaceIsNotThere) {
    asio::io_context engine;

    auto const sockets = open_listening_sockets(engine.get_executor(), {"0.0.0.0:0"}, InterfaceBinding("none0"));

    ASSERT_EQ(sockets.tcp.size(), 1u);
    EXPECT_FALSE(sockets.tcp[0].is_open());
    EXPECT_FALSE(sockets.udp[0].is_open());
    EXPECT_NE(sockets.port(), 0);
}

TEST(ListeningSockets, AreAtTheAddressBoundToAndInItsFamilyAlone) {
    asio::io_context engine;

    auto const sockets =
        open_listening_sockets(engine.get_executor(), {"0.0.0.0:0", "[::]:0"}, InterfaceBinding("127.0.0.1"));

    ASSERT_EQ(sockets.tcp.size(), 1u);
    EXPECT_EQ(sockets.tcp[0].local_endpoint().address().to_string(), "127.0.0.1");
    EXPECT_EQ(sockets.udp[0].local_endpoint().address().to_string(), "127.0.0.1");
}

TEST(ListeningSockets, RefuseAnAddressThatTheInterfaceDoesNotHave) {
    asio::io_context engine;

    for (std::string const interface : {"lo", "127.0.0.1"}) {
        std::string text;
        try {
            open_listening_sockets(engine.get_executor(), {"203.0.113.5:0"}, InterfaceBinding(interface));
        } catch (boost::system::system_error const& e) {
            text = sentence(e);
        }
        EXPECT_NE(text.find("network.interface is " + interface), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace rqfs::torrent
