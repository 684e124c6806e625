#include "fs/file_names.h"

#include "fs/settings.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace rqfs::fs {

namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;  // 0: not UTF-8 here
};

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

CodePoint decode(std::string_view text, std::size_t at) {
    std::uint8_t const lead = byte_at(text, at);
    if (lead < 0x80) return {lead, 1};
    std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - at < length) return {};
    char32_t value = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        std::uint8_t const next = byte_at(text, at + i);
        if ((next & 0xC0) != 0x80) return {};
        value = (value << 6) | (next & 0x3Fu);
    }
    bool const overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    bool const surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (overlong || surrogate || value > 0x10FFFF) return {};
    return {value, length};
}

// Characters that control a terminal, reorder text (bidirectional marks) or cannot be seen: a name must not look like
// another one.
bool is_unsafe(char32_t c) {
    auto const within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
    return c < 0x20 || within(0x7F, 0x9F) || c == U'/' || c == U'\\' || c == 0x061C || within(0x200B, 0x200F) ||
           within(0x202A, 0x202E) || within(0x2060, 0x2064) || within(0x2066, 0x2069) || c == 0xFEFF;
}

// Where the extension begins; the size of the name when it has none worth keeping.
std::size_t extension_start(std::string_view name) {
    std::size_t const dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || name.size() - dot > limit::kExtensionBytes) return name.size();
    return dot;
}

std::string_view shortened(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (byte_at(text, bytes) & 0xC0) == 0x80) --bytes;
    return text.substr(0, bytes);
}

// Room for a number in brackets that is never outgrown: no torrent has more than 500,000 files.
constexpr std::size_t kNumberBytes = std::string_view(" (1000000)").size();

struct Split {
    std::string_view stem;
    std::string_view extension;
};

Split split_for_number(std::string_view name, bool keep_extension) {
    std::size_t const start = keep_extension ? extension_start(name) : name.size();
    std::string_view const extension = name.substr(start);
    return {shortened(name.substr(0, start), limit::kNameBytes - kNumberBytes - extension.size()), extension};
}

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

// Gives out the names of one directory.
class Namer {
public:
    explicit Namer(std::span<Sibling const> siblings) : siblings_(siblings), previous_(siblings.size(), kNone) {
        names_.reserve(siblings.size());
        for (auto const& sibling : siblings) names_.push_back(safe_name(sibling.raw));
    }

    std::vector<std::string> run() {
        last_of_.reserve(names_.size());
        std::vector<std::string_view> contested;
        for (std::uint32_t i = 0; i < names_.size(); ++i) {
            auto const [place, is_new] = last_of_.try_emplace(names_[i], i);
            if (is_new) continue;
            if (previous_[place->second] == kNone) contested.push_back(place->first);
            previous_[i] = std::exchange(place->second, i);
        }
        std::sort(contested.begin(), contested.end());
        for (auto const name : contested) settle(name);
        // Only now: the names are the keys of the map.
        for (auto& [index, name] : renamed_) names_[index] = std::move(name);
        return std::move(names_);
    }

private:
    // Whether `a` has the better claim to the name that both want.
    bool before(std::uint32_t a, std::uint32_t b) const {
        auto const &one = siblings_[a], &other = siblings_[b];
        bool const one_changed = one.raw != names_[a], other_changed = other.raw != names_[b];
        if (one_changed != other_changed) return other_changed;
        if (one.directory != other.directory) return one.directory;
        if (int const order = one.raw.compare(other.raw); order != 0) return order < 0;
        return one.bytes != other.bytes ? one.bytes < other.bytes : a < b;
    }

    void settle(std::string_view name) {
        std::vector<std::uint32_t> rivals;
        for (std::uint32_t i = last_of_.at(name); i != kNone; i = previous_[i]) rivals.push_back(i);
        std::reverse(rivals.begin(), rivals.end());
        auto const better = [this](std::uint32_t a, std::uint32_t b) { return before(a, b); };
        if (!std::is_sorted(rivals.begin(), rivals.end(), better)) std::sort(rivals.begin(), rivals.end(), better);
        Series files = series(name, true), directories = series(name, false);
        for (std::size_t i = 1; i < rivals.size(); ++i)
            renamed_.emplace_back(rivals[i], next_name(siblings_[rivals[i]].directory ? directories : files));
    }

    // Names with the same beginning and end, and the last number given to one of them. All names that are cut to the
    // same stem share the number, so that none is tried twice.
    struct Series {
        Split split;
        std::uint32_t* number = nullptr;
    };

    Series series(std::string_view name, bool keep_extension) {
        auto const split = split_for_number(name, keep_extension);
        std::string key(split.stem);
        key.append(1, '/').append(split.extension);
        return {split, &numbers_.try_emplace(std::move(key), 1u).first->second};
    }

    std::string next_name(Series const& series) {
        for (;;) {
            std::string candidate(series.split.stem);
            candidate.append(" (").append(std::to_string(++*series.number)).append(")").append(series.split.extension);
            if (!last_of_.contains(candidate) && given_.insert(candidate).second) return candidate;
        }
    }

    std::span<Sibling const> siblings_;
    std::vector<std::string> names_;
    std::vector<std::uint32_t> previous_;  // the one before with the same name
    std::unordered_map<std::string_view, std::uint32_t> last_of_;
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::unordered_set<std::string> given_;
    std::vector<std::pair<std::uint32_t, std::string>> renamed_;
};

}  // namespace

std::string safe_name(std::string_view raw) {
    if (raw.empty() || raw == "." || raw == "..") return "_";
    std::string name;
    name.reserve(raw.size());
    for (std::size_t at = 0; at < raw.size();) {
        auto const point = decode(raw, at);
        if (point.bytes == 0 || is_unsafe(point.value))
            name.push_back('_');
        else
            name.append(raw.substr(at, point.bytes));
        at += std::max<std::size_t>(point.bytes, 1);
    }
    if (name.size() <= limit::kNameBytes) return name;
    return with_suffix(name, "", true);
}

std::string with_suffix(std::string_view name, std::string_view suffix, bool keep_extension) {
    std::size_t const start = keep_extension ? extension_start(name) : name.size();
    std::string_view const extension = name.substr(start);
    std::string result(shortened(name.substr(0, start), limit::kNameBytes - suffix.size() - extension.size()));
    return result.append(suffix).append(extension);
}

bool is_usable_name(std::string_view name) {
    return !name.empty() && name.size() <= limit::kNameBytes && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::vector<std::string> unique_names(std::span<Sibling const> siblings) { return Namer(siblings).run(); }

}  // namespace rqfs::fs
