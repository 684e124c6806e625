#include "torrent/metainfo/magnet.h"

#include "torrent/metainfo/select_only.h"
#include "torrent/settings.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kScheme = "magnet:?";
constexpr std::string_view kV1 = "urn:btih:";  // BEP 9
constexpr std::string_view kV2 = "urn:btmh:";  // BEP 52

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool begins_ignoring_case(std::string_view text, std::string_view prefix) {
    return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

int hex_value(char c) {
    c = lower(c);
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// A '%' without two digits stands for itself: people write names by hand.
std::string unescaped(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        int const high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        int const low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0) {
            plain.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            plain.push_back(text[i]);
        }
    }
    return plain;
}

// RFC 3986: everything but unreserved characters.
std::string escaped(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view unreserved = "-._~";
    std::string safe;
    for (char const c : text) {
        char const letter = lower(c);
        if ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') ||
            unreserved.find(c) != std::string_view::npos) {
            safe.push_back(c);
        } else {
            auto const byte = static_cast<unsigned char>(c);
            safe.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return safe;
}

// The parameter's name without the number that tells repeated ones apart: "tr.2" is "tr".
std::string_view without_number(std::string_view key) {
    auto const name = key.substr(0, key.find_last_not_of("0123456789") + 1);
    return name.size() < key.size() && name.size() > 1 && name.back() == '.' ? name.substr(0, name.size() - 1) : key;
}

void keep(std::vector<std::string>& list, std::string value, std::size_t most) {
    if (value.empty() || value.size() > limit::kUrlBytes || list.size() >= most) return;
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

class MagnetParser {
public:
    std::optional<Error> parameter(std::string_view key, std::string_view value);
    Result<Magnet> finish();

private:
    std::optional<Error> exact_topic(std::string const& topic);

    Magnet magnet_;
    SelectOnly selected_;
    bool has_v1_ = false;
    bool has_v2_ = false;
};

std::optional<Error> MagnetParser::parameter(std::string_view key, std::string_view value) {
    auto const name = without_number(key);
    auto const is = [&](std::string_view known) { return equals_ignoring_case(name, known); };
    if (is("xt")) return exact_topic(unescaped(value));
    if (is("so")) return selected_.add(unescaped(value));
    if (is("tr") && magnet_.trackers.size() < limit::kMagnetTrackers)
        keep(magnet_.trackers, unescaped(value), limit::kMagnetTrackers);
    if (is("ws") && magnet_.web_seeds.size() < limit::kMagnetWebSeeds)
        keep(magnet_.web_seeds, unescaped(value), limit::kMagnetWebSeeds);
    if (is("x.pe") && magnet_.peers.size() < limit::kMagnetPeers)
        keep(magnet_.peers, unescaped(value), limit::kMagnetPeers);
    if (is("dn") && magnet_.display_name.empty()) {
        // Only names come from forms, where '+' is a space; in URLs it is itself.
        std::string spaced(value);
        std::replace(spaced.begin(), spaced.end(), '+', ' ');
        magnet_.display_name = unescaped(spaced);
    }
    return {};
}

std::optional<Error> MagnetParser::exact_topic(std::string const& topic) {
    if (begins_ignoring_case(topic, kV2)) has_v2_ = true;
    if (has_v1_ || !begins_ignoring_case(topic, kV1)) return {};
    auto const hash = InfoHash::parse(std::string_view(topic).substr(kV1.size()));
    if (!hash) return error(hash.error().code, "xt= of the magnet link is wrong: " + hash.error().what);
    magnet_.info_hash = *hash;
    has_v1_ = true;
    return {};
}

Result<Magnet> MagnetParser::finish() {
    if (!has_v1_ && has_v2_)
        return error(Errc::unsupported,
                     "this is a magnet link of a v2-only torrent, which is not supported; v1 and hybrid torrents are");
    if (!has_v1_) return error(Errc::malformed, "the magnet link has no xt=urn:btih: with an info-hash");
    magnet_.selected = selected_.files();
    return std::move(magnet_);
}

}  // namespace

Result<Magnet> Magnet::parse(std::string_view uri) {
    if (uri.size() > limit::kMagnetBytes)
        return error(Errc::too_large, "a magnet link may have " + std::to_string(limit::kMagnetBytes) +
                                          " bytes, this one has " + std::to_string(uri.size()));
    if (!begins_ignoring_case(uri, kScheme)) return error(Errc::malformed, "a magnet link begins with magnet:?");
    MagnetParser parser;
    for (auto rest = uri.substr(kScheme.size()); !rest.empty();) {
        auto const ampersand = rest.find('&');
        auto parameter = rest.substr(0, ampersand);
        rest = ampersand == std::string_view::npos ? std::string_view() : rest.substr(ampersand + 1);
        // A link copied out of a page's source has "&amp;" between its parameters.
        if (begins_ignoring_case(parameter, "amp;")) parameter.remove_prefix(4);
        auto const equals = parameter.find('=');
        if (equals == std::string_view::npos) continue;
        if (auto failure = parser.parameter(parameter.substr(0, equals), parameter.substr(equals + 1)))
            return *std::move(failure);
    }
    return parser.finish();
}

std::string Magnet::uri() const {
    std::string text = std::string(kScheme) + "xt=" + std::string(kV1) + info_hash.hex();
    auto const add = [&](std::string_view key, std::string_view value) {
        text.append("&").append(key).append("=").append(escaped(value));
    };
    if (!display_name.empty()) add("dn", display_name);
    for (auto const& url : trackers) add("tr", url);
    for (auto const& url : web_seeds) add("ws", url);
    for (auto const& peer : peers) add("x.pe", peer);
    if (!selected.empty()) text += "&so=" + SelectOnly::text(selected);
    return text;
}

}  // namespace rqfs::torrent
