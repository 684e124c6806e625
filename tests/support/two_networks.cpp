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

udp::socket open_neighbour(asio::io_context& engine, udp::endpoint const& group, int network) {
    bool const v6 = group.address().is_v6();
    udp::socket socket(engine, group.protocol());
    socket.set_option(udp::socket::reuse_address(true));
    if (v6) socket.set_option(asio::ip::v6_only(true));
    socket.bind(group);
    if (v6) {
        auto const interface = ::if_nametoindex(("n" + std::to_string(network)).c_str());
        socket.set_option(asio::ip::multicast::join_group(group.address().to_v6(), interface));
        socket.set_option(asio::ip::multicast::outbound_interface(interface));
    } else {
        auto const own = asio::ip::make_address_v4(address_of(false, network, 2));
        socket.set_option(asio::ip::multicast::join_group(group.address().to_v4(), own));
        socket.set_option(asio::ip::multicast::outbound_interface(own));
    }
    // The group's datagrams of the other network are for the other neighbour.
    auto const device = "n" + std::to_string(network);
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                 static_cast<socklen_t>(device.size()));
    socket.set_option(asio::ip::multicast::enable_loopback(false));
    socket.non_blocking(true);
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
            neighbours.push_back({address_of(v6, network, 2), address_of(v6, network, 1), group,
                                  open_neighbour(engine, group, network)});
        }
    enter(us_);
    return neighbours;
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
