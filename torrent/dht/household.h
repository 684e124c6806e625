#pragma once

#include "torrent/endpoint.h"

#include <cstddef>

namespace rqfs::torrent {

// Whose address it is: an IPv4 address stands for itself, of IPv6 a /64 is one, which every line has at least. Who has
// one address of it has them all.
Address household_of(Address const& address);

inline constexpr std::size_t kHouseholdBytesV6 = 8;  // that all its addresses share

}  // namespace rqfs::torrent
