#include "torrent/net/lsd_message.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kFirstLine = "BT-SEARCH * HTTP/1.1";
constexpr std::size_t kCookieBytes = 64;

bool same_name(std::string_view one, std::string_view other) {
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

// Takes the line off the front.
std::string_view next_line(std::string_view& text) {
    auto const end = text.find('\n');
    auto const line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

void take_header(std::string_view name, std::string_view value, LsdMessage& message) {
    if (same_name(name, "port")) {
        std::uint16_t port = 0;
        auto const [end, failure] = std::from_chars(value.data(), value.data() + value.size(), port);
        if (failure == std::errc() && end == value.data() + value.size()) message.port = port;
    } else if (same_name(name, "infohash")) {
        auto const hash = value.size() == 2 * InfoHash::kBytes ? InfoHash::parse(value) : error(Errc::malformed, "");
        auto& all = message.info_hashes;
        if (hash && std::find(all.begin(), all.end(), *hash) == all.end()) all.push_back(*hash);
    } else if (same_name(name, "cookie") && value.size() <= kCookieBytes) {
        message.cookie = value;
    }
}

}  // namespace

std::array<Endpoint, 2> const& LsdMessage::groups() {
    static std::array<Endpoint, 2> const groups{
        Endpoint{Address::v4({239, 192, 152, 143}), 6771},
        Endpoint{Address::v6({0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xef, 0xc0, 0x98, 0x8f}), 6771}};
    return groups;
}

Result<LsdMessage> LsdMessage::parse(std::span<std::byte const> datagram) {
    if (datagram.size() > kBytes)
        return error(Errc::too_large, "local announce of " + std::to_string(datagram.size()) + " bytes");
    std::string_view text(reinterpret_cast<char const*>(datagram.data()), datagram.size());
    if (next_line(text) != kFirstLine) return error(Errc::malformed, "local announce that is no BT-SEARCH");
    LsdMessage message;
    while (!text.empty()) {
        auto const line = next_line(text);
        if (line.empty()) break;
        auto const colon = line.find(':');
        if (colon != std::string_view::npos)
            take_header(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)), message);
    }
    if (message.port == 0) return error(Errc::malformed, "local announce without a port");
    if (message.info_hashes.empty()) return error(Errc::malformed, "local announce without an info-hash");
    return message;
}

std::string LsdMessage::encode(Endpoint const& group) const {
    std::string text =
        std::string(kFirstLine) + "\r\nHost: " + group.text() + "\r\nPort: " + std::to_string(port) + "\r\n";
    for (auto const& info_hash : info_hashes) text += "Infohash: " + info_hash.hex() + "\r\n";
    if (!cookie.empty()) text += "cookie: " + cookie + "\r\n";
    return text + "\r\n\r\n";
}

}  // namespace rqfs::torrent
