#include "torrent/net/url.h"

#include "torrent/net/url_host.h"
#include "torrent/settings.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_unreserved(char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

void append_escaped(std::string& out, char c) {
    auto const byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
}

std::optional<unsigned> hex_value(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    c = to_lower(c);
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    return std::nullopt;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    return text;
}

// The scheme of an absolute URL (RFC 3986, 3.1), or nothing.
std::optional<std::string> scheme_of(std::string_view text) {
    auto const colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_alpha(text.front())) return std::nullopt;
    std::string scheme(text.substr(0, colon));
    for (auto& c : scheme) {
        if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return std::nullopt;
        c = to_lower(c);
    }
    return scheme;
}

// What goes into a request line: nothing that could end it, everything else as it was written.
std::string make_target(std::string_view text) {
    text = text.substr(0, text.find('#'));
    std::string target;
    if (text.empty() || text.front() != '/') target = "/";
    for (auto const c : text) {
        if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == '\\' || c == '"' ||
            c == '<' || c == '>')
            append_escaped(target, c);
        else
            target += c;
    }
    return target;
}

std::uint16_t default_port(std::string_view scheme) { return scheme == "http" ? 80 : scheme == "https" ? 443 : 0; }

Result<std::uint16_t> parse_port(std::string_view digits, std::string_view scheme) {
    if (digits.empty()) {
        if (auto const port = default_port(scheme)) return port;
        return error(Errc::malformed, "a udp URL needs a port");
    }
    std::uint16_t port = 0;
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure != std::errc() || end != digits.data() + digits.size() || port == 0)
        return error(Errc::malformed, "the URL's port is no number between 1 and 65535");
    return port;
}

// "user:password@host:port"
std::optional<Error> parse_authority(std::string_view authority, Url& url) {
    if (auto const at = authority.rfind('@'); at != std::string_view::npos) {
        url.user_info = authority.substr(0, at);
        auto const printable = [](char c) { return c > ' ' && c < 0x7f; };
        if (!std::all_of(url.user_info.begin(), url.user_info.end(), printable))
            return error(Errc::malformed, "the URL's user name has a character that must be escaped");
        authority.remove_prefix(at + 1);
    }
    auto const bracket = authority.rfind(']');
    auto const colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    auto const host = normalize_host(authority.substr(0, colon));
    if (!host) return host.error();
    url.host = *host;
    auto const port =
        parse_port(colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1), url.scheme);
    if (!port) return port.error();
    url.port = *port;
    return std::nullopt;
}

// RFC 3986, 5.2.4, on a path that begins with '/'.
std::string remove_dot_segments(std::string_view path) {
    std::vector<std::string_view> kept;
    bool directory = false;
    while (!path.empty()) {
        path.remove_prefix(1);
        auto const segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        directory = segment == "." || segment == "..";
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (segment != ".") {
            kept.push_back(segment);
        }
    }
    std::string out;
    for (auto const segment : kept) out.append("/").append(segment);
    if (directory || out.empty()) out += '/';
    return out;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
    text = trim(text);
    if (text.size() > limit::kUrlBytes) return error(Errc::too_large, "the URL is longer than 8 KiB");
    auto const scheme = scheme_of(text);
    if (!scheme) return error(Errc::malformed, "the URL does not begin with http://, https:// or udp://");
    if (*scheme != "http" && *scheme != "https" && *scheme != "udp")
        return error(Errc::unsupported,
                     "URLs of the kind " + scheme->substr(0, 20) + ": are not supported; http, https and udp are");
    text.remove_prefix(scheme->size() + 1);
    if (!text.starts_with("//")) return error(Errc::malformed, "the URL lacks // after " + *scheme + ":");
    text.remove_prefix(2);
    Url url;
    url.scheme = *scheme;
    auto const end = std::min(text.find_first_of("/?#"), text.size());
    if (auto const bad = parse_authority(text.substr(0, end), url)) return *bad;
    url.target = make_target(text.substr(end));
    return url;
}

Result<Url> Url::resolve(std::string_view location) const {
    location = trim(location);
    if (location.empty()) return error(Errc::malformed, "the redirect names no place");
    if (location.size() > limit::kUrlBytes) return error(Errc::too_large, "the redirect's URL is longer than 8 KiB");
    if (scheme_of(location)) return parse(location);
    if (location.starts_with("//")) return parse(scheme + ":" + std::string(location));
    auto const path = std::string_view(target).substr(0, target.find('?'));
    std::string joined;
    if (location.front() == '/')
        joined = location;
    else if (location.front() == '?')
        joined = std::string(path) + std::string(location);
    else if (location.front() == '#')
        joined = target;
    else
        joined = std::string(path.substr(0, path.rfind('/') + 1)) + std::string(location);
    joined = make_target(joined);
    auto const query = std::min(joined.find('?'), joined.size());
    Url url = *this;
    url.target = remove_dot_segments(std::string_view(joined).substr(0, query)) + joined.substr(query);
    return url;
}

std::string Url::authority() const {
    auto const shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == default_port(scheme) ? shown : shown + ":" + std::to_string(port);
}

std::string Url::text() const { return scheme + "://" + authority() + target; }

std::string percent_encode(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 3);
    for (auto const c : bytes) {
        if (is_unreserved(c))
            out += c;
        else
            append_escaped(out, c);
    }
    return out;
}

Result<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        auto const high = i + 2 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
        auto const low = i + 2 < text.size() ? hex_value(text[i + 2]) : std::nullopt;
        if (!high || !low) return error(Errc::malformed, "a % is not followed by two hexadecimal digits");
        out += static_cast<char>(*high << 4 | *low);
        i += 2;
    }
    return out;
}

}  // namespace rqfs::torrent
