#include "torrent/address_network.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace rqfs::torrent {

namespace {

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> first_bytes(Address const& address, std::size_t kept) {
    std::array<std::uint8_t, Bytes> bytes{};
    std::copy_n(address.bytes().begin(), kept, bytes.begin());
    return bytes;
}

Address network(Address const& address, std::size_t bytes_v4, std::size_t bytes_v6) {
    if (address.is_v6()) return Address::v6(first_bytes<16>(address, bytes_v6));
    return Address::v4(first_bytes<4>(address, bytes_v4));
}

}  // namespace

Address household_of(Address const& address) { return network(address, 4, kHouseholdBytesV6); }

Address network_of(Address const& address) { return network(address, 3, 8); }

Address site_of(Address const& address) { return network(address, 3, 6); }

}  // namespace rqfs::torrent
