#include "torrent/swarm/peer_priority.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr std::uint32_t kCastagnoli = 0x82f63b78;  // bits reversed
constexpr std::byte kMask{0x55};

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        auto value = i;
        for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ kCastagnoli : value >> 1;
        table[i] = value;
    }
    return table;
}

constexpr auto kTable = make_table();

using Bytes = std::vector<std::byte>;

Bytes address_bytes(Address const& address) {
    Bytes bytes;
    for (auto const value : address.bytes()) bytes.push_back(std::byte{value});
    return bytes;
}

Bytes port_bytes(std::uint16_t port) {
    return {static_cast<std::byte>(port >> 8), static_cast<std::byte>(port & 0xff)};
}

// Both keep the bytes they have in common and one more, at least /16 (IPv6: /48); of the rest every other bit.
void mask(Bytes& one, Bytes& other) {
    auto const differ = std::mismatch(one.begin(), one.end(), other.begin()).first;
    auto const common = static_cast<std::size_t>(std::distance(one.begin(), differ));
    auto const least = one.size() == 4 ? std::size_t{2} : std::size_t{6};
    for (auto i = std::max(least, common + 1); i < one.size(); ++i) {
        one[i] &= kMask;
        other[i] &= kMask;
    }
}

}  // namespace

std::uint32_t crc32c(std::span<std::byte const> bytes) {
    auto value = ~std::uint32_t{0};
    for (auto const byte : bytes) value = (value >> 8) ^ kTable[(value ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
    return ~value;
}

std::uint32_t peer_priority(Endpoint const& one, Endpoint const& other) {
    if (one.address.is_v6() != other.address.is_v6()) return 0;
    auto first = address_bytes(one.address);
    auto second = address_bytes(other.address);
    if (first == second) {
        first = port_bytes(one.port);
        second = port_bytes(other.port);
    } else {
        mask(first, second);
    }
    if (second < first) std::swap(first, second);
    first.insert(first.end(), second.begin(), second.end());
    return crc32c(first);
}

}  // namespace rqfs::torrent
