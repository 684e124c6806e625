#include "torrent/net/interface_binding.h"

#include <gtest/gtest.h>
#include <boost/asio/error.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;

Address at(std::string const& text) { return Address::parse(text).value(); }

struct Socket {
    explicit Socket(int family) : descriptor(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    ~Socket() { ::close(descriptor); }
    Socket(Socket const&) = delete;
    Socket& operator=(Socket const&) = delete;

    std::string device() const {
        std::array<char, 16> name{};
        socklen_t size = name.size();
        ::getsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name.data(), &size);
        return name.data();
    }
    std::uint32_t source() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohl(address.sin_addr.s_addr);
    }

    int descriptor;
};

TEST(InterfaceBinding, NoneLeavesSocketsAlone) {
    InterfaceBinding const binding("");
    Socket const socket(AF_INET);

    EXPECT_TRUE(binding.none());
    EXPECT_TRUE(binding.allows(false));
    EXPECT_TRUE(binding.allows(true));
    EXPECT_FALSE(binding.tie_outgoing(socket.descriptor, false));
    EXPECT_EQ(socket.device(), "");
}

TEST(InterfaceBinding, ANameTiesSocketsToTheDevice) {
    InterfaceBinding const binding("lo");
    Socket const socket(AF_INET);

    EXPECT_FALSE(binding.tie_outgoing(socket.descriptor, false));

    EXPECT_EQ(socket.device(), "lo");
    EXPECT_EQ(socket.source(), INADDR_ANY);
}

TEST(InterfaceBinding, AnAddressIsTheSourceAndTheOtherFamilyIsNotUsed) {
    InterfaceBinding const binding("127.0.0.1");
    Socket const socket(AF_INET);
    Socket const other(AF_INET6);

    EXPECT_FALSE(binding.tie_outgoing(socket.descriptor, false));

    EXPECT_EQ(socket.source(), INADDR_LOOPBACK);
    EXPECT_FALSE(binding.allows(true));
    EXPECT_EQ(binding.tie_outgoing(other.descriptor, true), asio::error::network_unreachable);
}

TEST(InterfaceBinding, WithoutItsInterfaceASocketIsRefused) {
    Socket const socket(AF_INET);

    EXPECT_EQ(InterfaceBinding("none0").tie(socket.descriptor, false), asio::error::network_down);
    EXPECT_EQ(InterfaceBinding("203.0.113.7").tie(socket.descriptor, false), asio::error::network_down);
    EXPECT_EQ(InterfaceBinding("none0").now().index, 0u);
    EXPECT_EQ(socket.device(), "");
}

TEST(InterfaceBinding, SaysWhatTheInterfaceHas) {
    auto const by_name = InterfaceBinding("lo").now();
    auto const by_address = InterfaceBinding("127.0.0.1").now();

    EXPECT_TRUE(by_name.has(at("127.0.0.1")));
    EXPECT_TRUE(by_name.has(false));
    EXPECT_EQ(by_address.index, by_name.index);
    EXPECT_EQ(by_address.device, "lo");
    EXPECT_TRUE(by_address.loopback);
    EXPECT_EQ(by_address.addresses, std::vector{at("127.0.0.1")});
}

}  // namespace
}  // namespace rqfs::torrent
