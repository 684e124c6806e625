#pragma once

#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rqfs::torrent {

// The pieces a peer at this address may ask for while choked: the canonical set of BEP 6, in its order. Empty for IPv6,
// for which BEP 6 defines none. At most `count` and at most all `pieces`.
std::vector<PieceIndex> allowed_fast_set(Address const& peer, InfoHash const& info_hash, std::uint32_t pieces,
                                         std::size_t count);

}  // namespace rqfs::torrent
