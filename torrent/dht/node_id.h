#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/info_hash.h"

#include <array>
#include <compare>
#include <cstddef>
#include <span>
#include <string>

namespace rqfs::torrent {

// A point in the DHT's space of 160 bits (BEP 5): a node's id, or an info-hash as what is looked for. A plain value;
// pure.
class NodeId {
public:
    static constexpr std::size_t kBytes = 20;
    static constexpr unsigned kBits = 160;

    NodeId() = default;
    explicit NodeId(std::array<std::byte, kBytes> const& bytes) : bytes_(bytes) {}
    explicit NodeId(InfoHash const& info_hash);
    static Result<NodeId> from_bytes(std::span<std::byte const> bytes);  // exactly 20

    std::span<std::byte const, kBytes> bytes() const { return bytes_; }
    InfoHash info_hash() const { return InfoHash(bytes_); }
    std::string hex() const { return info_hash().hex(); }

    friend auto operator<=>(NodeId const&, NodeId const&) = default;

private:
    std::array<std::byte, kBytes> bytes_{};
};

// Whether `one` is nearer to `target` than `other`, by the XOR of the bits.
bool is_closer(NodeId const& target, NodeId const& one, NodeId const& other);

// The distance between them as a share of the whole space: 0 to 1.
double distance_share(NodeId const& one, NodeId const& other);

// How many leading bits are equal: 0 to 160.
unsigned common_bits(NodeId const& one, NodeId const& other);

// An id that shares exactly `bits` leading bits with `own`; the rest is taken from `random`. bits < 160.
NodeId id_at_distance(NodeId const& own, unsigned bits, NodeId const& random);
// An id that shares `bits` leading bits with `own`, or more by chance.
NodeId id_within(NodeId const& own, unsigned bits, NodeId const& random);

// The id a node at this address should have (BEP 42): 21 bits follow from the address, the rest from `random`.
NodeId secure_node_id(Address const& address, NodeId const& random);

// Whether the id follows from the address (BEP 42). Always so for the addresses of local networks, which are exempt.
bool is_secure(NodeId const& id, Address const& address);

}  // namespace rqfs::torrent
