#include "tests/fuzz/require.h"
#include "torrent/peer/handshake.h"
#include "torrent/peer/message.h"
#include "torrent/settings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

using namespace rqfs::torrent;
using rqfs::tests::require;

namespace {

std::vector<std::byte> written_again(Message const& m) {
    std::vector<std::byte> out;
    PieceIndex const piece(m.piece);
    switch (m.id) {
        case MessageId::have:
        case MessageId::suggest:
        case MessageId::allowed_fast: append_message(out, m.id, piece); break;
        case MessageId::request:
        case MessageId::cancel:
        case MessageId::reject: append_message(out, m.id, piece, m.begin, m.length); break;
        case MessageId::bitfield: append_bitfield(out, m.bytes); break;
        case MessageId::extended: append_extended(out, m.extended_id, m.bytes); break;
        case MessageId::piece: {
            auto const header = piece_header(piece, m.begin, m.length);
            out.assign(header.begin(), header.end());
            out.insert(out.end(), m.bytes.begin(), m.bytes.end());
            break;
        }
        case MessageId::port: break;
        default: append_message(out, m.id);
    }
    return out;
}

void try_handshake(std::span<std::byte const> bytes) {
    if (bytes.size() < Handshake::kBytes) return;
    auto const parsed = Handshake::parse(bytes.first<Handshake::kBytes>());
    if (!parsed) return;
    auto const again = Handshake::parse(parsed->encode());
    require(again && again->info_hash == parsed->info_hash && again->peer_id == parsed->peer_id,
            "what we write we read");
}

}  // namespace

// A message with its length prefix.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const bytes = std::as_bytes(std::span(data, size));
    try_handshake(bytes);
    if (size <= kLengthPrefixBytes) return 0;
    auto const length = read_be32(bytes);
    auto const id = std::to_integer<std::uint8_t>(bytes[kLengthPrefixBytes]);
    if (length == 0) return 0;
    for (std::optional<std::uint32_t> const pieces :
         {std::optional<std::uint32_t>(), std::optional<std::uint32_t>(100)})
        if (auto const fits = check_length(length, id, pieces); fits)
            require(length <= limit::kMessageBytes, "no message is longer than the limit");
    auto const body = bytes.subspan(kLengthPrefixBytes);
    if (!known(id)) return 0;
    auto const message = parse_message(body);
    if (!message) {
        require(!message.error().what.empty(), "a refusal says why");
        return 0;
    }
    auto const again = written_again(*message);
    if (message->id != MessageId::port)
        require(std::ranges::equal(std::span(again).subspan(kLengthPrefixBytes), body), "what we read we write");
    return 0;
}
