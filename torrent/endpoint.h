#pragma once

#include "torrent/error.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// An IPv4 or IPv6 address as a plain value; IPv4-mapped IPv6 addresses are turned into IPv4 when made.
class Address {
public:
    Address() = default;  // 0.0.0.0
    static Address v4(std::array<std::uint8_t, 4> const& bytes);
    static Address v6(std::array<std::uint8_t, 16> const& bytes);
    static Result<Address> parse(std::string_view text);          // "10.0.0.1", "fd99::1", "[fd99::1]"
    static Result<Address> from_bytes(std::span<std::byte const> bytes);  // 4 or 16, network order

    bool is_v6() const { return v6_; }
    std::span<std::uint8_t const> bytes() const { return {bytes_.data(), v6_ ? 16u : 4u}; }
    std::string text() const;

    friend auto operator<=>(Address const&, Address const&) = default;

private:
    bool v6_ = false;
    std::array<std::uint8_t, 16> bytes_{};  // the first 4 for IPv4
};

// Where a peer listens or speaks from.
struct Endpoint {
    Address address;
    std::uint16_t port = 0;

    static Result<Endpoint> parse(std::string_view text);  // "1.2.3.4:80", "[::1]:80"
    std::string text() const;
    friend auto operator<=>(Endpoint const&, Endpoint const&) = default;
};

// Compact lists: 6 bytes a peer for IPv4 (BEP 23), 18 for IPv6 (BEP 7). An incomplete tail is ignored, as BEP 23's users do.
std::vector<Endpoint> parse_compact_v4(std::span<std::byte const> bytes);
std::vector<Endpoint> parse_compact_v6(std::span<std::byte const> bytes);
void append_compact(Endpoint const& endpoint, std::vector<std::byte>& out);

}  // namespace rqfs::torrent

template <>
struct std::hash<rqfs::torrent::Address> {
    std::size_t operator()(rqfs::torrent::Address const& a) const noexcept;
};

template <>
struct std::hash<rqfs::torrent::Endpoint> {
    std::size_t operator()(rqfs::torrent::Endpoint const& e) const noexcept;
};
