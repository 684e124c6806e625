#include "torrent/info_hash.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace rqfs::torrent {

namespace {

constexpr std::size_t kHexDigits = 40;
constexpr std::size_t kBase32Digits = 32;

// The value of a digit of base 16 or 32 (RFC 4648), or -1.
int digit_value(char c, bool base32) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (base32) {
        if (c >= 'a' && c <= 'z') return c - 'a';
        return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
    }
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

Result<InfoHash> InfoHash::parse(std::string_view text) {
    bool const base32 = text.size() == kBase32Digits;
    if (!base32 && text.size() != kHexDigits)
        return error(Errc::malformed,
                     "an info-hash has 40 hexadecimal or 32 base32 digits, not " + std::to_string(text.size()));
    int const bits_per_digit = base32 ? 5 : 4;
    std::array<std::byte, kBytes> bytes{};
    std::uint32_t pending = 0;
    int bits = 0;
    std::size_t filled = 0;
    for (char const c : text) {
        int const value = digit_value(c, base32);
        if (value < 0) return error(Errc::malformed, "an info-hash holds a character that is no digit");
        pending = (pending << bits_per_digit) | static_cast<std::uint32_t>(value);
        bits += bits_per_digit;
        if (bits >= 8) {
            bits -= 8;
            bytes[filled++] = static_cast<std::byte>((pending >> bits) & 0xff);
        }
    }
    return InfoHash(bytes);
}

Result<InfoHash> InfoHash::from_bytes(std::span<std::byte const> bytes) {
    if (bytes.size() != kBytes)
        return error(Errc::malformed, "an info-hash has 20 bytes, not " + std::to_string(bytes.size()));
    std::array<std::byte, kBytes> copy{};
    std::copy(bytes.begin(), bytes.end(), copy.begin());
    return InfoHash(copy);
}

std::string InfoHash::hex() const {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(kHexDigits);
    for (std::byte const b : bytes_) {
        text.push_back(digits[std::to_integer<std::size_t>(b >> 4)]);
        text.push_back(digits[std::to_integer<std::size_t>(b & std::byte{15})]);
    }
    return text;
}

std::string InfoHash::short_hex() const { return hex().substr(0, 8); }

}  // namespace rqfs::torrent
