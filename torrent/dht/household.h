#pragma once

#include "torrent/endpoint.h"

namespace rqfs::torrent {

// Whose address it is: an IPv4 address stands for itself, of IPv6 a /64 is one, which every line has at least. Who has
// one address of it has them all.
Address household_of(Address const& address);

}  // namespace rqfs::torrent
