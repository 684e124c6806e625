#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent::tests {

// Bencoded text put together by hand, so that it may be as wrong as a test wants.
using Pairs = std::vector<std::pair<std::string, std::string>>;  // keys, and values that are encoded already

std::string integer(std::int64_t value);
std::string text(std::string_view content);
std::string list(std::vector<std::string> const& elements);
std::string dictionary(Pairs const& pairs);

// The same with one value replaced, or added at its place in the order of keys.
Pairs with(Pairs pairs, std::string const& key, std::string const& value);
Pairs without(Pairs pairs, std::string const& key);
// The same with the pair of `key` standing twice.
Pairs doubled(Pairs pairs, std::string const& key);

std::string hashes(std::size_t pieces);  // `pieces` of an info dictionary, encoded
std::string path(std::vector<std::string> const& elements);
Pairs file(std::int64_t bytes, std::vector<std::string> const& elements);

Pairs single_info();  // "film.mkv" of 100,000 bytes in 7 pieces of 16 KiB
Pairs multi_info();   // "season" with a/one of 20,000, a/two of 0 and b of 30,000 bytes in 4 pieces of 16 KiB
std::string torrent(Pairs const& info);  // a whole file: announce, creation date, info

std::span<std::byte const> bytes_of(std::string_view encoded);

}  // namespace rqfs::torrent::tests
