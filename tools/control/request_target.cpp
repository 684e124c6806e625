#include "tools/control/request_target.h"

#include <cstddef>
#include <optional>

namespace rqfs::tools {

namespace {

using torrent::Errc;
using torrent::error;
using torrent::Result;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (i + 2 >= text.size()) return std::nullopt;
        int const high = hex_value(text[i + 1]);
        int const low = hex_value(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

// Cuts the text up to the separator off `rest`.
std::string_view take(std::string_view& rest, char separator) {
    auto const end = rest.find(separator);
    auto const part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return part;
}

}  // namespace

Result<RequestTarget> RequestTarget::parse(std::string_view text) {
    RequestTarget target;
    auto const malformed = error(Errc::malformed, "the request's target is malformed");
    if (!text.starts_with('/')) return malformed;
    auto query = text;
    auto path = take(query, '?');
    while (!path.empty()) {
        auto const element = percent_decode(take(path, '/'));
        if (!element) return malformed;
        if (!element->empty()) target.path.push_back(*element);
    }
    while (!query.empty()) {
        auto value = take(query, '&');
        auto const name = percent_decode(take(value, '='));
        auto const decoded = percent_decode(value);
        if (!name || !decoded) return malformed;
        target.query[*name] = *decoded;
    }
    return target;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            out.push_back(c);
            continue;
        }
        auto const byte = static_cast<unsigned char>(c);
        out.push_back('%');
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 15]);
    }
    return out;
}

}  // namespace rqfs::tools
