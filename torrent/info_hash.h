#pragma once

#include "torrent/error.h"

#include <array>
#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace rqfs::torrent {

// Identity of a v1 torrent: SHA-1 over the raw bytes of its info dictionary (BEP 3).
class InfoHash {
public:
    static constexpr std::size_t kBytes = 20;

    InfoHash() = default;
    explicit InfoHash(std::array<std::byte, kBytes> const& bytes) : bytes_(bytes) {}

    // 40 hexadecimal digits or 32 of base32 (BEP 9), any case.
    static Result<InfoHash> parse(std::string_view text);
    // Exactly 20 raw bytes.
    static Result<InfoHash> from_bytes(std::span<std::byte const> bytes);

    std::span<std::byte const, kBytes> bytes() const { return bytes_; }
    std::string hex() const;        // 40 lower-case digits
    std::string short_hex() const;  // the first 8, for logs and names

    friend auto operator<=>(InfoHash const&, InfoHash const&) = default;

private:
    std::array<std::byte, kBytes> bytes_{};
};

}  // namespace rqfs::torrent
