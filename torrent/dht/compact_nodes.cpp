#include "torrent/dht/compact_nodes.h"

namespace rqfs::torrent {

std::vector<NodeContact> parse_compact_nodes(std::span<std::byte const> bytes, bool v6, std::size_t most) {
    std::vector<NodeContact> nodes;
    auto const each = compact_node_bytes(v6);
    for (std::size_t read = 0; read < most && bytes.size() >= each; ++read, bytes = bytes.subspan(each)) {
        auto const address = bytes.subspan(NodeId::kBytes, each - NodeId::kBytes);
        auto const endpoints = v6 ? parse_compact_v6(address) : parse_compact_v4(address);
        auto const& endpoint = endpoints.front();
        if (endpoint.port == 0 || endpoint.address.is_v6() != v6) continue;
        nodes.push_back({NodeId::from_bytes(bytes.first(NodeId::kBytes)).value(), endpoint});
    }
    return nodes;
}

void append_compact_node(NodeContact const& node, std::vector<std::byte>& out) {
    out.insert(out.end(), node.id.bytes().begin(), node.id.bytes().end());
    append_compact(node.endpoint, out);
}

}  // namespace rqfs::torrent
