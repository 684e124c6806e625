#pragma once

#include <array>

namespace rqfs::torrent {

// One of each address family, IPv4 first, indexed by Address::is_v6(): over each of them we are somebody else to the
// world, and each works or fails alone (BEP 7).
template <class T>
using PerFamily = std::array<T, 2>;

}  // namespace rqfs::torrent
