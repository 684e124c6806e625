#include "torrent/net/system_multicast.h"

#include "torrent/link_scope.h"
#include "torrent/log.h"
#include "torrent/net/endpoint_conversion.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace rqfs::torrent {

namespace asio = boost::asio;
using udp = asio::ip::udp;

namespace {

constexpr int kHops = 32;                      // LT; within the group's scope
constexpr std::size_t kDatagramBytes = 1'501;  // one more than is ever taken
constexpr int kBatch = 64;                     // datagrams before others have their turn
constexpr std::chrono::seconds kSettle{1};     // an interface that comes up changes several times
constexpr std::chrono::milliseconds kPauseAfterBatch{100};

template <class T>
void set_option(udp::socket& socket, int level, int name, T const& value) {
    if (::setsockopt(socket.native_handle(), level, name, &value, sizeof value) != 0)
        throw boost::system::system_error(errno, boost::system::system_category());
}

// Bound to the group: what is sent to us alone does not come in here.
udp::socket open_socket(asio::any_io_executor const& executor, Endpoint const& group) {
    bool const v6 = group.address.is_v6();
    udp::socket socket(executor, v6 ? udp::v6() : udp::v4());
    socket.set_option(udp::socket::reuse_address(true));
    if (v6) {
        socket.set_option(asio::ip::v6_only(true));
        set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kHops);
        set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    } else {
        set_option(socket, IPPROTO_IP, IP_PKTINFO, 1);
        set_option(socket, IPPROTO_IP, IP_MULTICAST_TTL, kHops);
        set_option(socket, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    }
    socket.bind(to_udp(group));
    socket.non_blocking(true);
    return socket;
}

bool change_membership(udp::socket& socket, Endpoint const& group, unsigned interface, bool join) {
    auto const bytes = group.address.bytes();
    if (group.address.is_v6()) {
        ipv6_mreq request{};
        std::memcpy(&request.ipv6mr_multiaddr, bytes.data(), bytes.size());
        request.ipv6mr_interface = interface;
        return ::setsockopt(socket.native_handle(), IPPROTO_IPV6, join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP,
                            &request, sizeof request) == 0;
    }
    ip_mreqn request{};
    std::memcpy(&request.imr_multiaddr, bytes.data(), bytes.size());
    request.imr_ifindex = static_cast<int>(interface);
    return ::setsockopt(socket.native_handle(), IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                        sizeof request) == 0;
}

// What says through which interface a datagram goes or came.
union ControlBuffer {
    cmsghdr alignment;
    std::array<char, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo))> bytes;
};

template <class Info>
void say_interface(msghdr& message, int level, int type, Info const& info) {
    message.msg_controllen = CMSG_SPACE(sizeof info);
    auto* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

// 0 where the kernel did not say.
unsigned interface_of(msghdr& message) {
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(header), sizeof info);
            return static_cast<unsigned>(info.ipi_ifindex);
        }
        if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(header), sizeof info);
            return info.ipi6_ifindex;
        }
    }
    return 0;
}

int open_changes() {
    int const descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (descriptor < 0) return -1;
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (::bind(descriptor, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0) return descriptor;
    ::close(descriptor);
    return -1;
}

}  // namespace

SystemMulticast::SystemMulticast(asio::any_io_executor executor, Clock& clock, std::vector<Endpoint> listening,
                                 InterfaceBinding binding)
    : executor_(executor),
      clock_(clock),
      listening_(std::move(listening)),
      binding_(std::move(binding)),
      tasks_(executor, "multicast") {}

SystemMulticast::~SystemMulticast() = default;

void SystemMulticast::join(std::span<Endpoint const> groups, Receiver& receiver) {
    receiver_ = &receiver;
    for (auto const& group : groups) {
        try {
            groups_.push_back(std::make_unique<Group>(Group{group, open_socket(executor_, group), {}}));
        } catch (boost::system::system_error const& e) {
            log().debug("multicast not possible group={} error={}", group.text(), e.what());
        }
    }
    look_for_networks();
    for (auto const& group : groups_) tasks_.spawn(receive(*group));
    if (int const descriptor = open_changes(); descriptor >= 0) {
        changes_ = std::make_unique<asio::posix::stream_descriptor>(executor_, descriptor);
        tasks_.spawn(follow_changes());
    }
}

void SystemMulticast::leave() {
    receiver_ = nullptr;
    boost::system::error_code ignored;
    for (auto const& group : groups_) group->socket.close(ignored);
    if (changes_) changes_->close(ignored);
    networks_.clear();
}

