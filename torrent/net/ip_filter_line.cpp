#include "torrent/net/ip_filter_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>

namespace rqfs::torrent {

namespace {

using Kind = IpFilterLine::Kind;

constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr unsigned kAllowsFrom = 128;  // eMule's default: lower levels are kept away

std::string_view trimmed_front(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    return text;
}

std::string_view trimmed(std::string_view text) {
    text = trimmed_front(text);
    return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

bool is_comment(std::string_view text) {
    return text.starts_with('#') || text.starts_with(';') || text.starts_with("//");
}

// Digits alone, at most three.
std::optional<unsigned> parse_number(std::string_view text) {
    unsigned value = 0;
    if (text.empty() || text.size() > 3) return std::nullopt;
    auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<Address> parse_v4(std::string_view text) {
    std::array<std::uint8_t, 4> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto const dot = text.find('.');
        if ((dot == std::string_view::npos) != (i == bytes.size() - 1)) return std::nullopt;
        auto const part = parse_number(text.substr(0, dot));
        if (!part || *part > 255) return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>(*part);
        text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
    }
    return Address::v4(bytes);
}

struct Written {
    Address address;
    bool mapped = false;  // IPv4 in the form of IPv6
};

// Takes the address that the text begins with.
std::optional<Written> take_address(std::string_view& text) {
    auto const token = text.substr(0, text.find_first_not_of("0123456789abcdefABCDEF.:"));
    Written written;
    if (token.find(':') == std::string_view::npos) {
        auto const address = parse_v4(token);
        if (!address) return std::nullopt;
        written.address = *address;
    } else {
        auto const address = Address::parse(token);
        if (!address) return std::nullopt;
        written = {*address, !address->is_v6()};
    }
    text = trimmed_front(text.substr(token.size()));
    return written;
}

std::optional<IpFilterLine> blocking(Address const& first, Address const& last) {
    if (first.is_v6() != last.is_v6() || last < first) return std::nullopt;
    return IpFilterLine{Kind::blocks, first, last};
}

// Bits beyond the prefix are not looked at, as lists in the wild have them.
std::optional<IpFilterLine> network(Written const& written, std::string_view text) {
    auto bits = parse_number(text.substr(0, text.find_first_not_of("0123456789")));
    if (!bits) return std::nullopt;
    auto const rest = trimmed_front(text.substr(std::min(text.find_first_not_of("0123456789"), text.size())));
    if (!rest.empty() && !is_comment(rest)) return std::nullopt;
    if (written.mapped && *bits < 96) return std::nullopt;  // more than all of IPv4
    if (written.mapped) *bits -= 96;
    auto const size = written.address.bytes().size();
    if (*bits > size * 8) return std::nullopt;
    std::array<std::byte, 16> first{};
    std::array<std::byte, 16> last{};
    for (std::size_t i = 0; i < size; ++i) {
        auto const here = std::min<std::size_t>(8, *bits - std::min<std::size_t>(*bits, i * 8));
        auto const mask = static_cast<std::byte>(0xff00u >> here);
        first[i] = std::byte{written.address.bytes()[i]} & mask;
        last[i] = first[i] | ~mask;
    }
    return blocking(Address::from_bytes(std::span(first).first(size)).value(),
                    Address::from_bytes(std::span(last).first(size)).value());
}

// ", LEVEL , NAME" of DAT.
std::optional<IpFilterLine> with_level(IpFilterLine const& range, std::string_view text) {
    text.remove_prefix(1);
    auto const level = parse_number(trimmed(text.substr(0, text.find(','))));
    if (!level) return std::nullopt;
    if (*level >= kAllowsFrom) return IpFilterLine{Kind::allows};
    return range;
}

// DAT and plain text: what begins with an address.
std::optional<IpFilterLine> address_first(std::string_view text) {
    auto const first = take_address(text);
    if (!first) return std::nullopt;
    if (text.starts_with('/') && !is_comment(text)) return network(*first, text.substr(1));
    auto last = first;
    if (text.starts_with('-')) {
        text = trimmed_front(text.substr(1));
        last = take_address(text);
    }
    auto const range = last ? blocking(first->address, last->address) : std::nullopt;
    if (!range || text.empty() || is_comment(text)) return range;
    return text.starts_with(',') ? with_level(*range, text) : std::nullopt;
}

// P2P: the name ends at the last colon.
std::optional<IpFilterLine> name_first(std::string_view text) {
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    text = trimmed_front(text.substr(colon + 1));
    auto const first = take_address(text);
    if (!first || !text.starts_with('-')) return std::nullopt;
    text = trimmed_front(text.substr(1));
    auto const last = take_address(text);
    if (!last || !text.empty()) return std::nullopt;
    return blocking(first->address, last->address);
}

}  // namespace

IpFilterLine IpFilterLine::parse(std::string_view line) {
    line = trimmed(line);
    if (line.empty() || is_comment(line)) return {Kind::blank};
    if (auto const plain = address_first(line)) return *plain;
    return name_first(line).value_or(IpFilterLine{});
}

}  // namespace rqfs::torrent
