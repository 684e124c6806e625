#pragma once

#include "torrent/dht/compact_nodes.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace rqfs::tests {

inline std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// "abcdefghij0123456789" and the like, as the BEPs write ids.
inline torrent::NodeId id_of(std::string_view text) { return torrent::NodeId::from_bytes(bytes_of(text)).value(); }

inline torrent::NodeId random_id(std::mt19937& random) {
    std::array<std::byte, 20> bytes{};
    for (auto& each : bytes) each = static_cast<std::byte>(random() & 0xff);
    return torrent::NodeId(bytes);
}

inline torrent::Endpoint endpoint(std::string_view text) { return torrent::Endpoint::parse(text).value(); }

// A node at an address of the internet whose id follows from it.
inline torrent::NodeContact secure_node(std::string_view at, std::mt19937& random) {
    auto const where = endpoint(at);
    return {torrent::secure_node_id(where.address, random_id(random)), where};
}

// 20.x.y.7:6881, each in a network of its own.
inline torrent::Endpoint nth_endpoint(std::uint32_t n) {
    return {torrent::Address::v4({static_cast<std::uint8_t>(20 + (n >> 16)), static_cast<std::uint8_t>(n >> 8),
                                  static_cast<std::uint8_t>(n), 7}),
            6881};
}

}  // namespace rqfs::tests
