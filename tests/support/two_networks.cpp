#include "tests/support/two_networks.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/system/error_code.hpp>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <tuple>
#include <utility>

namespace rqfs::tests {

namespace asio = boost::asio;
using udp = asio::ip::udp;

namespace {

bool run(std::string const& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

bool enter(int descriptor) { return ::setns(descriptor, CLONE_NEWNET) == 0; }

bool enter(std::string const& name) {
    int const descriptor = ::open(("/var/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    bool const entered = enter(descriptor);
    ::close(descriptor);
    return entered;
}

std::string address_of(bool v6, int network, int host) {
    auto const end = std::to_string(host);
    return v6 ? "fd77:" + std::to_string(network + 1) + "::" + end : "10.77." + std::to_string(network) + "." + end;
}

void speak_through(udp::socket& socket, std::string const& device) {
    auto const v6 = socket.local_endpoint().address().is_v6();
    if (v6) socket.set_option(asio::ip::multicast::outbound_interface(::if_nametoindex(device.c_str())));
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                 static_cast<socklen_t>(device.size()));
    socket.set_option(asio::ip::multicast::enable_loopback(false));
    socket.non_blocking(true);
}

udp::socket open_at(asio::io_context& engine, udp::endpoint const& place) {
    udp::socket socket(engine, place.protocol());
    socket.set_option(udp::socket::reuse_address(true));
    if (place.address().is_v6()) socket.set_option(asio::ip::v6_only(true));
    socket.bind(place);
    return socket;
}

// In the group on the network that `own` is an address of.
udp::socket open_neighbour(asio::io_context& engine, udp::endpoint const& group, std::string const& own,
                           std::string const& device) {
    auto socket = open_at(engine, group);
    if (group.address().is_v6()) {
        socket.set_option(asio::ip::multicast::join_group(group.address().to_v6(), ::if_nametoindex(device.c_str())));
    } else {
        auto const address = asio::ip::make_address_v4(own);
        socket.set_option(asio::ip::multicast::join_group(group.address().to_v4(), address));
        socket.set_option(asio::ip::multicast::outbound_interface(address));
    }
    speak_through(socket, device);  // the group's datagrams of the other network are for the other neighbour
    return socket;
}

// Speaks to the group from an address of its own and hears nothing.
udp::socket open_stranger(asio::io_context& engine, udp::endpoint const& group, std::string const& own) {
    auto const address = asio::ip::make_address(own);
    auto socket = open_at(engine, udp::endpoint(address, group.port()));
    if (address.is_v4()) socket.set_option(asio::ip::multicast::outbound_interface(address.to_v4()));
    speak_through(socket, "n0");
    return socket;
}

}  // namespace

TwoNetworks::TwoNetworks()
    : us_("rqfs-us-" + std::to_string(::getpid())),
      them_("rqfs-them-" + std::to_string(::getpid())),
      home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {}

std::unique_ptr<TwoNetworks> TwoNetworks::make() {
    std::unique_ptr<TwoNetworks> networks(new TwoNetworks());
    if (::geteuid() != 0 || networks->home_ < 0 || !networks->set_up()) return nullptr;
    return networks;
}

bool TwoNetworks::set_up() {
    if (!run("ip netns add " + us_) || !run("ip netns add " + them_)) return false;
    // Else nothing is sent from or to a new address until a second has shown that nobody else has it.
    for (auto const& name : {us_, them_})
        if (!run("ip netns exec " + name + " sysctl -w net.ipv6.conf.default.accept_dad=0")) return false;
    // Else the kernel itself may drop what comes from an address of another network.
    for (std::string const which : {"all", "default"})
        if (!run("ip netns exec " + us_ + " sysctl -w net.ipv4.conf." + which + ".rp_filter=0")) return false;
    for (int network = 0; network < 2; ++network) {
        auto const number = std::to_string(network);
        if (!run("ip -n " + us_ + " link add m" + number + " type veth peer name n" + number + " netns " + them_))
            return false;
        for (auto const& [name, device, host] :
             {std::tuple(us_, "m" + number, 1), std::tuple(them_, "n" + number, 2)}) {
            auto const ip = "ip -n " + name;
            if (!run(ip + " addr add " + address_of(false, network, host) + "/24 dev " + device) ||
                !run(ip + " addr add " + address_of(true, network, host) + "/64 dev " + device + " nodad") ||
                !run(ip + " link set " + device + " up"))
                return false;
        }
    }
    return enter(us_);
}

TwoNetworks::~TwoNetworks() {
    if (home_ >= 0) {
        enter(home_);
        ::close(home_);
    }
    run("ip netns del " + us_);
    run("ip netns del " + them_);
}

std::vector<TwoNetworks::Neighbour> TwoNetworks::join(asio::io_context& engine,
                                                      std::array<udp::endpoint, 2> const& groups) {
    std::vector<Neighbour> neighbours;
    enter(them_);
    for (auto const& group : groups)
        for (int network = 0; network < 2; ++network) {
            bool const v6 = group.address().is_v6();
            auto const own = address_of(v6, network, 2);
            neighbours.push_back({own, address_of(v6, network, 1), group,
                                  open_neighbour(engine, group, own, "n" + std::to_string(network))});
        }
    enter(us_);
    return neighbours;
}

std::vector<TwoNetworks::Neighbour> TwoNetworks::strangers(asio::io_context& engine,
                                                           std::array<udp::endpoint, 2> const& groups) {
    std::vector<Neighbour> strangers;
    run("ip -n " + them_ + " addr add 10.88.0.2/24 dev n0");
    run("ip -n " + them_ + " addr add fd88::2/64 dev n0 nodad preferred_lft 0");  // nobody else speaks from it
    enter(them_);
    for (auto const& group : groups) {
        bool const v6 = group.address().is_v6();
        std::string const own = v6 ? "fd88::2" : "10.88.0.2";
        strangers.push_back({own, address_of(v6, 0, 1), group, open_stranger(engine, group, own)});
    }
    enter(us_);
    return strangers;
}

std::vector<TwoNetworks::Neighbour> TwoNetworks::witnesses(asio::io_context& engine,
                                                           std::array<udp::endpoint, 2> const& groups) {
    std::vector<Neighbour> witnesses;
    for (auto const& group : groups) {
        auto const own = address_of(group.address().is_v6(), 0, 1);
        witnesses.push_back({own, own, group, open_neighbour(engine, group, own, "m0")});
    }
    return witnesses;
}

void TwoNetworks::Neighbour::say(std::string_view text) {
    boost::system::error_code ignored;
    socket.send_to(asio::buffer(text), group, 0, ignored);
}

std::vector<std::string> TwoNetworks::Neighbour::heard() {
    std::vector<std::string> all;
    for (;;) {
        std::array<char, 2'000> text;
        udp::endpoint from;
        boost::system::error_code code;
        auto const count = socket.receive_from(asio::buffer(text), from, 0, code);
        if (code) return all;
        all.push_back(from.address().to_string() + " " + std::string(text.data(), count));
    }
}

}  // namespace rqfs::tests
