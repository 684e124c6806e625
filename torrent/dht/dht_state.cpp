#include "torrent/dht/dht_state.h"

#include "torrent/endpoint.h"
#include "torrent/metainfo/bencode.h"
#include "torrent/per_family.h"
#include "torrent/settings.h"

#include <set>
#include <string_view>

namespace rqfs::torrent {

namespace {

constexpr std::int64_t kVersion = 1;

std::optional<NodeId> read_id(bencode::Value const& root, std::string_view key) {
    auto const found = root.find(key);
    auto const bytes = found ? found->bytes() : std::nullopt;
    if (!bytes || bytes->size() != NodeId::kBytes) return std::nullopt;
    return NodeId::from_bytes(*bytes).value();
}

void read_nodes(bencode::Value const& root, std::string_view key, bool v6, std::vector<NodeContact>& nodes) {
    auto const found = root.find(key);
    auto const bytes = found ? found->bytes() : std::nullopt;
    if (!bytes) return;
    auto const read = parse_compact_nodes(*bytes, v6, limit::kDhtSavedNodes);
    nodes.insert(nodes.end(), read.begin(), read.end());
}

}  // namespace

std::vector<std::byte> DhtState::encode() const {
    std::vector<std::byte> v4;
    std::vector<std::byte> v6;
    for (auto const& node : nodes) append_compact_node(node, node.endpoint.address.is_v6() ? v6 : v4);
    bencode::Writer out;
    out.begin_dictionary();
    if (id4) out.key("id4").string(id4->bytes());
    if (id6) out.key("id6").string(id6->bytes());
    out.key("nodes").string(v4).key("nodes6").string(v6).key("version").integer(kVersion).end();
    return out.take();
}

void DhtState::add_missing(DhtState const& earlier) {
    if (!id4) id4 = earlier.id4;
    if (!id6) id6 = earlier.id6;
    std::set<Endpoint> known;
    PerFamily<std::size_t> count{};
    for (auto const& node : nodes) {
        known.insert(node.endpoint);
        ++count[node.endpoint.address.is_v6()];
    }
    for (auto const& node : earlier.nodes) {
        auto& of_family = count[node.endpoint.address.is_v6()];
        if (of_family >= limit::kDhtSavedNodes || !known.insert(node.endpoint).second) continue;
        nodes.push_back(node);
        ++of_family;
    }
}

DhtState DhtState::parse(std::span<std::byte const> bytes) {
    DhtState state;
    auto const document =
        bencode::Document::parse(bytes, bencode::Limits{limit::kBencodeDepthMessage, limit::kBencodeTokensDht});
    if (!document) return state;
    auto const root = document->root();
    auto const version = root.find("version");
    if (!version || version->integer() != kVersion) return state;
    state.id4 = read_id(root, "id4");
    state.id6 = read_id(root, "id6");
    read_nodes(root, "nodes", false, state.nodes);
    read_nodes(root, "nodes6", true, state.nodes);
    return state;
}

}  // namespace rqfs::torrent
