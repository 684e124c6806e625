#pragma once

#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"

#include <compare>
#include <cstddef>
#include <span>
#include <vector>

namespace rqfs::torrent {

// A node as others tell of it: who it says it is and where it is.
struct NodeContact {
    NodeId id;
    Endpoint endpoint;

    friend auto operator<=>(NodeContact const&, NodeContact const&) = default;
};

// Lists of nodes in messages: 26 bytes a node for IPv4 (BEP 5), 38 for IPv6 (BEP 32). At most `most` are read, an
// incomplete tail is ignored, and so are nodes whose port is 0 and IPv4 addresses in IPv6's clothes.
std::vector<NodeContact> parse_compact_nodes(std::span<std::byte const> bytes, bool v6, std::size_t most);
void append_compact_node(NodeContact const& node, std::vector<std::byte>& out);

constexpr std::size_t compact_node_bytes(bool v6) { return NodeId::kBytes + (v6 ? 18 : 6); }

}  // namespace rqfs::torrent
