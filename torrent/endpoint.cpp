#include "torrent/endpoint.h"

#include "torrent/link_scope.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

namespace rqfs::torrent {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291, 2.5.5.2

// For errors; a stranger's text may be long.
std::string quoted(std::string_view text) {
    constexpr std::size_t most = 64;
    return "'" + std::string(text.substr(0, most)) + (text.size() > most ? "..." : "") + "'";
}

template <std::size_t AddressBytes>
std::vector<Endpoint> parse_compact(std::span<std::byte const> bytes) {
    std::vector<Endpoint> endpoints;
    endpoints.reserve(bytes.size() / (AddressBytes + 2));
    for (; bytes.size() >= AddressBytes + 2; bytes = bytes.subspan(AddressBytes + 2)) {
        auto const port = static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[AddressBytes]) << 8 |
                                                     std::to_integer<unsigned>(bytes[AddressBytes + 1]));
        endpoints.push_back({Address::from_bytes(bytes.first(AddressBytes)).value(), port});
    }
    return endpoints;
}

// "fe80::1%2"
std::optional<Address> parse_scoped(std::string_view text) {
    auto const percent = text.find('%');
    if (percent == std::string_view::npos) return std::nullopt;
    auto const digits = text.substr(percent + 1);
    std::uint32_t scope = 0;
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), scope);
    if (failure != std::errc() || end != digits.data() + digits.size() || scope == 0) return std::nullopt;
    auto const address = Address::parse(text.substr(0, percent));
    if (!address || !is_link_local_v6(*address) || link_scope(*address) != 0) return std::nullopt;
    return with_link_scope(*address, scope);
}

}  // namespace

Address Address::v4(std::array<std::uint8_t, 4> const& bytes) {
    Address address;
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
    return address;
}

Address Address::v6(std::array<std::uint8_t, 16> const& bytes) {
    Address address;
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
        std::copy(bytes.begin() + 12, bytes.end(), address.bytes_.begin());
        return address;
    }
    address.v6_ = true;
    address.bytes_ = bytes;
    return address;
}

Result<Address> Address::parse(std::string_view text) {
    bool const bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    std::string const copy(bracketed ? text.substr(1, text.size() - 2) : text);
    // inet_pton stops at a zero byte and would take what is before it.
    bool const whole = copy.find('\0') == std::string::npos;
    std::array<std::uint8_t, 4> four{};
    if (whole && !bracketed && inet_pton(AF_INET, copy.c_str(), four.data()) == 1) return v4(four);
    std::array<std::uint8_t, 16> sixteen{};
    if (whole && inet_pton(AF_INET6, copy.c_str(), sixteen.data()) == 1) return v6(sixteen);
    if (auto const scoped = parse_scoped(copy)) return *scoped;
    return error(Errc::malformed, quoted(text) + " is no IP address");
}

Result<Address> Address::from_bytes(std::span<std::byte const> bytes) {
    std::array<std::uint8_t, 16> copy{};
    if (bytes.size() != 4 && bytes.size() != 16)
        return error(Errc::malformed, "an address has 4 or 16 bytes, not " + std::to_string(bytes.size()));
    std::transform(bytes.begin(), bytes.end(), copy.begin(),
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    return bytes.size() == 16 ? v6(copy) : v4({copy[0], copy[1], copy[2], copy[3]});
}

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    auto const scope = link_scope(*this);
    if (scope != 0) return without_link_scope(*this).text() + "%" + std::to_string(scope);
    return inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), buffer.data(), buffer.size());
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
    auto const colon = text.rfind(':');
    bool const bracketed = !text.empty() && text.front() == '[';
    if (colon == std::string_view::npos || (bracketed && text[colon - 1] != ']') ||
        (!bracketed && text.find(':') != colon))
        return error(Errc::malformed, quoted(text) + " is not ADDRESS:PORT");
    auto const address = Address::parse(text.substr(0, colon));
    if (!address) return address.error();
    Endpoint endpoint{*address, 0};
    auto const digits = text.substr(colon + 1);
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
    if (failure != std::errc() || end != digits.data() + digits.size() || digits.empty())
        return error(Errc::malformed, quoted(digits) + " is no port between 0 and 65535");
    return endpoint;
}

std::string Endpoint::text() const {
    auto const host = address.is_v6() ? "[" + address.text() + "]" : address.text();
    return host + ":" + std::to_string(port);
}

std::vector<Endpoint> parse_compact_v4(std::span<std::byte const> bytes) { return parse_compact<4>(bytes); }
std::vector<Endpoint> parse_compact_v6(std::span<std::byte const> bytes) { return parse_compact<16>(bytes); }

void append_compact(Endpoint const& endpoint, std::vector<std::byte>& out) {
    for (auto const b : endpoint.address.bytes()) out.push_back(std::byte{b});
    out.push_back(static_cast<std::byte>(endpoint.port >> 8));
    out.push_back(static_cast<std::byte>(endpoint.port & 0xff));
}

}  // namespace rqfs::torrent

// A stranger may choose addresses, so the tables keyed by them are bounded by limits.h; the library's hash is enough.
std::size_t std::hash<rqfs::torrent::Address>::operator()(rqfs::torrent::Address const& a) const noexcept {
    auto const bytes = a.bytes();
    return std::hash<std::string_view>{}({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
}

std::size_t std::hash<rqfs::torrent::Endpoint>::operator()(rqfs::torrent::Endpoint const& e) const noexcept {
    return std::hash<rqfs::torrent::Address>{}(e.address) * 31 + e.port;
}
