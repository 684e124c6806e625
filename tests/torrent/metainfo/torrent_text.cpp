#include "tests/torrent/metainfo/torrent_text.h"

#include <algorithm>

namespace rqfs::torrent::tests {

std::string integer(std::int64_t value) { return "i" + std::to_string(value) + "e"; }

std::string text(std::string_view content) { return std::to_string(content.size()) + ":" + std::string(content); }

std::string list(std::vector<std::string> const& elements) {
    std::string all = "l";
    for (auto const& element : elements) all += element;
    return all + "e";
}

std::string dictionary(Pairs const& pairs) {
    std::string all = "d";
    for (auto const& [key, value] : pairs) all += text(key) + value;
    return all + "e";
}

Pairs with(Pairs pairs, std::string const& key, std::string const& value) {
    auto const place = std::find_if(pairs.begin(), pairs.end(), [&](auto const& pair) { return pair.first >= key; });
    if (place != pairs.end() && place->first == key)
        place->second = value;
    else
        pairs.insert(place, {key, value});
    return pairs;
}

Pairs without(Pairs pairs, std::string const& key) {
    std::erase_if(pairs, [&](auto const& pair) { return pair.first == key; });
    return pairs;
}

Pairs doubled(Pairs pairs, std::string const& key) {
    auto const place = std::find_if(pairs.begin(), pairs.end(), [&](auto const& pair) { return pair.first == key; });
    auto const copy = *place;
    pairs.insert(place, copy);
    return pairs;
}

std::string hashes(std::size_t pieces) { return text(std::string(20 * pieces, '#')); }

std::string path(std::vector<std::string> const& elements) {
    std::vector<std::string> encoded;
    for (auto const& element : elements) encoded.push_back(text(element));
    return list(encoded);
}

Pairs file(std::int64_t bytes, std::vector<std::string> const& elements) {
    return {{"length", integer(bytes)}, {"path", path(elements)}};
}

Pairs single_info() {
    return {{"length", integer(100'000)},
            {"name", text("film.mkv")},
            {"piece length", integer(16384)},
            {"pieces", hashes(7)}};
}

Pairs multi_info() {
    auto const files = list(
        {dictionary(file(20'000, {"a", "one"})), dictionary(file(0, {"a", "two"})), dictionary(file(30'000, {"b"}))});
    return {{"files", files}, {"name", text("season")}, {"piece length", integer(16384)}, {"pieces", hashes(4)}};
}

std::string torrent(Pairs const& info) {
    return dictionary({{"announce", text("http://tracker.example/announce")},
                       {"creation date", integer(1'700'000'000)},
                       {"info", dictionary(info)}});
}

std::span<std::byte const> bytes_of(std::string_view encoded) { return std::as_bytes(std::span(encoded)); }

}  // namespace rqfs::torrent::tests
