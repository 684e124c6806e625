#include "torrent/tracker/tracker_text.h"

#include "torrent/settings.h"

#include <cstddef>
#include <cstdint>

namespace rqfs::torrent {

namespace {

// Bytes of the UTF-8 character at the start of `text` (RFC 3629), 0 when it is none; C1 control characters count as
// none.
std::size_t character_bytes(std::string_view text) {
    auto const byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    auto const first = byte(0);
    if (first < 0x80) return 1;
    std::size_t const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
    std::uint32_t value = first & (0xffu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        value = value << 6 | (byte(i) & 0x3f);
    }
    bool const overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    bool const forbidden = (value >= 0xd800 && value < 0xe000) || value > 0x10ffff || value < 0xa0;
    // Characters that turn the direction of what follows would let a tracker rewrite the rest of the line.
    bool const turning = (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
    return overlong || forbidden || turning ? 0 : size;
}

}  // namespace

std::string tracker_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    while (!text.empty()) {
        auto size = character_bytes(text);
        auto const byte = static_cast<unsigned char>(text.front());
        bool const escape = size == 0 || byte < 0x20 || byte == 0x7f;
        if (escape) size = 1;
        if (out.size() + (escape ? 4 : size) > limit::kTrackerTextBytes) break;
        if (escape)
            out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        else
            out.append(text.substr(0, size));
        text.remove_prefix(size);
    }
    return out;
}

}  // namespace rqfs::torrent
