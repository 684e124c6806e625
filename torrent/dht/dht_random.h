#pragma once

#include "torrent/dht/node_id.h"
#include "torrent/hash.h"

#include <array>
#include <bit>
#include <cstddef>
#include <span>

namespace rqfs::torrent {

// Chance that nobody can foretell, for the parts of the DHT that take it as an argument.
template <class Number>
Number random_number() {
    std::array<std::byte, sizeof(Number)> bytes{};
    fill_random(bytes);
    return std::bit_cast<Number>(bytes);
}

inline NodeId random_id() {
    std::array<std::byte, NodeId::kBytes> bytes{};
    fill_random(bytes);
    return NodeId(bytes);
}

}  // namespace rqfs::torrent
