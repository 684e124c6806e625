#include "torrent/net/socks5_message.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <string>

namespace rqfs::torrent::socks5 {

namespace {

constexpr std::byte kVersion{5};
constexpr std::byte kLoginVersion{1};
constexpr std::byte kNoMethod{0xff};
constexpr std::byte kReserved{0};

enum class AddressType : std::uint8_t { v4 = 1, name = 3, v6 = 4 };

void append(std::vector<std::byte>& out, std::uint8_t value) { out.push_back(std::byte{value}); }

void append_text(std::vector<std::byte>& out, std::string_view text) {
    assert(text.size() <= std::numeric_limits<std::uint8_t>::max());
    append(out, static_cast<std::uint8_t>(text.size()));
    for (char const c : text) append(out, static_cast<std::uint8_t>(c));
}

void append_target(std::vector<std::byte>& out, ProxyTarget const& target) {
    if (!target.name.empty()) {
        append(out, static_cast<std::uint8_t>(AddressType::name));
        append_text(out, target.name);
    } else {
        append(out, static_cast<std::uint8_t>(target.address.is_v6() ? AddressType::v6 : AddressType::v4));
        for (auto const byte : target.address.bytes()) append(out, byte);
    }
    append(out, static_cast<std::uint8_t>(target.port >> 8));
    append(out, static_cast<std::uint8_t>(target.port & 0xff));
}

// Of an address and its port from the type on; nothing where there is no such type or the first byte is missing.
std::optional<std::size_t> target_bytes(std::span<std::byte const> bytes) {
    constexpr std::size_t type_and_port = 3;
    if (bytes.size() < 2) return std::nullopt;
    switch (static_cast<AddressType>(bytes[0])) {
        case AddressType::v4: return type_and_port + 4;
        case AddressType::v6: return type_and_port + 16;
        case AddressType::name: return type_and_port + 1 + std::to_integer<std::size_t>(bytes[1]);
    }
    return std::nullopt;
}

// The address and port that the bytes begin with.
std::optional<ProxyTarget> parse_target(std::span<std::byte const> bytes) {
    auto const size = target_bytes(bytes);
    if (!size || bytes.size() < *size) return std::nullopt;
    auto const port = bytes.subspan(*size - 2, 2);
    auto const address = bytes.subspan(1, *size - 3);
    ProxyTarget target;
    target.port =
        static_cast<std::uint16_t>(std::to_integer<unsigned>(port[0]) << 8 | std::to_integer<unsigned>(port[1]));
    if (static_cast<AddressType>(bytes[0]) == AddressType::name) {
        for (auto const byte : address.subspan(1)) target.name += static_cast<char>(byte);
        if (target.name.empty()) return std::nullopt;
        return target;
    }
    target.address = Address::from_bytes(address).value();
    return target;
}

}  // namespace

std::vector<std::byte> encode_greeting(bool with_login) {
    std::vector<std::byte> out{kVersion, std::byte{with_login ? std::uint8_t{2} : std::uint8_t{1}}};
    append(out, static_cast<std::uint8_t>(Method::none));
    if (with_login) append(out, static_cast<std::uint8_t>(Method::login));
    return out;
}

Parsed<Method> parse_method(std::span<std::byte const, kMethodBytes> bytes, bool with_login) {
    if (bytes[0] != kVersion) return make_error_code(ProxyErrc::malformed);
    if (bytes[1] == kNoMethod) return make_error_code(with_login ? ProxyErrc::no_method : ProxyErrc::login_needed);
    auto const method = static_cast<Method>(bytes[1]);
    if (method == Method::none || (method == Method::login && with_login)) return method;
    return make_error_code(ProxyErrc::malformed);
}

std::vector<std::byte> encode_login(std::string_view user, std::string_view password) {
    std::vector<std::byte> out{kLoginVersion};
    append_text(out, user);
    append_text(out, password);
    return out;
}

boost::system::error_code parse_login_reply(std::span<std::byte const, kLoginReplyBytes> bytes) {
    if (bytes[0] != kLoginVersion) return make_error_code(ProxyErrc::malformed);
    return bytes[1] == std::byte{0} ? boost::system::error_code() : make_error_code(ProxyErrc::login_refused);
}

std::vector<std::byte> encode_request(Command command, ProxyTarget const& target) {
    std::vector<std::byte> out{kVersion, static_cast<std::byte>(command), kReserved};
    append_target(out, target);
    return out;
}

boost::system::error_code parse_verdict(std::span<std::byte const, kVerdictBytes> bytes) {
    if (bytes[0] != kVersion) return make_error_code(ProxyErrc::malformed);
    auto const code = std::to_integer<int>(bytes[1]);
    if (code == 0) return {};
    if (code > static_cast<int>(ProxyErrc::no_address_type)) return make_error_code(ProxyErrc::failure);
    return make_error_code(static_cast<ProxyErrc>(code));
}

Parsed<ReplyHead> parse_reply_head(std::span<std::byte const, kReplyHeadBytes> bytes) {
    if (auto const refusal = parse_verdict(bytes.first<kVerdictBytes>())) return refusal;
    auto const size = target_bytes(bytes.subspan(3));
    if (!size) return make_error_code(ProxyErrc::malformed);
    return ReplyHead{3 + *size - kReplyHeadBytes};
}

Parsed<ProxyTarget> parse_reply(std::span<std::byte const> bytes) {
    if (bytes.size() < kReplyHeadBytes) return make_error_code(ProxyErrc::malformed);
    auto const head = parse_reply_head(bytes.first<kReplyHeadBytes>());
    if (!head) return head.error();
    if (bytes.size() != kReplyHeadBytes + head->rest_bytes) return make_error_code(ProxyErrc::malformed);
    auto const used = parse_target(bytes.subspan(3));
    // A name of no bytes is no name, yet an honest way to say that the address does not matter.
    return used.value_or(ProxyTarget());
}

std::vector<std::byte> encode_datagram_head(ProxyTarget const& to) {
    std::vector<std::byte> out(3);  // two reserved, and the number of a datagram that is no fragment
    append_target(out, to);
    return out;
}

std::optional<Datagram> parse_datagram(std::span<std::byte const> bytes) {
    if (bytes.size() < 3 || bytes[2] != std::byte{0}) return std::nullopt;
    auto const from = parse_target(bytes.subspan(3));
    if (!from) return std::nullopt;
    return Datagram{*from, bytes.subspan(3 + *target_bytes(bytes.subspan(3)))};
}

}  // namespace rqfs::torrent::socks5
