#pragma once

#include "torrent/endpoint.h"
#include "torrent/limits.h"
#include "torrent/swarm/peer_list.h"
#include "torrent/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace rqfs::torrent {

// What tests of a PeerList begin with.
inline TimePoint const kStart(std::chrono::hours(1000));

inline Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

// The number-th of many addresses, each in its own /24.
inline Endpoint far(std::uint32_t number) {
    auto const byte = [number](unsigned shift) { return static_cast<std::uint8_t>(number >> shift); };
    return {Address::v4({20, byte(8), byte(0), 1}), 6881};
}

inline PeerList list(std::size_t entries = limit::kPeerListEntries) {
    return PeerList({entries, limit::kPeersPerNetworkAndSource, 1});
}

}  // namespace rqfs::torrent
