#include "torrent/peer/extension.h"

#include "torrent/link_scope.h"
#include "torrent/metainfo/bencode.h"
#include "torrent/settings.h"

#include <algorithm>
#include <string_view>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kClientBytes = 64;  // of v that are kept; real names have up to 30

// Nothing unless the key holds an integer of [least, most].
std::optional<std::int64_t> integer(bencode::Value const& dictionary, std::string_view key, std::int64_t least,
                                    std::int64_t most) {
    auto const value = dictionary.find(key);
    if (!value) return std::nullopt;
    auto const number = value->integer();
    if (!number || *number < least || *number > most) return std::nullopt;
    return number;
}

std::optional<Address> address(bencode::Value const& dictionary, std::string_view key) {
    auto const value = dictionary.find(key);
    auto const bytes = value ? value->bytes() : std::nullopt;
    auto const parsed = bytes ? Address::from_bytes(*bytes) : Result<Address>(error(Errc::malformed, ""));
    return parsed ? std::optional(*parsed) : std::nullopt;
}

void read_id(bencode::Value const& m, std::string_view name, std::uint8_t& id, bool& named) {
    if (auto const number = integer(m, name, 0, 255)) {
        id = static_cast<std::uint8_t>(*number);
        named = true;
    }
}

void merge_id(std::uint8_t& id, bool& named, std::uint8_t newer, bool newly_named) {
    if (!newly_named) return;
    id = newer;
    named = true;
}

std::string readable(std::string_view text) {
    std::string out(text.substr(0, kClientBytes));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '.');
    return out;
}

void read_numbers(bencode::Value const& root, ExtensionHandshake& out) {
    if (auto const port = integer(root, "p", 1, 65535)) out.port = static_cast<std::uint16_t>(*port);
    if (auto const reqq = integer(root, "reqq", 1, std::int64_t{1} << 31)) out.reqq = static_cast<std::uint32_t>(*reqq);
    if (auto const e = integer(root, "e", 0, 255)) out.prefers_encryption = *e != 0;
    if (auto const only = integer(root, "upload_only", 0, 255)) out.upload_only = *only != 0;
    if (auto const size = integer(root, "metadata_size", 1, std::int64_t{limit::kMetadataBytes}))
        out.metadata_size = static_cast<std::uint32_t>(*size);
}

}  // namespace

Result<ExtensionHandshake> ExtensionHandshake::parse(std::span<std::byte const> payload) {
    std::size_t used = 0;
    bencode::Limits const limits{limit::kBencodeDepthMessage, limit::kBencodeTokensMessage};
    auto const document = bencode::Document::parse_prefix(payload, limits, used);
    if (!document) return error(document.error().code, "extension handshake: " + document.error().what);
    auto const root = document->root();
    if (root.type() != bencode::Value::Type::dictionary)
        return error(Errc::malformed, "extension handshake that is no dictionary");

    ExtensionHandshake out;
    if (auto const m = root.find("m")) {
        read_id(*m, "ut_metadata", out.ut_metadata, out.ut_metadata_named);
        read_id(*m, "lt_donthave", out.lt_donthave, out.lt_donthave_named);
        read_id(*m, "ut_pex", out.ut_pex, out.ut_pex_named);
        read_id(*m, "ut_holepunch", out.ut_holepunch, out.ut_holepunch_named);
    }
    if (auto const v = root.find("v"))
        if (auto const text = v->text()) out.client = readable(*text);
    out.your_address = address(root, "yourip");
    out.ipv4 = address(root, "ipv4");
    out.ipv6 = address(root, "ipv6");
    if (out.ipv4 && out.ipv4->is_v6()) out.ipv4.reset();
    if (out.ipv6 && !out.ipv6->is_v6()) out.ipv6.reset();
    read_numbers(root, out);
    return out;
}

std::vector<std::byte> ExtensionHandshake::encode() const {
    bencode::Writer writer;
    writer.begin_dictionary();
    if (prefers_encryption) writer.key("e").integer(*prefers_encryption ? 1 : 0);
    if (ipv4) writer.key("ipv4").string(std::as_bytes(ipv4->bytes()));
    if (ipv6) writer.key("ipv6").string(std::as_bytes(ipv6->bytes()));
    writer.key("m").begin_dictionary();
    if (lt_donthave != 0 || lt_donthave_named) writer.key("lt_donthave").integer(lt_donthave);
    if (ut_holepunch != 0 || ut_holepunch_named) writer.key("ut_holepunch").integer(ut_holepunch);
    if (ut_metadata != 0 || ut_metadata_named) writer.key("ut_metadata").integer(ut_metadata);
    if (ut_pex != 0 || ut_pex_named) writer.key("ut_pex").integer(ut_pex);
    writer.end();
    if (metadata_size) writer.key("metadata_size").integer(*metadata_size);
    if (port) writer.key("p").integer(*port);
    if (reqq) writer.key("reqq").integer(*reqq);
    if (upload_only) writer.key("upload_only").integer(*upload_only ? 1 : 0);
    if (!client.empty()) writer.key("v").string(std::string_view(client));
    if (your_address) writer.key("yourip").string(std::as_bytes(without_link_scope(*your_address).bytes()));
    writer.end();
    return writer.take();
}

void ExtensionHandshake::merge(ExtensionHandshake const& newer) {
    merge_id(ut_metadata, ut_metadata_named, newer.ut_metadata, newer.ut_metadata_named);
    merge_id(lt_donthave, lt_donthave_named, newer.lt_donthave, newer.lt_donthave_named);
    merge_id(ut_pex, ut_pex_named, newer.ut_pex, newer.ut_pex_named);
    merge_id(ut_holepunch, ut_holepunch_named, newer.ut_holepunch, newer.ut_holepunch_named);
    if (!newer.client.empty()) client = newer.client;
    if (newer.port) port = newer.port;
    if (newer.reqq) reqq = newer.reqq;
    if (newer.your_address) your_address = newer.your_address;
    if (newer.ipv4) ipv4 = newer.ipv4;
    if (newer.ipv6) ipv6 = newer.ipv6;
    if (newer.prefers_encryption) prefers_encryption = newer.prefers_encryption;
    if (newer.upload_only) upload_only = newer.upload_only;
    if (newer.metadata_size) metadata_size = newer.metadata_size;
}

}  // namespace rqfs::torrent
