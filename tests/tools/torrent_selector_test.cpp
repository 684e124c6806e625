#include "tools/rqfs/torrent_selector.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace rqfs::tools;
using namespace rqfs::torrent;

TorrentStatus torrent(std::string hash_begin, std::string name, std::string directory = {}) {
    TorrentStatus status;
    hash_begin.resize(40, '0');
    status.info_hash = InfoHash::parse(hash_begin).value();
    status.directory = directory.empty() ? name : std::move(directory);
    status.name = std::move(name);
    return status;
}

std::string selected(std::string const& text, std::vector<TorrentStatus> const& torrents) {
    auto const found = select_torrent(text, torrents);
    if (auto const* const error = std::get_if<ErrorReply>(&found)) return error->kind;
    return std::get<InfoHash>(found).short_hex();
}

TEST(TorrentSelector, FindsByHashNameAndPrefix) {
    std::vector<TorrentStatus> const torrents{torrent("aaaa1111", "Film"), torrent("aaaa2222", "Song"),
                                              torrent("bbbb", "Film 2")};

    EXPECT_EQ(selected("aaaa1111" + std::string(32, '0'), torrents), "aaaa1111");
    EXPECT_EQ(selected("Song", torrents), "aaaa2222");
    EXPECT_EQ(selected("B", torrents), "bbbb0000");
    EXPECT_EQ(selected("aaaa2", torrents), "aaaa2222");
    EXPECT_EQ(selected("Film 2", torrents), "bbbb0000");
}

TEST(TorrentSelector, SaysWhenNothingOrTooMuchFits) {
    std::vector<TorrentStatus> const torrents{torrent("aaaa1111", "Film"),
                                              torrent("aaaa2222", "Film", "Film [aaaa2222]")};

    EXPECT_EQ(selected("aaaa", torrents), "ambiguous");
    EXPECT_EQ(selected("Film", torrents), "ambiguous");
    EXPECT_EQ(selected("Film [aaaa2222]", torrents), "aaaa2222");
    EXPECT_EQ(selected("film", torrents), "not_found");
    EXPECT_EQ(selected("c", torrents), "not_found");
    EXPECT_EQ(selected("", torrents), "not_found");
}

TEST(TorrentSelector, PrefersANameToAPrefix) {
    EXPECT_EQ(selected("abba", {torrent("abba99", "Song"), torrent("1111", "abba")}), "11110000");
}

TEST(TorrentSelector, ListsTheCandidates) {
    auto const found = select_torrent("a", {torrent("a1", "Film"), torrent("a2", "Bad\nName")});

    auto const& error = std::get<ErrorReply>(found);
    EXPECT_EQ(error.status, 409u);
    EXPECT_EQ(error.candidates.size(), 2u);
    EXPECT_EQ(error.message, "\"a\" fits 2 torrents: a1000000 Film, a2000000 Bad\\x0aName");
}

std::string files(std::string const& text) {
    std::vector<std::string> const paths{"Film/a.mkv",  "Film/extra/a.srt", "Film/extra/b.srt",
                                         "other/b.srt", ".pad/1",           "2"};
    std::vector<FileStatus> known(paths.size());
    for (std::size_t i = 0; i < paths.size(); ++i) {
        known[i].index = FileIndex(static_cast<std::uint32_t>(i));
        known[i].path = paths[i];
        known[i].pad = paths[i].starts_with(".pad");
    }
    auto const found = select_files(text, known);
    if (auto const* const error = std::get_if<ErrorReply>(&found)) return error->kind;
    std::string list;
    for (auto const index : std::get<0>(found)) list += std::to_string(index.value());
    return list;
}

TEST(FileSelector, TakesPathDirectoryNameAndNumber) {
    EXPECT_EQ(files("Film/a.mkv"), "0");
    EXPECT_EQ(files("Film"), "012");
    EXPECT_EQ(files("Film/extra/"), "12");
    EXPECT_EQ(files("a.srt"), "1");
    EXPECT_EQ(files("3"), "3");
    EXPECT_EQ(files("2"), "5");  // a file of that name comes before the number
}

TEST(FileSelector, RefusesWhatItDoesNotKnow) {
    EXPECT_EQ(files("b.srt"), "ambiguous");
    EXPECT_EQ(files("c.srt"), "not_found");
    EXPECT_EQ(files("4"), "not_found");  // a pad file
    EXPECT_EQ(files("99"), "not_found");
    EXPECT_EQ(files(""), "not_found");
    EXPECT_EQ(files("/"), "not_found");
}

}  // namespace
