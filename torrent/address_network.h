#pragma once

#include "torrent/endpoint.h"

#include <cstddef>

namespace rqfs::torrent {

// The address with all but its first bits zero: who has one address of such a network may have many or all of them, so
// that its addresses count as one. Three sizes, by what is counted. Pure.

// Whose address it is: of IPv4 an address stands for itself, of IPv6 a /64 is one, which every line has at least. Who
// has one address of it has them all.
Address household_of(Address const& address);

// What one who rents servers easily has: a /24, of IPv6 a /64.
Address network_of(Address const& address);

// What an organisation easily has: a /24, of IPv6 the /48 that a site gets (RFC 6177).
Address site_of(Address const& address);

inline constexpr std::size_t kHouseholdBytesV6 = 8;  // that all its addresses share

}  // namespace rqfs::torrent