asio::awaitable<void> SystemMulticast::stop() {
    leave();
    co_await tasks_.stop();
    groups_.clear();
}

void SystemMulticast::look_for_networks() {
    auto now = local_networks(listening_, binding_);
    if (now == networks_) return;
    networks_ = std::move(now);
    for (auto const& group : groups_) join_interfaces(*group);
}

void SystemMulticast::join_interfaces(Group& group) {
    std::set<unsigned> wanted;
    for (auto const& sender : senders(networks_, group.endpoint.address.is_v6())) wanted.insert(sender.interface);
    for (auto const interface : group.joined)
        if (!wanted.contains(interface)) change_membership(group.socket, group.endpoint, interface, false);
    std::set<unsigned> joined;
    for (auto const interface : wanted)
        if (group.joined.contains(interface) || change_membership(group.socket, group.endpoint, interface, true))
            joined.insert(interface);
    group.joined = std::move(joined);
}

void SystemMulticast::send(Endpoint const& to, std::span<std::byte const> bytes) {
    auto const found =
        std::find_if(groups_.begin(), groups_.end(), [&](auto const& group) { return group->endpoint == to; });
    if (found == groups_.end() || !(*found)->socket.is_open()) return;
    auto destination = to_udp(to);
    for (auto const& from : senders(networks_, to.address.is_v6())) {
        iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
        ControlBuffer control{};
        msghdr message{};
        message.msg_name = destination.data();
        message.msg_namelen = static_cast<socklen_t>(destination.size());
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        if (to.address.is_v6()) {
            in6_pktinfo info{};
            auto const source = without_link_scope(from.address);
            std::memcpy(&info.ipi6_addr, source.bytes().data(), source.bytes().size());
            info.ipi6_ifindex = from.interface;
            say_interface(message, IPPROTO_IPV6, IPV6_PKTINFO, info);
        } else {
            in_pktinfo info{};
            std::memcpy(&info.ipi_spec_dst, from.address.bytes().data(), from.address.bytes().size());
            info.ipi_ifindex = static_cast<int>(from.interface);
            say_interface(message, IPPROTO_IP, IP_PKTINFO, info);
        }
        if (::sendmsg((*found)->socket.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            log().debug("multicast not sent from={} error={}", from.address.text(), std::strerror(errno));
    }
}

asio::awaitable<void> SystemMulticast::receive(Group& group) {
    while (group.socket.is_open()) {
        boost::system::error_code code;
        co_await group.socket.async_wait(asio::socket_base::wait_read, asio::redirect_error(asio::use_awaitable, code));
        if (code || !group.socket.is_open()) co_return;
        receive_one_batch(group);
        // Whoever floods the network fills the socket's buffer and no more of our time than this.
        co_await clock_.sleep(kPauseAfterBatch);
    }
}

void SystemMulticast::receive_one_batch(Group& group) {
    for (int i = 0; i < kBatch && receiver_ != nullptr; ++i) {
        std::array<std::byte, kDatagramBytes> bytes;
        udp::endpoint from;
        iovec part{bytes.data(), bytes.size()};
        ControlBuffer control{};
        msghdr message{};
        message.msg_name = from.data();
        message.msg_namelen = static_cast<socklen_t>(from.capacity());
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        auto const count = ::recvmsg(group.socket.native_handle(), &message, MSG_DONTWAIT);
        if (count < 0) return;
        from.resize(message.msg_namelen);
        auto const sender = from_asio(from);
        auto const interface = interface_of(message);
        if (interface == 0 || !torrent::is_neighbour(networks_, sender.address, interface)) continue;
        receiver_->multicast(sender, std::span(bytes).first(static_cast<std::size_t>(count)));
    }
}

asio::awaitable<void> SystemMulticast::follow_changes() {
    while (changes_->is_open()) {
        boost::system::error_code code;
        co_await changes_->async_wait(asio::posix::descriptor_base::wait_read,
                                      asio::redirect_error(asio::use_awaitable, code));
        if (code) co_return;
        co_await clock_.sleep(kSettle);
        std::array<std::byte, 8192> news;
        while (changes_->is_open() && ::recv(changes_->native_handle(), news.data(), news.size(), MSG_DONTWAIT) > 0)
            continue;
        auto const before = networks_;
        look_for_networks();
        if (networks_ != before && receiver_ != nullptr) receiver_->networks_changed();
    }
}

}  // namespace rqfs::torrent
