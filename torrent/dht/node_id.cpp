#include "torrent/dht/node_id.h"

#include <boost/crc.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>

namespace rqfs::torrent {

namespace {

using Crc32c = boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true>;

// BEP 42: the bits of an address that an id depends on; of IPv6 the network's half.
constexpr std::array<std::uint8_t, 4> kMask4{0x03, 0x0f, 0x3f, 0xff};
constexpr std::array<std::uint8_t, 8> kMask6{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};

// The CRC whose first 21 bits begin the id; `random` is the id's last byte.
std::uint32_t prefix_of(Address const& address, std::byte random) {
    auto const bytes = address.bytes();
    std::span<std::uint8_t const> const mask = address.is_v6() ? std::span<std::uint8_t const>(kMask6) : kMask4;
    std::array<std::uint8_t, 8> masked{};
    for (std::size_t i = 0; i < mask.size(); ++i) masked[i] = bytes[i] & mask[i];
    masked[0] = static_cast<std::uint8_t>(masked[0] | (std::to_integer<unsigned>(random) & 7) << 5);
    Crc32c crc;
    crc.process_bytes(masked.data(), mask.size());
    return static_cast<std::uint32_t>(crc.checksum());
}

// The local networks that BEP 42 exempts, and their counterparts of IPv6.
bool is_local(Address const& address) {
    auto const bytes = address.bytes();
    if (!address.is_v6())
        return bytes[0] == 10 || bytes[0] == 127 || (bytes[0] == 172 && (bytes[1] & 0xf0) == 16) ||
               (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 169 && bytes[1] == 254);
    bool const loopback = bytes[15] == 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; });
    return loopback || (bytes[0] & 0xfe) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

}  // namespace

NodeId::NodeId(InfoHash const& info_hash) {
    std::copy(info_hash.bytes().begin(), info_hash.bytes().end(), bytes_.begin());
}

Result<NodeId> NodeId::from_bytes(std::span<std::byte const> bytes) {
    if (bytes.size() != kBytes) return error(Errc::malformed, "a node id has 20 bytes");
    NodeId id;
    std::copy(bytes.begin(), bytes.end(), id.bytes_.begin());
    return id;
}

bool is_closer(NodeId const& target, NodeId const& one, NodeId const& other) {
    for (std::size_t i = 0; i < NodeId::kBytes; ++i) {
        auto const a = one.bytes()[i] ^ target.bytes()[i];
        auto const b = other.bytes()[i] ^ target.bytes()[i];
        if (a != b) return a < b;
    }
    return false;
}

double distance_share(NodeId const& one, NodeId const& other) {
    double share = 0;
    for (std::size_t i = NodeId::kBytes; i-- > 0;)
        share = (share + std::to_integer<int>(one.bytes()[i] ^ other.bytes()[i])) / 256;
    return share;
}

unsigned common_bits(NodeId const& one, NodeId const& other) {
    for (std::size_t i = 0; i < NodeId::kBytes; ++i) {
        auto const differ = std::to_integer<std::uint8_t>(one.bytes()[i] ^ other.bytes()[i]);
        if (differ != 0) return static_cast<unsigned>(i * 8) + static_cast<unsigned>(std::countl_zero(differ));
    }
    return NodeId::kBits;
}

NodeId id_within(NodeId const& own, unsigned bits, NodeId const& random) {
    std::array<std::byte, NodeId::kBytes> bytes{};
    for (unsigned i = 0; i < NodeId::kBits; ++i)
        bytes[i / 8] |= (i < bits ? own : random).bytes()[i / 8] & std::byte{0x80} >> (i % 8);
    return NodeId(bytes);
}

NodeId id_at_distance(NodeId const& own, unsigned bits, NodeId const& random) {
    assert(bits < NodeId::kBits);
    std::array<std::byte, NodeId::kBytes> other{};
    std::copy(own.bytes().begin(), own.bytes().end(), other.begin());
    other[bits / 8] ^= std::byte{0x80} >> (bits % 8);
    return id_within(NodeId(other), bits + 1, random);
}

NodeId secure_node_id(Address const& address, NodeId const& random) {
    std::array<std::byte, NodeId::kBytes> bytes{};
    std::copy(random.bytes().begin(), random.bytes().end(), bytes.begin());
    auto const prefix = prefix_of(address, bytes[19]);
    bytes[0] = static_cast<std::byte>(prefix >> 24);
    bytes[1] = static_cast<std::byte>(prefix >> 16 & 0xff);
    bytes[2] = static_cast<std::byte>(prefix >> 8 & 0xf8) | (bytes[2] & std::byte{7});
    return NodeId(bytes);
}

bool is_secure(NodeId const& id, Address const& address) {
    if (is_local(address)) return true;
    auto const bytes = id.bytes();
    auto const prefix = prefix_of(address, bytes[19]);
    auto const found = std::to_integer<std::uint32_t>(bytes[0]) << 24 | std::to_integer<std::uint32_t>(bytes[1]) << 16 |
                       std::to_integer<std::uint32_t>(bytes[2]) << 8;
    return ((found ^ prefix) & 0xfffff800u) == 0;
}

}  // namespace rqfs::torrent
