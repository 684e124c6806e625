#include "tools/control/text.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cwchar>

namespace rqfs::tools {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Decoded {
    std::uint32_t character = 0;
    std::size_t bytes = 0;  // 0: no UTF-8
};

// The first character of a text that is not empty (RFC 3629: shortest form, no surrogates, up to U+10FFFF).
Decoded decode(std::string_view text) {
    auto const byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    std::uint8_t const first = byte(0);
    if (first < 0x80) return {first, 1};
    std::size_t const length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
    std::uint32_t character = first & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        character = (character << 6) | (byte(i) & 0x3Fu);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (character < least[length] || character > 0x10FFFF || (character >= 0xD800 && character < 0xE000)) return {};
    return {character, length};
}

// C0, DEL, C1; and the marks that change the direction of what follows or break the line.
bool unsafe(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

template <class Each>
void each_character(std::string_view text, Each each) {
    while (!text.empty()) {
        auto const decoded = decode(text);
        auto const length = decoded.bytes == 0 ? 1 : decoded.bytes;
        each(decoded, text.substr(0, length));
        text.remove_prefix(length);
    }
}

}  // namespace

std::string to_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    each_character(text, [&](Decoded const& decoded, std::string_view bytes) {
        out += decoded.bytes == 0 ? kReplacement : bytes;
    });
    return out;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    each_character(text, [&](Decoded const& decoded, std::string_view bytes) {
        if (decoded.bytes == 0) {
            out += kReplacement;
        } else if (unsafe(decoded.character)) {
            std::array<char, 16> escaped{};
            std::snprintf(escaped.data(), escaped.size(), decoded.character < 0x100 ? "\\x%02x" : "\\u{%04x}",
                          decoded.character);
            out += escaped.data();
        } else {
            out += bytes;
        }
    });
    return out;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    each_character(text, [&](Decoded const& decoded, std::string_view) {
        int const columns = decoded.bytes == 0 ? 1 : wcwidth(static_cast<wchar_t>(decoded.character));
        // A locale without the character says -1.
        width += columns < 0 ? 1 : static_cast<std::size_t>(columns);
    });
    return width;
}

}  // namespace rqfs::tools
