#pragma once

#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace rqfs::tests {

// A fuzzer's bytes, one after another; zeros when there are no more.
class FuzzInput {
public:
    explicit FuzzInput(std::span<std::uint8_t const> bytes) : bytes_(bytes) {}

    bool empty() const { return bytes_.empty(); }
    std::uint8_t next();
    std::string take(std::size_t most);

private:
    std::span<std::uint8_t const> bytes_;
};

// The internet around a fuzzed DHT node, small enough that a byte names each place and things meet again.

// The two highest bits say of what kind: a network of its own, all in one network, IPv6, or odd: what nobody may ask
// nor keep, for most of them.
torrent::Endpoint place(std::uint8_t number);
// One of many more, each in an IPv4 network of its own.
torrent::Endpoint crowd_place(std::uint32_t number);
// Whom the user keeps away from; one of the odd places.
torrent::Address refused_address();
// As everybody sees us.
torrent::Address own_address(bool v6);
// One of eight.
torrent::InfoHash torrent_hash(std::uint8_t number);

// The id that follows from the address, for three of four; else one near a torrent.
torrent::NodeId node_id_at(torrent::Endpoint const& at, std::uint8_t kind);
torrent::NodeId any_id(std::minstd_rand& random);

}  // namespace rqfs::tests
