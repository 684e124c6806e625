#include "torrent/peer/metadata_message.h"

#include "torrent/metainfo/bencode.h"
#include "torrent/settings.h"
#include "torrent/units.h"

#include <limits>
#include <optional>
#include <string_view>

namespace rqfs::torrent {

namespace {

std::optional<std::int64_t> integer(bencode::Value const& dictionary, std::string_view key) {
    auto const value = dictionary.find(key);
    return value ? value->integer() : std::nullopt;
}

Result<void> read_data(bencode::Value const& head, std::span<std::byte const> behind, MetadataMessage& message) {
    auto const total = integer(head, "total_size");
    if (!total || *total < 1 || *total > std::int64_t{limit::kMetadataBytes})
        return error(Errc::malformed, "metadata message without a usable total_size");
    if (behind.empty() || behind.size() > kBlockBytes)
        return error(Errc::malformed, "metadata message with a part of " + std::to_string(behind.size()) + " bytes");
    message.total_bytes = static_cast<std::uint32_t>(*total);
    message.bytes = behind;
    return {};
}

}  // namespace

Result<MetadataMessage> MetadataMessage::parse(std::span<std::byte const> payload) {
    std::size_t used = 0;
    bencode::Limits const limits{limit::kBencodeDepthMessage, limit::kBencodeTokensMessage};
    auto const document = bencode::Document::parse_prefix(payload, limits, used);
    if (!document) return error(document.error().code, "metadata message: " + document.error().what);
    auto const head = document->root();
    auto const type = integer(head, "msg_type");
    auto const piece = integer(head, "piece");
    if (!type) return error(Errc::malformed, "metadata message without msg_type");
    if (*type < 0 || *type > 2) return error(Errc::unsupported, "metadata message of an unknown type");
    if (!piece || *piece < 0 || *piece > std::int64_t{std::numeric_limits<std::uint32_t>::max()})
        return error(Errc::malformed, "metadata message without a usable piece number");

    MetadataMessage message;
    message.type = static_cast<Type>(*type);
    message.piece = static_cast<std::uint32_t>(*piece);
    if (message.type == Type::data)
        if (auto const read = read_data(head, payload.subspan(used), message); !read) return read.error();
    return message;
}

std::vector<std::byte> MetadataMessage::encode() const {
    bencode::Writer writer;
    writer.begin_dictionary().key("msg_type").integer(static_cast<std::int64_t>(type)).key("piece").integer(piece);
    if (type == Type::data) writer.key("total_size").integer(total_bytes);
    writer.end();
    auto out = writer.take();
    if (type == Type::data) out.insert(out.end(), bytes.begin(), bytes.end());
    return out;
}

}  // namespace rqfs::torrent
