#include "torrent/link_scope.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kFirst = 2, kBytes = 4;

std::array<std::uint8_t, 16> copy_of(Address const& address) {
    std::array<std::uint8_t, 16> bytes{};
    std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
    return bytes;
}

}  // namespace

bool is_link_local_v6(Address const& address) {
    return address.is_v6() && address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0x80;
}

std::uint32_t link_scope(Address const& address) {
    if (!is_link_local_v6(address)) return 0;
    std::uint32_t scope = 0;
    for (auto const byte : address.bytes().subspan(kFirst, kBytes)) scope = scope << 8 | byte;
    return scope;
}

Address with_link_scope(Address const& address, std::uint32_t interface) {
    if (!is_link_local_v6(address)) return address;
    auto bytes = copy_of(address);
    if (link_scope(address) != 0) return Address::v6({});
    for (std::size_t i = 0; i < kBytes; ++i)
        bytes[kFirst + i] = static_cast<std::uint8_t>(interface >> 8 * (kBytes - 1 - i) & 0xff);
    return Address::v6(bytes);
}

Address without_link_scope(Address const& address) {
    if (!is_link_local_v6(address)) return address;
    auto bytes = copy_of(address);
    std::fill_n(bytes.begin() + kFirst, kBytes, std::uint8_t{0});
    return Address::v6(bytes);
}

}  // namespace rqfs::torrent
