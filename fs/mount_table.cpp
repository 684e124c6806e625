#include "fs/mount_table.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <iterator>

namespace rqfs::fs {

namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// Spaces, tabs, line ends and backslashes stand as \040 and the like.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool const escape = text[i] == '\\' && text.size() - i > 3 && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                            is_octal(text[i + 3]);
        if (!escape) {
            plain.push_back(text[i]);
            continue;
        }
        plain.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
        i += 3;
    }
    return plain;
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        auto const end = std::min(line.find(' '), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

std::optional<MountEntry> parse_line(std::string_view line) {
    // ID PARENT MAJOR:MINOR ROOT PATH OPTIONS [TAG...] - TYPE SOURCE OPTIONS
    constexpr std::size_t kPath = 4;
    constexpr std::ptrdiff_t kFirstTag = 6;
    auto const words = words_of(line);
    if (words.size() < kFirstTag) return std::nullopt;
    auto const dash = std::find(words.begin() + kFirstTag, words.end(), "-");
    if (words.end() - dash < 3) return std::nullopt;
    MountEntry entry;
    auto const id = words[0];
    if (std::from_chars(id.data(), id.data() + id.size(), entry.id).ec != std::errc()) return std::nullopt;
    entry.path = unescaped(words[kPath]);
    entry.type = dash[1];
    entry.source = unescaped(dash[2]);
    return entry;
}

}  // namespace

std::vector<MountEntry> parse_mount_table(std::string_view text) {
    std::vector<MountEntry> table;
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        if (auto entry = parse_line(text.substr(0, end))) table.push_back(std::move(*entry));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return table;
}

std::vector<MountEntry> read_mount_table() {
    std::ifstream file("/proc/self/mountinfo");
    std::string const text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    return parse_mount_table(text);
}

std::optional<MountEntry> mounted_at(std::vector<MountEntry> const& table, std::string_view path) {
    auto const top =
        std::find_if(table.rbegin(), table.rend(), [path](MountEntry const& entry) { return entry.path == path; });
    if (top == table.rend()) return std::nullopt;
    return *top;
}

bool has_mount(std::vector<MountEntry> const& table, int id) {
    return std::any_of(table.begin(), table.end(), [id](MountEntry const& entry) { return entry.id == id; });
}

}  // namespace rqfs::fs
