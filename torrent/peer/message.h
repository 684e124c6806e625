#pragma once

#include "torrent/error.h"
#include "torrent/units.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// The messages of BEP 3, 5, 6 and 10 by their numbers on the wire.
enum class MessageId : std::uint8_t {
    choke = 0,
    unchoke = 1,
    interested = 2,
    not_interested = 3,
    have = 4,
    bitfield = 5,
    request = 6,
    piece = 7,
    cancel = 8,
    port = 9,        // BEP 5
    suggest = 0x0d,  // BEP 6 from here to allowed_fast
    have_all = 0x0e,
    have_none = 0x0f,
    reject = 0x10,
    allowed_fast = 0x11,
    extended = 20,  // BEP 10
};

std::string_view name(MessageId id);  // "choke", "not interested", ...
bool known(std::uint8_t id);
bool of_fast_extension(MessageId id);

// One message as it stands in the receive buffer: numbers as they came, unchecked against any torrent; bytes are a
// view.
struct Message {
    MessageId id = MessageId::choke;
    std::uint32_t piece = 0;             // have, request, piece, cancel, suggest, reject, allowed fast
    std::uint32_t begin = 0;             // request, piece, cancel, reject
    std::uint32_t length = 0;            // request, cancel, reject; of a piece its bytes.size()
    std::uint16_t port = 0;              // port
    std::uint8_t extended_id = 0;        // extended: the receiver's id of it, 0 is the handshake
    std::span<std::byte const> bytes{};  // bitfield; block of a piece; payload of extended
};

inline constexpr std::size_t kLengthPrefixBytes = 4;
inline constexpr std::size_t kPieceHeaderBytes = 13;                  // length, id, piece, begin
inline constexpr std::uint32_t kExtensionHandshakeBytes = 64u << 10;  // real ones have some hundred bytes
inline constexpr std::uint32_t kMetadataMessageBytes = 17u << 10;     // LT: 16 KiB and its dictionary

// Whether a message may have this length (which counts the id): asked as soon as the id is there, before the body is.
// `pieces` of the torrent when they are known. Unknown ids pass up to limit::kMessageBytes.
Result<void> check_length(std::uint32_t length, std::uint8_t id, std::optional<std::uint32_t> pieces);
// The same for what only the byte behind the id of an extended message tells.
Result<void> check_extended_length(std::uint32_t length, std::uint8_t extended_id);

// `body` is a whole message of a known id without its length prefix.
Result<Message> parse_message(std::span<std::byte const> body);

std::uint32_t read_be32(std::span<std::byte const> bytes);  // at least 4 bytes

// Writers append a whole message, its length prefix included.
void append_keep_alive(std::vector<std::byte>& out);
void append_message(std::vector<std::byte>& out, MessageId id);                    // without arguments
void append_message(std::vector<std::byte>& out, MessageId id, PieceIndex piece);  // have, suggest, allowed fast
void append_message(std::vector<std::byte>& out, MessageId id, PieceIndex piece, std::uint32_t begin,
                    std::uint32_t length);  // request, cancel, reject
void append_port(std::vector<std::byte>& out, std::uint16_t port);
void append_bitfield(std::vector<std::byte>& out, std::span<std::byte const> bytes);
void append_extended(std::vector<std::byte>& out, std::uint8_t extended_id, std::span<std::byte const> payload);
void append_be32(std::vector<std::byte>& out, std::uint32_t value);
// What stands before the block of a piece message; the block itself is never copied.
std::array<std::byte, kPieceHeaderBytes> piece_header(PieceIndex piece, std::uint32_t begin, std::uint32_t length);

}  // namespace rqfs::torrent
