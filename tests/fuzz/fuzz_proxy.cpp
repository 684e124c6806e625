#include "tests/fuzz/require.h"
#include "torrent/net/http_connect.h"
#include "torrent/net/socks5_message.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace socks5 = rqfs::torrent::socks5;
using rqfs::tests::require;

// What a proxy may answer at any time: a datagram of its relay, a reply of each kind, the head of a reply to CONNECT.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const bytes = std::as_bytes(std::span(data, size));
    if (auto const datagram = socks5::parse_datagram(bytes)) {
        auto const head = socks5::encode_datagram_head(datagram->from);
        require(head.size() <= bytes.size() + 12, "what we write is no longer than what we read");  // mapped IPv6
        require(datagram->bytes.size() < bytes.size(), "its own bytes are a part of it");
        auto const again = socks5::parse_datagram(head);
        require(again && again->from == datagram->from && again->bytes.empty(), "what we write we read");
    }
    if (auto const reply = socks5::parse_reply(bytes)) require(reply->name.size() <= 255, "names are limited");
    if (size >= socks5::kReplyHeadBytes) {
        auto const head = socks5::parse_reply_head(bytes.first<socks5::kReplyHeadBytes>());
        if (head) require(head->rest_bytes >= 2 && head->rest_bytes <= 257, "replies are limited");
    }
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (auto const head = rqfs::torrent::http_connect_head_bytes(text)) {
        require(*head > 0 && *head <= size, "a head ends within what is there");
        static_cast<void>(rqfs::torrent::parse_http_connect_reply(text.substr(0, *head), false));
    }
    static_cast<void>(rqfs::torrent::parse_http_connect_reply(text, true));
    return 0;
}
