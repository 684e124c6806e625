#pragma once

#include "torrent/net/proxy_error.h"
#include "torrent/net/proxy_target.h"

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// SOCKS version 5 (RFC 1928) with user name and password (RFC 1929), as a client writes and reads it. Pure. Errors are
// ProxyErrc.
namespace socks5 {

template <class T>
using Parsed = boost::system::result<T>;  // an error_code otherwise

enum class Command : std::uint8_t { connect = 1, udp_associate = 3 };
enum class Method : std::uint8_t { none = 0, login = 2 };

std::vector<std::byte> encode_greeting(bool with_login);
inline constexpr std::size_t kMethodBytes = 2;
// Of those offered.
Parsed<Method> parse_method(std::span<std::byte const, kMethodBytes> bytes, bool with_login);

// Both have 1 to 255 bytes.
std::vector<std::byte> encode_login(std::string_view user, std::string_view password);
inline constexpr std::size_t kLoginReplyBytes = 2;
boost::system::error_code parse_login_reply(std::span<std::byte const, kLoginReplyBytes> bytes);

std::vector<std::byte> encode_request(Command command, ProxyTarget const& target);

// A reply is read in two parts: its head, which ends with the first byte of the address, says how long the rest is.
inline constexpr std::size_t kReplyHeadBytes = 5;
struct ReplyHead {
    std::size_t rest_bytes = 0;  // at most 257
};
// The first four bytes alone say whether it is a refusal, which some servers cut short: look before waiting for the
// fifth.
inline constexpr std::size_t kVerdictBytes = 4;
boost::system::error_code parse_verdict(std::span<std::byte const, kVerdictBytes> bytes);
Parsed<ReplyHead> parse_reply_head(std::span<std::byte const, kReplyHeadBytes> bytes);
// The whole reply of a server that did what it was asked: the address it used.
Parsed<ProxyTarget> parse_reply(std::span<std::byte const> bytes);

// What goes before a datagram's own bytes.
std::vector<std::byte> encode_datagram_head(ProxyTarget const& to);
struct Datagram {
    ProxyTarget from;
    std::span<std::byte const> bytes;  // of those parsed
};
// Nothing for what is no datagram of a relay, and for fragments, which nobody needs and RFC 1928 lets us drop.
std::optional<Datagram> parse_datagram(std::span<std::byte const> bytes);

}  // namespace socks5

}  // namespace rqfs::torrent
