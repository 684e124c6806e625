#include "torrent/metainfo/metainfo.h"

#include "tests/torrent/metainfo/processor_time.h"
#include "tests/torrent/metainfo/torrent_text.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using Path = std::vector<std::string>;

Result<std::shared_ptr<Metainfo const>> parse(Pairs const& info) {
    return Metainfo::parse_info(bytes_of(dictionary(info)));
}

// The sentence of the refusal, or "accepted".
std::string refusal(Pairs const& info) {
    auto const metainfo = parse(info);
    return metainfo ? "accepted" : metainfo.error().what;
}

Pairs with_file(Pairs const& one) {
    return with(with(multi_info(), "files", list({dictionary(one)})), "pieces", hashes(1));
}

TEST(Metainfo, ReadsASingleFile) {
    auto const metainfo = parse(single_info());

    ASSERT_TRUE(metainfo);
    auto const& torrent = **metainfo;
    EXPECT_EQ(torrent.name(), "film.mkv");
    EXPECT_TRUE(torrent.single_file());
    EXPECT_FALSE(torrent.is_private());
    ASSERT_EQ(torrent.files().size(), 1u);
    EXPECT_EQ(torrent.files()[0].path, Path{"film.mkv"});
    EXPECT_EQ(torrent.files()[0].bytes, 100'000u);
    EXPECT_EQ(torrent.pieces().pieces(), 7u);
    EXPECT_EQ(torrent.pieces().piece_bytes(), 16384u);
    EXPECT_EQ(torrent.pieces().total_bytes(), 100'000u);
    EXPECT_EQ(torrent.file_layout().total_bytes(), 100'000u);
    EXPECT_EQ(torrent.hashes().size(), 7u);
    EXPECT_EQ(torrent.hashes()[6][19], std::byte{'#'});
}

TEST(Metainfo, ReadsSeveralFilesInTheirOrder) {
    auto const metainfo = parse(multi_info());

    ASSERT_TRUE(metainfo);
    auto const& torrent = **metainfo;
    EXPECT_EQ(torrent.name(), "season");
    EXPECT_FALSE(torrent.single_file());
    ASSERT_EQ(torrent.files().size(), 3u);
    EXPECT_EQ(torrent.files()[0].path, (Path{"a", "one"}));
    EXPECT_EQ(torrent.files()[1].bytes, 0u);
    EXPECT_EQ(torrent.files()[2].path, Path{"b"});
    EXPECT_EQ(torrent.file_layout().range(FileIndex(2)), (ByteRange{20'000, 50'000}));
}

TEST(Metainfo, SeesAListOfOneFileAsADirectory) {
    auto const metainfo = parse(with_file(file(5, {"only"})));

    ASSERT_TRUE(metainfo);
    EXPECT_FALSE((*metainfo)->single_file());
}

TEST(Metainfo, HashesTheRawBytesAsTheyAre) {
    auto const sorted = dictionary(single_info());
    auto const unsorted = dictionary({{"pieces", hashes(7)},
                                      {"name", text("film.mkv")},
                                      {"length", integer(100'000)},
                                      {"piece length", integer(16384)}});

    auto const first = Metainfo::parse_info(bytes_of(sorted));
    auto const second = Metainfo::parse_info(bytes_of(unsorted));

    ASSERT_TRUE(first && second);
    EXPECT_EQ((*first)->info_hash(), InfoHash(sha1(bytes_of(sorted))));
    EXPECT_EQ((*second)->info_hash(), InfoHash(sha1(bytes_of(unsorted))));
    EXPECT_NE((*first)->info_hash(), (*second)->info_hash());
    EXPECT_TRUE(std::equal((*second)->info().begin(), (*second)->info().end(), bytes_of(unsorted).begin(),
                           bytes_of(unsorted).end()));
}

TEST(Metainfo, OutlivesTheBytesItWasReadFrom) {
    auto encoded = std::make_unique<std::string>(dictionary(multi_info()));
    auto const metainfo = Metainfo::parse_info(bytes_of(*encoded));
    encoded.reset();

    ASSERT_TRUE(metainfo);
    EXPECT_EQ((*metainfo)->name(), "season");
    EXPECT_EQ((*metainfo)->info().front(), std::byte{'d'});
}

TEST(Metainfo, PrefersNamesThatSayTheyAreUtf8) {
    auto const info = with(with(multi_info(), "name", text("\xe9t\xe9")), "name.utf-8", text("\xc3\xa9t\xc3\xa9"));
    auto one = with(file(9, {"\xe9"}), "path.utf-8", path({"\xc3\xa9"}));

    auto const named = parse(info);
    auto const filed = parse(with_file(one));

    ASSERT_TRUE(named && filed);
    EXPECT_EQ((*named)->name(), "\xc3\xa9t\xc3\xa9");
    EXPECT_EQ((*filed)->files()[0].path, Path{"\xc3\xa9"});
}

TEST(Metainfo, NeedsNoPlainNameBesideAUtf8Name) {
    auto const metainfo = parse(with(without(single_info(), "name"), "name.utf-8", text("n")));

    ASSERT_TRUE(metainfo);
    EXPECT_EQ((*metainfo)->name(), "n");
    EXPECT_EQ((*metainfo)->files()[0].path, Path{"n"});
}

TEST(Metainfo, KeepsNamesAsTheyAre) {
    Path const hostile{"..", "", "/etc/passwd", std::string("a\0b", 3), "\xff\xfe", std::string(300, 'n')};

    auto const metainfo = parse(with_file(file(9, hostile)));

    ASSERT_TRUE(metainfo);
    EXPECT_EQ((*metainfo)->files()[0].path, hostile);
}

TEST(Metainfo, ReadsTheAttributesOfBep47) {
    auto const files =
        list({dictionary(with(file(10, {"run"}), "attr", text("xh"))),
              dictionary(with(file(6, {".pad", "6"}), "attr", text("p"))),
              dictionary(with(with(file(0, {"link"}), "attr", text("l")), "symlink path", path({"a", "b"}))),
              dictionary(with(file(4, {"plain"}), "attr", text("?Z")))});

    auto const metainfo = parse(with(with(multi_info(), "files", files), "pieces", hashes(1)));

    ASSERT_TRUE(metainfo);
    auto const& read = (*metainfo)->files();
    EXPECT_TRUE(read[0].executable && read[0].hidden && !read[0].pad);
    EXPECT_TRUE(read[1].pad && !read[1].executable && !read[1].hidden);
    EXPECT_EQ(read[2].symlink, (Path{"a", "b"}));
    EXPECT_TRUE(!read[3].executable && !read[3].hidden && !read[3].pad && read[3].symlink.empty());
    EXPECT_EQ((*metainfo)->file_layout().range(FileIndex(3)), (ByteRange{16, 20}));
}

TEST(Metainfo, ReadsTheAttributesOfASingleFile) {
    auto const metainfo = parse(with(single_info(), "attr", text("x")));

    ASSERT_TRUE(metainfo);
    EXPECT_TRUE((*metainfo)->files()[0].executable);
}

TEST(Metainfo, NamesPadFilesThatHaveNoName) {
    auto const pad = with(without(file(5, {}), "path"), "attr", text("p"));

    auto const metainfo = parse(with_file(pad));

    ASSERT_TRUE(metainfo);
    EXPECT_EQ((*metainfo)->files()[0].path, (Path{".pad", "5"}));
}

TEST(Metainfo, TakesALinkWithoutATargetForAnEmptyFile) {
    auto const files = list({dictionary(file(1, {"a"})), dictionary(with(file(0, {"l"}), "attr", text("l")))});

    auto const metainfo = parse(with(with(multi_info(), "files", files), "pieces", hashes(1)));

    ASSERT_TRUE(metainfo);
    EXPECT_TRUE((*metainfo)->files()[1].symlink.empty());
}

TEST(Metainfo, ReadsPrivate) {
    EXPECT_TRUE((*parse(with(single_info(), "private", integer(1))))->is_private());
    EXPECT_FALSE((*parse(with(single_info(), "private", integer(0))))->is_private());
}

TEST(Metainfo, RefusesAVersion2TorrentWithASentence) {
    auto const v2 = parse({{"file tree", dictionary({})},
                           {"meta version", integer(2)},
                           {"name", text("n")},
                           {"piece length", integer(16384)}});
    auto const later = parse(with(single_info(), "meta version", integer(3)));

    ASSERT_FALSE(v2);
    EXPECT_EQ(v2.error().code, Errc::unsupported);
    EXPECT_EQ(v2.error().what, "this is a v2-only torrent, which is not supported; v1 and hybrid torrents are");
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().code, Errc::unsupported);
}

TEST(Metainfo, ReadsAHybridAsVersion1) {
    auto const info = with(with(single_info(), "file tree", dictionary({})), "meta version", integer(2));

    auto const metainfo = parse(info);

    ASSERT_TRUE(metainfo);
    EXPECT_EQ((*metainfo)->info_hash(), InfoHash(sha1(bytes_of(dictionary(info)))));
}

TEST(Metainfo, SaysWhichFieldIsWrong) {
    EXPECT_EQ(refusal(without(single_info(), "name")), "info.name is missing; it must be a string");
    EXPECT_EQ(refusal(with(single_info(), "name", integer(1))), "info.name must be a string, not an integer");
    EXPECT_EQ(refusal(with(single_info(), "piece length", integer(0))),
              "info.piece length must be between 1 and 536854528, not 0");
    EXPECT_EQ(refusal(with(single_info(), "piece length", text("16384"))),
              "info.piece length must be an integer, not a string");
    EXPECT_EQ(refusal(without(single_info(), "pieces")), "info.pieces is missing; it must be a string");
    EXPECT_EQ(refusal(with(single_info(), "pieces", text(std::string(21, '#')))),
              "info.pieces must be hashes of 20 bytes each, not 21 bytes");
    EXPECT_EQ(refusal(with(single_info(), "pieces", hashes(6))),
              "info.pieces must have 7 hashes for 100000 bytes in pieces of 16384, not 6");
    EXPECT_EQ(refusal(without(single_info(), "length")), "info has neither files nor length");
    EXPECT_EQ(refusal(with(multi_info(), "length", integer(50'000))),
              "info has both files and length; readers would disagree about what is in it");
    EXPECT_EQ(refusal(with(single_info(), "length", integer(-1))),
              "info.length must be between 0 and 281474976710655, not -1");
    EXPECT_EQ(refusal(with(single_info(), "private", text("1"))), "info.private must be an integer, not a string");
    EXPECT_EQ(refusal(with(single_info(), "name.utf-8", list({}))), "info.name.utf-8 must be a string, not a list");
    EXPECT_EQ(refusal(doubled(single_info(), "length")), "info has the same key twice");
}

TEST(Metainfo, SaysWhichFileIsWrong) {
    auto const second = [](std::string const& bad) {
        return with(multi_info(), "files", list({dictionary(file(50'000, {"good"})), bad}));
    };

    EXPECT_EQ(refusal(with(multi_info(), "files", list({}))), "info.files is empty; a torrent has at least one file");
    EXPECT_EQ(refusal(with(multi_info(), "files", dictionary({}))), "info.files must be a list, not a dictionary");
    EXPECT_EQ(refusal(second(text("x"))), "info.files[1] must be a dictionary, not a string");
    EXPECT_EQ(refusal(second(dictionary(without(file(0, {"x"}), "length")))),
              "info.files[1].length is missing; it must be an integer");
    EXPECT_EQ(refusal(second(dictionary(without(file(0, {"x"}), "path")))),
              "info.files[1].path must be a list of at least one string");
    EXPECT_EQ(refusal(second(dictionary(file(0, {})))), "info.files[1].path must be a list of at least one string");
    EXPECT_EQ(refusal(second(dictionary(with(file(0, {}), "path", list({integer(1)}))))),
              "info.files[1].path must hold strings, not an integer");
    EXPECT_EQ(refusal(second(dictionary(with(file(0, {}), "path", text("x"))))),
              "info.files[1].path must be a list, not a string");
    EXPECT_EQ(refusal(second(dictionary(with(file(0, {"x"}), "attr", integer(1))))),
              "info.files[1].attr must be a string, not an integer");
    EXPECT_EQ(refusal(second(dictionary(with(file(7, {"x"}), "attr", text("l"))))),
              "info.files[1].length must be between 0 and 0, not 7");
    EXPECT_EQ(refusal(second(dictionary(doubled(file(0, {"x"}), "length")))), "info.files[1] has the same key twice");
}

TEST(Metainfo, RefusesATorrentWithoutContent) {
    auto const empty = parse(with(with(multi_info(), "files", list({dictionary(file(0, {"x"}))})), "pieces", text("")));

    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code, Errc::unsupported);
    EXPECT_EQ(empty.error().what, "the torrent has no content: all its files are empty");
}

TEST(Metainfo, RefusesWhatIsNoDictionary) {
    EXPECT_EQ(Metainfo::parse_info(bytes_of("le")).error().what, "info must be a dictionary, not a list");
    EXPECT_EQ(Metainfo::parse_info(bytes_of("")).error().what,
              "the info dictionary is wrong at byte 0: the input ends where a value is expected");
    EXPECT_EQ(Metainfo::parse_info(bytes_of(dictionary(single_info()) + "x")).error().code, Errc::malformed);
}

TEST(Metainfo, RefusesPathsThatAreTooDeep) {
    EXPECT_EQ(refusal(with_file(file(9, Path(limit::kPathDepth, "d")))), "accepted");
    auto const deep = parse(with_file(file(9, Path(limit::kPathDepth + 1, "d"))));
    ASSERT_FALSE(deep);
    EXPECT_EQ(deep.error().code, Errc::too_large);
    EXPECT_EQ(deep.error().what, "info.files[0].path has 101 elements; at most 100 are allowed");
}

TEST(Metainfo, RefusesMorePiecesThanItsLimit) {
    auto const info = [](std::int64_t pieces) {
        return with(with(with(single_info(), "length", integer(pieces)), "piece length", integer(1)), "pieces",
                    hashes(static_cast<std::size_t>(pieces)));
    };

    EXPECT_EQ(refusal(info(limit::kPieces)), "accepted");
    EXPECT_EQ(parse(info(limit::kPieces + 1)).error().code, Errc::too_large);
}

TEST(Metainfo, RefusesATotalBeyondItsLimit) {
    auto const half = std::int64_t{1} << 47;
    auto const files = [](std::vector<std::int64_t> const& sizes) {
        std::vector<std::string> all;
        for (auto const bytes : sizes) all.push_back(dictionary(file(bytes, {"x"})));
        return with(with(with(multi_info(), "files", list(all)), "piece length", integer(536'854'528)), "pieces",
                    hashes(524'305));
    };

    EXPECT_EQ(refusal(files({half, half - 1})), "accepted");
    EXPECT_EQ(refusal(files({half, half})), "the files of info.files have more than 281474976710655 bytes together");
    EXPECT_EQ(parse(files(std::vector<std::int64_t>(100'000, 2 * half - 1))).error().code, Errc::too_large);
}

TEST(Metainfo, ReadsHalfAMillionFilesInTime) {
    std::string files = "l";
    for (int i = 100'000; i < 600'000; ++i)
        files +=
            "d4:attr1:x6:lengthi1e4:pathl9:directory27:a file of many, number " + std::to_string(i).substr(2) + "ee";
    auto const info = with(with(multi_info(), "files", files + "e"), "pieces", hashes(31));
    auto const encoded = torrent(info);

    std::size_t found = 0;
    auto const took =
        processor_time([&] { found = TorrentDocument::parse(bytes_of(encoded)).value().metainfo->files().size(); }, 1);

    EXPECT_EQ(found, 500'000u);
    EXPECT_LT(took, 2s * kSlowerBuild);
}

TEST(Metainfo, RefusesMoreFilesThanItsLimit) {
    std::string files = "l";
    for (std::size_t i = 0; i <= limit::kFiles; ++i) files += "d6:lengthi1e4:pathl1:xee";

    auto const metainfo = parse(with(multi_info(), "files", files + "e"));

    ASSERT_FALSE(metainfo);
    EXPECT_EQ(metainfo.error().what, "info.files has 500001 files; at most 500000 are allowed");
}

}  // namespace
}  // namespace rqfs::torrent
