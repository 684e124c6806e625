#include "torrent/peer/peer_id.h"

#include "torrent/hash.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kRandomCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
static_assert(kRandomCharacters.size() == 64, "a random byte masked to 6 bits picks one fairly");

// BEP 20 and the prefixes clients send today.
constexpr std::array<std::pair<std::string_view, std::string_view>, 30> kClients{{
    {"7T", "aTorrent"},     {"A2", "aria2"},
    {"AG", "Ares"},         {"AZ", "Vuze"},
    {"BC", "BitComet"},     {"BE", "BitTorrent SDK"},
    {"BI", "BiglyBT"},      {"BT", "BitTorrent"},
    {"DE", "Deluge"},       {"FD", "Free Download Manager"},
    {"FL", "Folx"},         {"FW", "FrostWire"},
    {"GT", "anacrolix"},    {"KT", "KTorrent"},
    {"LT", "libtorrent"},   {"MO", "MonoTorrent"},
    {"PI", "PicoTorrent"},  {"RQ", "rqfs"},
    {"SD", "Xunlei"},       {"TL", "Tribler"},
    {"TR", "Transmission"}, {"TX", "Tixati"},
    {"UM", "uTorrent Mac"}, {"UT", "uTorrent"},
    {"UW", "uTorrent Web"}, {"WD", "WebTorrent Desktop"},
    {"WW", "WebTorrent"},   {"lt", "rTorrent"},
    {"qB", "qBittorrent"},  {"rQ", "rqbit"},
}};

constexpr std::size_t kPrefixBytes = 8;  // -RQvvvv-

bool digit(char c) { return c >= '0' && c <= '9'; }

// Digits count from 0, then letters: 'A' is 10 (BEP 20's users).
std::optional<int> version_part(char c) {
    if (digit(c)) return c - '0';
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    if (c >= 'a' && c <= 'z') return c - 'a' + 36;
    return std::nullopt;
}

std::string printable(std::string_view text) {
    std::string out;
    for (char const c : text) out.push_back(c >= 0x20 && c < 0x7f ? c : '.');
    return out;
}

std::string version(std::string_view code, std::string_view digits) {
    // Transmission before 4.0 wrote major and two digits of minor.
    if (code == "TR" && digits[0] < '4') return std::string{digits[0], '.', digits[1], digits[2]};
    std::string text;
    for (std::size_t i = 0; i < 4; ++i) {
        auto const part = version_part(digits[i]);
        if (!part || (i == 3 && *part == 0)) break;
        if (i > 0) text += '.';
        text += std::to_string(*part);
    }
    return text;
}

// "-TR3000-": two letters and four characters of version.
std::optional<std::string> dashed_name(std::string_view id) {
    if (id[0] != '-' || id[7] != '-') return std::nullopt;
    auto const code = id.substr(1, 2);
    auto const digits = id.substr(3, 4);
    auto const client = std::find_if(kClients.begin(), kClients.end(), [&](auto const& c) { return c.first == code; });
    if (client == kClients.end() ||
        !std::all_of(digits.begin(), digits.end(), [](char c) { return version_part(c).has_value(); }))
        return std::nullopt;
    return std::string(client->second) + " " + version(code, digits);
}

// aria2's own: "A2-1-36-0-".
std::optional<std::string> aria2_name(std::string_view id) {
    if (!id.starts_with("A2-")) return std::nullopt;
    std::string text = "aria2 ";
    std::size_t parts = 0;
    for (std::size_t i = 3; i < id.size() && parts < 3; ++i) {
        if (digit(id[i])) {
            text += id[i];
        } else if (id[i] == '-') {
            if (++parts < 3) text += '.';
        } else {
            return std::nullopt;
        }
    }
    if (parts < 3) return std::nullopt;
    return text;
}

}  // namespace

PeerId make_peer_id(bool anonymous) {
    std::string prefix = "-RQ";
    for (char const c : std::string_view(RQFS_VERSION))
        if (digit(c) && prefix.size() < kPrefixBytes - 1) prefix += c;
    prefix.resize(kPrefixBytes - 1, '0');
    prefix += '-';

    PeerId id;
    auto const random = std::span(id).subspan(anonymous ? 0 : kPrefixBytes);
    fill_random(random);
    for (std::byte& b : random)
        b = static_cast<std::byte>(kRandomCharacters[std::to_integer<std::size_t>(b & std::byte{63})]);
    if (anonymous) return id;
    std::transform(prefix.begin(), prefix.end(), id.begin(), [](char c) { return static_cast<std::byte>(c); });
    return id;
}

std::string client_name(PeerId const& id) {
    std::string_view const text(reinterpret_cast<char const*>(id.data()), id.size());
    if (auto const known = dashed_name(text)) return *known;
    if (auto const known = aria2_name(text)) return *known;
    return printable(text);
}

}  // namespace rqfs::torrent
