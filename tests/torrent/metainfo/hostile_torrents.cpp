#include "tests/torrent/metainfo/hostile_torrents.h"

#include "tests/torrent/metainfo/torrent_text.h"

#include <cctype>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>

namespace rqfs::torrent::tests {

namespace {

using Torrents = std::vector<HostileTorrent>;
__extension__ using Wide = __int128;  // holds 2^64 and more

std::string decimal(Wide value) {
    if (value < 0) return "-" + decimal(-value);
    std::string const last(1, static_cast<char>('0' + static_cast<int>(value % 10)));
    return value < 10 ? last : decimal(value / 10) + last;
}

// Every power of two up to 2^64 and its neighbours, both signs, and the limits of limits.h.
std::set<Wide> boundary_values() {
    std::set<Wide> values{0, 10, 16384, 536'854'527, 536'854'528, 536'854'529, Wide{1} << 100};
    for (int bit = 0; bit <= 64; ++bit)
        for (int const change : {-1, 0, 1})
            for (int const sign : {-1, 1}) values.insert(sign * ((Wide{1} << bit) + change));
    return values;
}

// A torrent of one integer field: with this text between 'i' and 'e' it is accepted when the value lies in the range.
struct IntegerField {
    std::string name;
    Wide least;
    Wide most;
    std::function<std::string(std::string const& encoded)> make;
};

constexpr Wide kLeast = std::numeric_limits<std::int64_t>::min();
constexpr Wide kMost = std::numeric_limits<std::int64_t>::max();
constexpr Wide kPieceMost = 536'854'528;

std::string with_files(std::vector<Pairs> const& files) {
    std::vector<std::string> encoded;
    for (auto const& one : files) encoded.push_back(dictionary(one));
    return list(encoded);
}

// One piece of the largest length there is, so that a size is refused for itself and not for its number of pieces.
Pairs one_piece(Pairs info) { return with(with(info, "pieces", hashes(1)), "piece length", integer(536'854'528)); }

std::vector<IntegerField> integer_fields() {
    auto const in_info = [](std::string const& key) {
        return [key](std::string const& encoded) { return torrent(with(single_info(), key, encoded)); };
    };
    return {
        {"info.length", 1, kPieceMost,
         [](std::string const& encoded) { return torrent(with(one_piece(single_info()), "length", encoded)); }},
        {"info.piece length", 1, kPieceMost,
         [](std::string const& encoded) {
             auto const one_byte = with(with(single_info(), "length", integer(1)), "pieces", hashes(1));
             return torrent(with(one_byte, "piece length", encoded));
         }},
        {"info.files[1].length", 0, kPieceMost - 1,
         [](std::string const& encoded) {
             auto const files = with_files({file(1, {"a"}), with(file(0, {"b"}), "length", encoded)});
             return torrent(with(one_piece(multi_info()), "files", files));
         }},
        {"info.private", kLeast, kMost, in_info("private")},
        {"info.meta version", kLeast, 2, in_info("meta version")},
        {"info.unknown", kLeast, kMost, in_info("unknown")},
        {"creation date", kLeast, kMost,
         [](std::string const& encoded) {
             return dictionary({{"creation date", encoded}, {"info", dictionary(single_info())}});
         }},
    };
}

void add_integers(Torrents& all) {
    for (auto const& field : integer_fields()) {
        for (auto const value : boundary_values())
            all.push_back({field.name + " = " + decimal(value), field.make("i" + decimal(value) + "e"),
                           value >= field.least && value <= field.most,
                           value >= kLeast && value <= kMost ? "" : "64 bits"});
        for (char const* text : {"", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "--1", "1-",
                                 "99999999999999999999", "-99999999999999999999", "\xd9\xa1"})
            all.push_back(
                {field.name + " = '" + text + "'", field.make("i" + std::string(text) + "e"), false, "at byte"});
    }
}

void add_types(Torrents& all) {
    struct Field {
        std::string key;
        char type;
    };
    std::vector<std::pair<char, std::string>> const values{
        {'i', integer(1)}, {'s', text("1")}, {'l', list({})}, {'d', dictionary({})}};
    auto const each = [&](Pairs const& good, std::vector<Field> const& fields, std::string const& name,
                          std::function<std::string(Pairs const&)> const& make) {
        for (auto const& [key, type] : fields)
            for (auto const& [other, value] : values)
                if (other != type)
                    all.push_back({name + "." + key + " of type " + other, make(with(good, key, value)), false,
                                   name + "." + key});
    };
    auto const whole = [](Pairs const& info) { return torrent(info); };
    each(single_info(),
         {{"length", 'i'},
          {"name", 's'},
          {"name.utf-8", 's'},
          {"piece length", 'i'},
          {"pieces", 's'},
          {"private", 'i'},
          {"meta version", 'i'},
          {"attr", 's'}},
         "info", whole);
    each(multi_info(), {{"files", 'l'}}, "info", whole);
    each(file(50'000, {"x"}), {{"length", 'i'}, {"path", 'l'}, {"path.utf-8", 'l'}, {"attr", 's'}}, "info.files[0]",
         [](Pairs const& one) { return torrent(with(multi_info(), "files", with_files({one}))); });
    each(with(file(0, {"x"}), "attr", text("l")), {{"symlink path", 'l'}}, "info.files[1]", [](Pairs const& one) {
        return torrent(with(multi_info(), "files", with_files({file(50'000, {"a"}), one})));
    });
    for (auto const& [type, value] : values) {
        if (type != 'd') {
            all.push_back({"a file of another type", torrent(with(multi_info(), "files", list({value}))), false,
                           "info.files[0]"});
            all.push_back({"info of another type", dictionary({{"info", value}}), false, "info must be"});
            all.push_back({"no dictionary at all", value, false, "not a torrent file"});
        }
        auto const odd_path = with(file(50'000, {}), "path", list({text("a"), value}));
        all.push_back({"a path element of another type", torrent(with(multi_info(), "files", with_files({odd_path}))),
                       type == 's', type == 's' ? "" : "info.files[0].path"});
    }
}

void add_missing_and_doubled(Torrents& all) {
    for (auto const& [key, value] : single_info()) {
        all.push_back({"no info." + key, torrent(without(single_info(), key)), false, key});
        all.push_back({"twice info." + key, torrent(doubled(single_info(), key)), false, "twice"});
    }
    for (auto const& [key, value] : multi_info()) {
        all.push_back({"no info." + key, torrent(without(multi_info(), key)), false, key});
        all.push_back({"twice info." + key, torrent(doubled(multi_info(), key)), false, "twice"});
    }
    auto const good = file(50'000, {"x"});
    for (auto const& [key, value] : good) {
        auto const make = [](Pairs const& one) { return torrent(with(multi_info(), "files", with_files({one}))); };
        all.push_back({"no info.files[0]." + key, make(without(good, key)), false, "info.files[0]." + key});
        all.push_back({"twice info.files[0]." + key, make(doubled(good, key)), false, "twice"});
        Pairs apart = with(good, "zzz", integer(1));
        apart.push_back({key, value});
        all.push_back({"twice, but apart, info.files[0]." + key, make(apart), false, "twice"});
    }
}

// Where the bytes of a torrent are structure and not the content of strings.
std::vector<std::size_t> structure_of(std::string const& encoded) {
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at < encoded.size();) {
        std::size_t length = 0;
        bool const is_string = std::isdigit(static_cast<unsigned char>(encoded[at])) != 0;
        if (encoded[at] == 'i')
            for (; encoded[at] != 'e'; ++at) places.push_back(at);
        while (is_string && encoded[at] != ':') {
            length = length * 10 + static_cast<std::size_t>(encoded[at] - '0');
            places.push_back(at++);
        }
        places.push_back(at);
        at += 1 + length;
    }
    return places;
}

void add_broken_structure(Torrents& all) {
    for (auto const& good : {torrent(single_info()), torrent(multi_info())}) {
        for (std::size_t length = 0; length < good.size(); ++length)
            all.push_back(
                {"cut to " + std::to_string(length), good.substr(0, length), false, "this is not a torrent file"});
        for (auto const place : structure_of(good))
            for (char const bad : {'x', '\0', ' ', '\xff'}) {
                auto broken = good;
                broken[place] = bad;
                all.push_back(
                    {"byte " + std::to_string(place) + " overwritten", broken, false, "this is not a torrent file"});
            }
    }
}

void add_string_lengths(Torrents& all) {
    for (auto const value : boundary_values()) {
        if (value == 8) continue;  // the right one
        auto const name = decimal(value) + ":film.mkv";
        all.push_back(
            {"a name of " + decimal(value) + " bytes", torrent(with(single_info(), "name", name)), false, ""});
    }
    all.push_back(
        {"a length with a leading zero", torrent(with(single_info(), "name", "08:film.mkv")), false, "leading zero"});
}

void add_piece_counts(Torrents& all) {
    for (std::size_t bytes = 0; bytes <= 200; ++bytes)
        all.push_back({"pieces of " + std::to_string(bytes) + " bytes",
                       torrent(with(single_info(), "pieces", text(std::string(bytes, '#')))), bytes == 140,
                       bytes == 140 ? "" : "info.pieces"});
    for (std::int64_t piece = 1; piece < 60; ++piece)
        all.push_back({"60 bytes in pieces of " + std::to_string(piece),
                       torrent(with(with(with(single_info(), "length", integer(60)), "piece length", integer(piece)),
                                    "pieces", hashes(4))),
                       piece >= 15 && piece < 20, ""});
}

void add_names(Torrents& all) {
    std::vector<std::string> const names{"",
                                         ".",
                                         "..",
                                         "/",
                                         "\\",
                                         "/etc/passwd",
                                         "..\\..\\x",
                                         "a/b",
                                         std::string(1, '\0'),
                                         "Icon\r",
                                         "\x1b[31m",
                                         "con",
                                         "a:b",
                                         "\xe2\x80\xae",
                                         "\xef\xbb\xbf",
                                         "\xff",
                                         "\xc0\xaf",
                                         "\xed\xa0\x80",
                                         "<img src=x onerror=alert(1)>",
                                         "$(reboot)",
                                         "%2e%2e",
                                         std::string(256, 'n'),
                                         std::string(100'000, 'n')};
    for (auto const& name : names) {
        all.push_back(
            {"the name '" + name.substr(0, 40) + "'", torrent(with(single_info(), "name", text(name))), true, ""});
        all.push_back({"the path '" + name.substr(0, 40) + "'",
                       torrent(with(multi_info(), "files", with_files({file(50'000, {"..", name, name})}))), true, ""});
    }
    std::vector<Pairs> const same(20'000, file(1, {"same"}));
    all.push_back({"20,000 equal names",
                   torrent(with(with(multi_info(), "files", with_files(same)), "pieces", hashes(2))), true, ""});
    for (std::size_t const depth : {1u, 99u, 100u, 101u, 5'000u, 100'000u}) {
        std::vector<std::string> const deep(depth, "d");
        all.push_back({"a path of depth " + std::to_string(depth),
                       torrent(with(multi_info(), "files", with_files({file(50'000, deep)}))), depth <= 100,
                       depth <= 100 ? "" : "info.files[0].path"});
    }
}

void add_bombs(Torrents& all) {
    auto const repeated = [](std::string const& unit, std::size_t times) {
        std::string bomb;
        bomb.reserve(unit.size() * times);
        for (std::size_t i = 0; i < times; ++i) bomb += unit;
        return bomb;
    };
    for (std::size_t const depth : {100u, 200u, 1'000u, 100'000u, 1'000'000u})
        for (std::string const unit : {"l", "d1:a"}) {
            std::string const open = unit == "l" ? "" : "i1e";
            auto const nested = repeated(unit, depth) + open + std::string(depth, 'e');
            all.push_back(
                {"nested " + std::to_string(depth), torrent(with(single_info(), "zzz", nested)), depth == 100, ""});
            all.push_back({"nested before the info " + std::to_string(depth),
                           dictionary({{"a", nested}, {"info", dictionary(single_info())}}), depth == 100, ""});
            all.push_back({"never closed " + std::to_string(depth), "d4:info" + repeated(unit, depth), false, ""});
        }
    all.push_back({"many empty files",
                   torrent(with(with(multi_info(), "files", list({repeated("d6:lengthi0e4:pathl0:ee", 10'000)})),
                                "pieces", text(""))),
                   false, "no content"});
    all.push_back(
        {"files and length", torrent(with(multi_info(), "length", integer(50'000))), false, "both files and length"});
    all.push_back({"no files", torrent(with(multi_info(), "files", list({}))), false, "info.files is empty"});
    all.push_back({"v2 alone",
                   torrent({{"file tree", dictionary({})},
                            {"meta version", integer(2)},
                            {"name", text("n")},
                            {"piece length", integer(16384)}}),
                   false, "v2-only"});
    auto const largest = Wide{1} << 48;
    all.push_back({"a total of 2^48",
                   torrent(with(one_piece(multi_info()), "files",
                                with_files({file(static_cast<std::int64_t>(largest - 1), {"a"}), file(1, {"b"})}))),
                   false, "bytes together"});
}

}  // namespace

std::vector<HostileTorrent> hostile_torrents() {
    Torrents all;
    add_integers(all);
    add_types(all);
    add_missing_and_doubled(all);
    add_broken_structure(all);
    add_string_lengths(all);
    add_piece_counts(all);
    add_names(all);
    add_bombs(all);
    return all;
}

}  // namespace rqfs::torrent::tests
