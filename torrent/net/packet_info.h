#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <variant>

namespace rqfs::torrent {

// At which of our addresses a datagram came, or from which one leaves, as the kernel puts it beside the datagram
// (IP_PKTINFO of ip(7), IPV6_PKTINFO of ipv6(7)). Where a socket listens at every address it would otherwise answer
// from whichever the route prefers, and who asked at another takes no answer from there. Nothing: the kernel chooses.
using PacketInfo = std::variant<std::monostate, in_pktinfo, in6_pktinfo>;

// Room for either beside one datagram.
struct PacketControl {
    static constexpr std::size_t kBytes = std::max(CMSG_SPACE(sizeof(in_pktinfo)), CMSG_SPACE(sizeof(in6_pktinfo)));
    alignas(cmsghdr) std::array<std::byte, kBytes> bytes{};
};

// From now on the kernel says it of each datagram; where it cannot, nothing changes.
void request_packet_info(int descriptor, bool v6);

// Of a datagram that was received: as the source of an answer. Nothing when it was sent to many.
PacketInfo source_of_answer(msghdr const& received);

// Puts it beside a datagram that is to be sent; `control` must live as long as the message.
void send_from(PacketInfo const& source, msghdr& message, PacketControl& control);

}  // namespace rqfs::torrent
