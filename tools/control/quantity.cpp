#include "tools/control/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <optional>

namespace rqfs::tools {

namespace {

using torrent::Errc;
using torrent::error;
using torrent::Result;

constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();

// A decimal number in thousandths, and what follows it.
struct Number {
    std::uint64_t thousandths = 0;
    std::string_view unit;
};

std::optional<Number> split_number(std::string_view text) {
    std::uint64_t whole = 0;
    auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (code != std::errc() || whole > kMost / 1000) return std::nullopt;
    Number number{whole * 1000, text.substr(static_cast<std::size_t>(end - text.data()))};
    if (!number.unit.starts_with('.')) return number;
    number.unit.remove_prefix(1);
    std::uint64_t scale = 100;
    bool any = false;
    while (!number.unit.empty() && number.unit.front() >= '0' && number.unit.front() <= '9') {
        number.thousandths += static_cast<std::uint64_t>(number.unit.front() - '0') * scale;
        scale /= 10;
        number.unit.remove_prefix(1);
        any = true;
    }
    if (!any) return std::nullopt;
    return number;
}

// The exponent of 1024 that a unit stands for.
std::optional<unsigned> size_exponent(std::string_view unit) {
    if (unit.empty() || unit == "B") return 0;
    constexpr std::string_view letters = "KMGT";
    char const letter = unit.front() == 'k'   ? 'K'
                        : unit.front() == 'm' ? 'M'
                        : unit.front() == 'g' ? 'G'
                                              : unit.front();
    auto const at = letters.find(letter);
    auto const rest = unit.substr(1);
    if (at == std::string_view::npos || !(rest.empty() || rest == "B" || rest == "iB")) return std::nullopt;
    return static_cast<unsigned>(at) + 1;
}

std::optional<std::uint64_t> size_in_bytes(std::string_view text) {
    auto const number = split_number(text);
    if (!number) return std::nullopt;
    auto const exponent = size_exponent(number->unit);
    if (!exponent) return std::nullopt;
    std::uint64_t const factor = std::uint64_t{1} << (10 * *exponent);
    std::uint64_t const whole = number->thousandths / 1000;
    std::uint64_t const part = number->thousandths % 1000;
    if (whole > kMost / factor || part * factor / 1000 > kMost - whole * factor) return std::nullopt;
    return whole * factor + part * factor / 1000;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    if (auto const bytes = size_in_bytes(text)) return *bytes;
    return error(Errc::malformed, "a size like 512K, 128M or 2G was expected, not " + quoted(text));
}

Result<std::uint64_t> parse_rate(std::string_view text) {
    if (text == "unlimited") return std::uint64_t{0};
    if (auto const bytes = size_in_bytes(text)) return *bytes;
    return error(Errc::malformed,
                 "a rate in bytes a second like 500K or 2M, 0 or unlimited was expected, not " + quoted(text));
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    auto const failure =
        error(Errc::malformed, "a duration like 60s, 500ms, 2m or 1h was expected, not " + quoted(text));
    auto const number = split_number(text);
    if (!number) return failure;
    std::uint64_t milliseconds_a_unit = 0;
    if (number->unit.empty() || number->unit == "s") milliseconds_a_unit = 1000;
    if (number->unit == "ms") milliseconds_a_unit = 1;
    if (number->unit == "m" || number->unit == "min") milliseconds_a_unit = 60'000;
    if (number->unit == "h") milliseconds_a_unit = 3'600'000;
    constexpr std::uint64_t day = 86'400'000;
    if (milliseconds_a_unit == 0 || number->thousandths > day * 1000 / milliseconds_a_unit) return failure;
    return std::chrono::milliseconds(number->thousandths * milliseconds_a_unit / 1000);
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) return std::to_string(bytes) + " B";
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // 1023.95 would be printed as 1024.0 of the smaller unit.
    while (value >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text.data();
}

std::string format_rate(double bytes_per_second) {
    if (!(bytes_per_second >= 1)) return {};
    return format_size(static_cast<std::uint64_t>(std::min(bytes_per_second, 1e18))) + "/s";
}

std::string format_limit(std::uint64_t bytes_per_second) {
    return bytes_per_second == 0 ? "unlimited" : format_size(bytes_per_second) + "/s";
}

std::string format_duration(std::chrono::seconds duration) {
    auto const total = duration.count() < 0 ? 0 : duration.count();
    std::array<char, 64> text{};
    auto const print = [&](char const* format, long long a, long long b) {
        std::snprintf(text.data(), text.size(), format, a, b);
        return std::string(text.data());
    };
    if (total < 60) return print("%lld s", total, 0);
    if (total < 3600) return print("%lld min", total / 60, 0);
    if (total < 86'400) return print("%lld h %02lld min", total / 3600, total % 3600 / 60);
    return print("%lld d %02lld h", total / 86'400, total % 86'400 / 3600);
}

std::string format_percent(double fraction) {
    if (fraction >= 1) return "100%";
    // Cut, not rounded: 99.96 % is not the whole.
    double const tenths = std::floor(std::max(fraction, 0.0) * 1000) / 10;
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.1f%%", tenths);
    return text.data();
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

}  // namespace rqfs::tools
