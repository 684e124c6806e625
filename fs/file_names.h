#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::fs {

// Makes names of files out of the untrusted path elements of torrents. Pure; never refuses a name, because refusing
// breaks real torrents.

// One path element as a file name: valid UTF-8 of 1 to 255 bytes, never "." or "..". Slashes and backslashes, control
// characters (C0, C1, DEL), characters that reorder or hide text, and bytes that are not UTF-8 become "_". A name that
// is too long keeps its extension.
std::string safe_name(std::string_view raw);

// `name` with `suffix` at its end, or before the extension when `keep_extension`; shortened to 255 bytes at a
// character's start.
std::string with_suffix(std::string_view name, std::string_view suffix, bool keep_extension);

// Whether `name` can stand in a directory as it is: a name we once chose and now read back.
bool is_usable_name(std::string_view name);

// Something that wants a name in a directory.
struct Sibling {
    std::string_view raw;
    bool directory = false;
    std::uint64_t bytes = 0;
};

// A safe name for each, all different. Of several that want one name, the one called so in the torrent keeps it,
// directories before files; the others get " (2)", " (3)" and so on before the extension. The order of `siblings`
// matters only between those that are alike in all three members. Takes time in proportion to their number.
std::vector<std::string> unique_names(std::span<Sibling const> siblings);

}  // namespace rqfs::fs
