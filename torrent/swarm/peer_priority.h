#pragma once

#include "torrent/endpoint.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace rqfs::torrent {

// BEP 40: a number for the pair of two peers that both compute alike; of several candidates the highest is dialled
// first, so that nobody can fill a swarm's connections by being fast. It decides nothing of connections that are there:
// PeerTurnover asks what they are good for. Addresses are the external ones. 0 across families.
std::uint32_t peer_priority(Endpoint const& one, Endpoint const& other);

// CRC-32C (Castagnoli, RFC 3720) by table: for the few bytes of an address, not for data.
std::uint32_t crc32c(std::span<std::byte const> bytes);

}  // namespace rqfs::torrent
