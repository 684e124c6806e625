#include "torrent/peer/pex_message.h"

#include "torrent/metainfo/bencode.h"
#include "torrent/peer/settings.h"
#include "torrent/settings.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace rqfs::torrent {

namespace {

struct Keys {
    std::string_view added;
    std::string_view flags;
    std::string_view dropped;
    std::size_t address_bytes;
    std::vector<Endpoint> (*parse)(std::span<std::byte const>);
};

constexpr std::array kFamilies{Keys{"added", "added.f", "dropped", 4, parse_compact_v4},
                               Keys{"added6", "added6.f", "dropped6", 16, parse_compact_v6}};

std::span<std::byte const> bytes_of(bencode::Value const& root, std::string_view key) {
    auto const value = root.find(key);
    auto const bytes = value ? value->bytes() : std::nullopt;
    return bytes.value_or(std::span<std::byte const>());
}

std::vector<Endpoint> endpoints_of(bencode::Value const& root, std::string_view key, Keys const& family) {
    auto const bytes = bytes_of(root, key);
    return family.parse(bytes.first(std::min(bytes.size(), limit::kPexPeersRead * (family.address_bytes + 2))));
}

}  // namespace

Result<PexMessage> PexMessage::parse(std::span<std::byte const> payload) {
    std::size_t used = 0;
    bencode::Limits const limits{limit::kBencodeDepthMessage, limit::kBencodeTokensMessage};
    auto const document = bencode::Document::parse_prefix(payload, limits, used);
    if (!document) return error(document.error().code, "peer exchange message: " + document.error().what);
    auto const root = document->root();
    if (root.type() != bencode::Value::Type::dictionary)
        return error(Errc::malformed, "peer exchange message that is no dictionary");

    PexMessage message;
    std::set<Endpoint> seen;
    for (auto const& family : kFamilies) {
        auto const flags = bytes_of(root, family.flags);
        auto const added = endpoints_of(root, family.added, family);
        for (std::size_t i = 0; i < added.size(); ++i) {
            if (added[i].port == 0 || !seen.insert(added[i]).second) continue;
            message.added.push_back(
                {added[i], i < flags.size() ? std::to_integer<std::uint8_t>(flags[i]) : std::uint8_t{0}});
        }
    }
    for (auto const& family : kFamilies)
        for (auto const& endpoint : endpoints_of(root, family.dropped, family))
            if (endpoint.port != 0 && seen.insert(endpoint).second) message.dropped.push_back(endpoint);
    return message;
}

std::vector<std::byte> PexMessage::encode() const {
    struct Lists {
        std::vector<std::byte> added, flags, dropped;
    };
    std::array<Lists, 2> families;
    for (auto const& peer : added) {
        auto& family = families[peer.endpoint.address.is_v6() ? 1 : 0];
        append_compact(peer.endpoint, family.added);
        family.flags.push_back(std::byte{peer.flags});
    }
    for (auto const& endpoint : dropped) append_compact(endpoint, families[endpoint.address.is_v6() ? 1 : 0].dropped);
    auto const& [v4, v6] = families;

    bencode::Writer writer;
    writer.begin_dictionary();
    writer.key("added").string(v4.added).key("added.f").string(v4.flags);
    writer.key("added6").string(v6.added).key("added6.f").string(v6.flags);
    writer.key("dropped").string(v4.dropped).key("dropped6").string(v6.dropped);
    writer.end();
    return writer.take();
}

}  // namespace rqfs::torrent
