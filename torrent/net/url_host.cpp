#include "torrent/net/url_host.h"

#include "torrent/endpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kHostBytes = 253;  // RFC 1035, 2.3.4, as text without the final dot
constexpr std::size_t kLabelBytes = 63;  // RFC 1035, 2.3.4

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }

std::vector<std::string_view> split_labels(std::string_view host) {
    std::vector<std::string_view> labels;
    for (;;) {
        auto const dot = host.find('.');
        labels.push_back(host.substr(0, dot));
        if (dot == std::string_view::npos) return labels;
        host.remove_prefix(dot + 1);
    }
}

// A name whose last label is a number is an address to getaddrinfo and to every browser.
bool looks_numeric(std::string_view label) {
    return label.starts_with("0x") || (!label.empty() && std::all_of(label.begin(), label.end(), is_digit));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x")) {
        base = 16;
        text.remove_prefix(2);
        if (text.empty()) return 0;
    } else if (text.size() > 1 && text.front() == '0') {
        base = 8;
    }
    std::uint64_t number = 0;
    auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// inet_aton: all numbers but the last are one byte, the last fills the rest.
std::optional<Address> parse_numeric(std::vector<std::string_view> const& labels) {
    if (labels.size() > 4) return std::nullopt;
    std::uint64_t whole = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        auto const number = parse_number(labels[i]);
        bool const last = i + 1 == labels.size();
        auto const bits = last ? 8 * (5 - labels.size()) : 8;
        if (!number || *number >= std::uint64_t{1} << bits) return std::nullopt;
        whole = whole << bits | *number;
    }
    std::array<std::uint8_t, 4> bytes{};
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(whole >> (24 - 8 * i) & 0xff);
    return Address::v4(bytes);
}

Result<std::string> normalize_bracketed(std::string_view host) {
    if (host.back() != ']') return error(Errc::malformed, "the host's bracket is not closed");
    auto const inside = host.substr(1, host.size() - 2);
    if (inside.find(':') == std::string_view::npos || inside.front() == '[')
        return error(Errc::malformed, "only an IPv6 address stands in brackets");
    auto const address = Address::parse(inside);
    if (!address) return error(Errc::malformed, "the host in brackets is no IPv6 address");
    return address->text();
}

std::optional<Error> check_name(std::string_view name, std::vector<std::string_view> const& labels) {
    if (name.size() > kHostBytes) return error(Errc::malformed, "the host is longer than 253 characters");
    for (auto const label : labels) {
        if (label.empty() || label.size() > kLabelBytes)
            return error(Errc::malformed,
                         "a part of the host '" + std::string(name) + "' is empty or longer than 63 characters");
        bool const good =
            std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
        if (!good) return error(Errc::malformed, "the host has a character that no host name has");
    }
    return std::nullopt;
}

}  // namespace

Result<std::string> normalize_host(std::string_view host) {
    if (host.empty()) return error(Errc::malformed, "the URL has no host");
    if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return error(Errc::unsupported,
                     "the host has characters outside ASCII; write it in its xn-- form, like xn--bcher-kva.example");
    if (host.front() == '[') return normalize_bracketed(host);
    std::string name(host);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (name.size() > 1 && name.back() == '.')
        name.pop_back();  // "example.org." is the same name, and certificates leave the dot out
    auto const labels = split_labels(name);
    if (auto bad = check_name(name, labels)) return *bad;
    if (!looks_numeric(labels.back())) return name;
    auto const address = parse_numeric(labels);
    if (!address) return error(Errc::malformed, "the host '" + name + "' is a number but no IPv4 address");
    return address->text();
}

}  // namespace rqfs::torrent
