#include "torrent/net/packet_info.h"

#include <cstring>

namespace rqfs::torrent {

namespace {

template <class Info>
void put(int level, int type, Info const& info, msghdr& message, PacketControl& control) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof info);
    auto* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

template <class Info>
Info take(cmsghdr const* header) {
    Info info{};
    std::memcpy(&info, CMSG_DATA(header), sizeof info);
    return info;
}

// The interface stays open, as the socket is tied to one or the route has it.
PacketInfo source_v4(in_pktinfo const& received) {
    in_pktinfo source{};
    source.ipi_spec_dst = received.ipi_spec_dst;  // for a broadcast, too, an address of ours
    return source;
}

PacketInfo source_v6(in6_pktinfo received) {
    if (IN6_IS_ADDR_MULTICAST(&received.ipi6_addr)) return {};
    if (!IN6_IS_ADDR_LINKLOCAL(&received.ipi6_addr)) received.ipi6_ifindex = 0;
    return received;
}

}  // namespace

void request_packet_info(int descriptor, bool v6) {
    int const yes = 1;
    if (v6)
        (void)::setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
    else
        (void)::setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
}

PacketInfo source_of_answer(msghdr const& received) {
    auto message = received;  // the macros want it mutable
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO)
            return source_v4(take<in_pktinfo>(header));
        if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO)
            return source_v6(take<in6_pktinfo>(header));
    }
    return {};
}

void send_from(PacketInfo const& source, msghdr& message, PacketControl& control) {
    if (auto const* const v4 = std::get_if<in_pktinfo>(&source)) put(IPPROTO_IP, IP_PKTINFO, *v4, message, control);
    if (auto const* const v6 = std::get_if<in6_pktinfo>(&source))
        put(IPPROTO_IPV6, IPV6_PKTINFO, *v6, message, control);
}

}  // namespace rqfs::torrent
