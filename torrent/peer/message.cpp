#include "torrent/peer/message.h"

#include "torrent/settings.h"

#include <algorithm>
#include <cassert>
#include <string>

namespace rqfs::torrent {

namespace {

constexpr std::uint32_t kNoArguments = 1;
constexpr std::uint32_t kPort = 3;
constexpr std::uint32_t kOnePiece = 5;
constexpr std::uint32_t kPieceBeginLength = 13;
constexpr std::uint32_t kPieceWithoutBlock = 9;

// The only length a message of this id may have; 0 where it varies.
std::uint32_t exact_length(MessageId id) {
    switch (id) {
        case MessageId::choke:
        case MessageId::unchoke:
        case MessageId::interested:
        case MessageId::not_interested:
        case MessageId::have_all:
        case MessageId::have_none: return kNoArguments;
        case MessageId::have:
        case MessageId::suggest:
        case MessageId::allowed_fast: return kOnePiece;
        case MessageId::request:
        case MessageId::cancel:
        case MessageId::reject: return kPieceBeginLength;
        case MessageId::port: return kPort;
        case MessageId::bitfield:
        case MessageId::piece:
        case MessageId::extended: return 0;
    }
    return 0;
}

Error wrong_length(MessageId id, std::uint32_t length, std::string const& expected) {
    return error(Errc::malformed,
                 std::string(name(id)) + " message of " + std::to_string(length) + " bytes, not " + expected);
}

std::uint32_t bitfield_bytes(std::uint32_t pieces) { return pieces / 8 + (pieces % 8 != 0 ? 1 : 0); }

Result<void> check_varying(std::uint32_t length, MessageId id, std::optional<std::uint32_t> pieces) {
    if (id == MessageId::bitfield) {
        if (pieces && length != 1 + bitfield_bytes(*pieces))
            return wrong_length(id, length, std::to_string(1 + bitfield_bytes(*pieces)));
        if (length < 2 || length > 1 + bitfield_bytes(limit::kPieces))
            return wrong_length(id, length, "that of any torrent");
    } else if (id == MessageId::piece) {
        if (length <= kPieceWithoutBlock || length > kPieceWithoutBlock + kBlockBytes)
            return wrong_length(id, length, "9 and a block of at most 16 KiB");
    } else if (length < 2) {
        return wrong_length(id, length, "at least 2");
    }
    return {};
}

void put_be32(std::byte* to, std::uint32_t value) {
    to[0] = static_cast<std::byte>(value >> 24);
    to[1] = static_cast<std::byte>((value >> 16) & 0xff);
    to[2] = static_cast<std::byte>((value >> 8) & 0xff);
    to[3] = static_cast<std::byte>(value & 0xff);
}

template <std::size_t N>
void append(std::vector<std::byte>& out, std::array<std::byte, N> const& bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

std::string_view name(MessageId id) {
    switch (id) {
        case MessageId::choke: return "choke";
        case MessageId::unchoke: return "unchoke";
        case MessageId::interested: return "interested";
        case MessageId::not_interested: return "not interested";
        case MessageId::have: return "have";
        case MessageId::bitfield: return "bitfield";
        case MessageId::request: return "request";
        case MessageId::piece: return "piece";
        case MessageId::cancel: return "cancel";
        case MessageId::port: return "port";
        case MessageId::suggest: return "suggest piece";
        case MessageId::have_all: return "have all";
        case MessageId::have_none: return "have none";
        case MessageId::reject: return "reject request";
        case MessageId::allowed_fast: return "allowed fast";
        case MessageId::extended: return "extended";
    }
    return "unknown";
}

bool known(std::uint8_t id) {
    return id <= static_cast<std::uint8_t>(MessageId::port) ||
           (id >= static_cast<std::uint8_t>(MessageId::suggest) &&
            id <= static_cast<std::uint8_t>(MessageId::allowed_fast)) ||
           id == static_cast<std::uint8_t>(MessageId::extended);
}

bool of_fast_extension(MessageId id) { return id >= MessageId::suggest && id <= MessageId::allowed_fast; }

Result<void> check_length(std::uint32_t length, std::uint8_t id, std::optional<std::uint32_t> pieces) {
    assert(length > 0);
    if (length > limit::kMessageBytes)
        return error(Errc::too_large,
                     "message " + std::to_string(id) + " of " + std::to_string(length) + " bytes is over the limit");
    if (!known(id)) return {};
    auto const message_id = static_cast<MessageId>(id);
    auto const exact = exact_length(message_id);
    if (exact == 0) return check_varying(length, message_id, pieces);
    if (length != exact) return wrong_length(message_id, length, std::to_string(exact));
    return {};
}

Result<void> check_extended_length(std::uint32_t length, std::uint8_t extended_id) {
    auto const most = extended_id == 0 ? kExtensionHandshakeBytes : kMetadataMessageBytes;
    if (length > 2 + most)
        return error(Errc::too_large, (extended_id == 0 ? "extension handshake of " : "extension message of ") +
                                          std::to_string(length) + " bytes is over the limit");
    return {};
}

Result<Message> parse_message(std::span<std::byte const> body) {
    assert(!body.empty() && known(std::to_integer<std::uint8_t>(body[0])));
    Message message;
    message.id = static_cast<MessageId>(body[0]);
    auto const exact = exact_length(message.id);
    if (exact != 0 && body.size() != exact)
        return wrong_length(message.id, static_cast<std::uint32_t>(body.size()), std::to_string(exact));
    switch (message.id) {
        case MessageId::bitfield: message.bytes = body.subspan(1); break;
        case MessageId::extended:
            if (body.size() < 2) return wrong_length(message.id, 1, "at least 2");
            message.extended_id = std::to_integer<std::uint8_t>(body[1]);
            message.bytes = body.subspan(2);
            break;
        case MessageId::piece:
            if (body.size() <= kPieceWithoutBlock)
                return wrong_length(message.id, static_cast<std::uint32_t>(body.size()),
                                    "9 and a block of at most 16 KiB");
            message.piece = read_be32(body.subspan(1));
            message.begin = read_be32(body.subspan(5));
            message.bytes = body.subspan(kPieceWithoutBlock);
            message.length = static_cast<std::uint32_t>(message.bytes.size());
            break;
        case MessageId::port:
            message.port = static_cast<std::uint16_t>((std::to_integer<unsigned>(body[1]) << 8) |
                                                      std::to_integer<unsigned>(body[2]));
            break;
        default:
            if (exact >= kOnePiece) message.piece = read_be32(body.subspan(1));
            if (exact == kPieceBeginLength) {
                message.begin = read_be32(body.subspan(5));
                message.length = read_be32(body.subspan(9));
            }
    }
    return message;
}

std::uint32_t read_be32(std::span<std::byte const> bytes) {
    assert(bytes.size() >= 4);
    return (std::to_integer<std::uint32_t>(bytes[0]) << 24) | (std::to_integer<std::uint32_t>(bytes[1]) << 16) |
           (std::to_integer<std::uint32_t>(bytes[2]) << 8) | std::to_integer<std::uint32_t>(bytes[3]);
}

void append_be32(std::vector<std::byte>& out, std::uint32_t value) {
    std::array<std::byte, 4> bytes;
    put_be32(bytes.data(), value);
    append(out, bytes);
}

void append_keep_alive(std::vector<std::byte>& out) { append_be32(out, 0); }

void append_message(std::vector<std::byte>& out, MessageId id) {
    assert(exact_length(id) == kNoArguments);
    append_be32(out, kNoArguments);
    out.push_back(static_cast<std::byte>(id));
}

void append_message(std::vector<std::byte>& out, MessageId id, PieceIndex piece) {
    assert(exact_length(id) == kOnePiece);
    append_be32(out, kOnePiece);
    out.push_back(static_cast<std::byte>(id));
    append_be32(out, piece.value());
}

void append_message(std::vector<std::byte>& out, MessageId id, PieceIndex piece, std::uint32_t begin,
                    std::uint32_t length) {
    assert(exact_length(id) == kPieceBeginLength);
    std::array<std::byte, kLengthPrefixBytes + kPieceBeginLength> bytes;
    put_be32(bytes.data(), kPieceBeginLength);
    bytes[4] = static_cast<std::byte>(id);
    put_be32(bytes.data() + 5, piece.value());
    put_be32(bytes.data() + 9, begin);
    put_be32(bytes.data() + 13, length);
    append(out, bytes);
}

void append_port(std::vector<std::byte>& out, std::uint16_t port) {
    append_be32(out, kPort);
    out.push_back(static_cast<std::byte>(MessageId::port));
    out.push_back(static_cast<std::byte>(port >> 8));
    out.push_back(static_cast<std::byte>(port & 0xff));
}

void append_bitfield(std::vector<std::byte>& out, std::span<std::byte const> bytes) {
    append_be32(out, static_cast<std::uint32_t>(1 + bytes.size()));
    out.push_back(static_cast<std::byte>(MessageId::bitfield));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_extended(std::vector<std::byte>& out, std::uint8_t extended_id, std::span<std::byte const> payload) {
    append_be32(out, static_cast<std::uint32_t>(2 + payload.size()));
    out.push_back(static_cast<std::byte>(MessageId::extended));
    out.push_back(std::byte{extended_id});
    out.insert(out.end(), payload.begin(), payload.end());
}

std::array<std::byte, kPieceHeaderBytes> piece_header(PieceIndex piece, std::uint32_t begin, std::uint32_t length) {
    std::array<std::byte, kPieceHeaderBytes> bytes;
    put_be32(bytes.data(), kPieceWithoutBlock + length);
    bytes[4] = static_cast<std::byte>(MessageId::piece);
    put_be32(bytes.data() + 5, piece.value());
    put_be32(bytes.data() + 9, begin);
    return bytes;
}

}  // namespace rqfs::torrent
