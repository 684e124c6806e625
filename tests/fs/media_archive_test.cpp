#include "fs/settings.h"
#include "tests/fs/media_file.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

using torrent::ByteRange;

constexpr std::uint64_t kGiB = 1u << 30;

std::string end_record(std::uint64_t size, std::uint64_t offset, std::string const& comment = "") {
    return "PK\5\6" + little(0, 4) + little(7, 2) + little(7, 2) + little(size, 4) + little(offset, 4) +
           little(comment.size(), 2) + comment;
}
MediaFile archive(std::string const& name = "a") { return MediaFile(0, name).add("PK\3\4....").add_noise(kGiB); }

TEST(MediaZip, FindsTheDirectory) {
    auto file = archive();
    auto const begin = file.size();
    file.add(std::string(5000, 'd')).add(end_record(5000, begin));

    EXPECT_EQ(file.hints().first, (std::vector<ByteRange>{{begin, file.size()}}));
    EXPECT_TRUE(file.hints().index_known);
    EXPECT_EQ(file.find().looks.size(), 2u);
}

TEST(MediaZip, FindsTheDirectoryBeforeALongComment) {
    for (std::size_t const comment : {1u, 1001u, 1002u, 1003u, 65'535u}) {
        auto file = archive();
        auto const begin = file.size();
        file.add(std::string(5000, 'd')).add(end_record(5000, begin, std::string(comment, 'c')));

        EXPECT_EQ(file.hints().first, (std::vector<ByteRange>{{begin, file.size()}})) << comment;
    }
}

TEST(MediaZip, FindsTheDirectoryWhenSomethingWasPutBeforeTheFirstFile) {
    auto file = MediaFile(0, "setup.ZIP").add("MZ").add_noise(100'000);
    auto const begin = file.size();
    file.add(std::string(5000, 'd')).add(end_record(5000, begin - 100'002));

    EXPECT_EQ(file.hints().first, (std::vector<ByteRange>{{begin, file.size()}}));
}

TEST(MediaZip, FindsTheDirectoryOf64Bits) {
    auto file = archive().add_noise(5 * kGiB);
    auto const begin = file.size();
    file.add(std::string(5000, 'd'));
    auto const record = file.size();
    file.add("PK\6\6" + little(44, 8) + std::string(28, '\0') + little(5000, 8) + little(begin, 8));
    file.add("PK\6\7" + little(0, 4) + little(record, 8) + little(1, 4)).add(end_record(0xFFFFFFFF, 0xFFFFFFFF));

    EXPECT_EQ(file.hints().first, (std::vector<ByteRange>{{begin, file.size()}}));
}

TEST(MediaZip, ItsNameIsEnoughToLookAtItsEnd) {
    EXPECT_EQ(fs::MediaIndex(kGiB, "a.Cbz").next(), (ByteRange{kGiB - 1024, kGiB}));
    EXPECT_EQ(fs::MediaIndex(kGiB, "a.cbz.mp4").next(), (ByteRange{0, 64}));
    EXPECT_EQ(fs::MediaIndex(kGiB, "a.cbz").hints().first, (std::vector<ByteRange>{{kGiB - 1024, kGiB}}));
}

TEST(MediaZip, OfAFileWithoutEndRecordNothingIsWanted) {
    auto const file = archive("a.zip");

    EXPECT_EQ(file.hints(), torrent::MediaHints());
    EXPECT_EQ(file.find().looks.size(), 2u);
}

TEST(MediaZip, AWrongDirectoryIsNotWanted) {
    auto const huge = archive().add(end_record(0xFFFFFFFE, 0));
    auto const no_locator = archive().add(end_record(0xFFFFFFFF, 0xFFFFFFFF));
    auto const nowhere = archive()
                             .add("PK\6\7" + little(0, 4) + little(UINT64_MAX, 8) + little(1, 4))
                             .add(end_record(0xFFFFFFFF, 0xFFFFFFFF));
    auto const tiny = MediaFile().add("PK\5\6");

    for (auto const& file : {huge, no_locator, nowhere, tiny}) EXPECT_FALSE(file.hints().index_known);
}

constexpr std::uint64_t kSector = 2048;

std::string volume(std::uint64_t type, std::uint64_t root, std::uint64_t root_bytes, std::uint64_t table) {
    std::string text(kSector, '\0');
    text.replace(0, 6, big(type, 1) + "CD001");
    text.replace(128, 2, little(kSector, 2));
    text.replace(132, 4, little(3000, 4));
    text.replace(140, 4, little(table, 4));
    text.replace(158, 4, little(root, 4));
    text.replace(166, 4, little(root_bytes, 4));
    return text;
}
std::string sector(std::uint64_t type, std::string const& sign) {
    auto text = big(type, 1) + sign;
    text.resize(kSector);
    return text;
}

TEST(MediaIso, FindsDescriptorsRootDirectoriesAndPathTables) {
    MediaFile file(kGiB, "disc.ISO");
    file.put(16 * kSector, volume(1, 30, 4096, 20));
    file.put(17 * kSector, volume(2, 40, 2048, 25));
    file.put(18 * kSector, sector(255, "CD001"));

    auto const hints = file.hints();

    EXPECT_TRUE(covers(hints.first, {16 * kSector, 19 * kSector}));
    EXPECT_TRUE(covers(hints.first, {30 * kSector, 32 * kSector}));
    EXPECT_TRUE(covers(hints.first, {40 * kSector, 41 * kSector}));
    EXPECT_TRUE(covers(hints.first, {20 * kSector, 20 * kSector + 3000}));
    EXPECT_TRUE(hints.index_known);
    EXPECT_EQ(file.find().looks.size(), 6u) << "four sectors and two directories";
}

std::string record(std::uint64_t place, std::uint64_t bytes, std::string const& name, bool is_directory = true) {
    auto const length = (33 + name.size() + 1) / 2 * 2;
    auto text = big(length, 1) + big(0, 1) + little(place, 4) + big(place, 4) + little(bytes, 4) + big(bytes, 4);
    text += std::string(7, '\0') + big(is_directory ? 2 : 0, 1) + std::string(6, '\0') + big(name.size(), 1) + name;
    text.resize(length);
    return text;
}

TEST(MediaIso, FollowsDirectoriesOfDirectories) {
    MediaFile file(kGiB, "disc.iso");
    file.put(16 * kSector, volume(1, 30, 2 * kSector, 20));
    auto root = record(30, 2 * kSector, std::string(1, '\0')) + record(30, 2 * kSector, "\1") +
                record(9000, 70'000'000, "FILM.M2T;1", false);
    root.resize(kSector);  // no record crosses the end of a sector
    file.put(30 * kSector, root + record(500, 3000, "AUDIO") + record(100'000, kSector, "VIDEO"));
    file.put(100'000 * kSector, record(100'000, kSector, std::string(1, '\0')) + record(200'000, 7000, "DEEP"));

    auto const hints = file.hints();

    EXPECT_TRUE(covers(hints.first, {500 * kSector, 500 * kSector + 3000}));
    EXPECT_TRUE(covers(hints.first, {100'000 * kSector, 100'001 * kSector}));
    EXPECT_TRUE(covers(hints.first, {200'000 * kSector, 200'000 * kSector + 7000}));
    EXPECT_FALSE(covers(hints.first, {9000 * kSector, 9001 * kSector})) << "files are read when they are read";
    EXPECT_TRUE(hints.index_known);
}

TEST(MediaIso, ADirectoryOfCountlessDirectoriesCostsLittle) {
    MediaFile file(kGiB, "disc.iso");
    file.put(16 * kSector, volume(1, 30, 60'000, 20));
    std::string root;
    for (std::uint64_t i = 0; root.size() + kSector < 60'000; ++i) {
        std::string names;
        for (std::uint64_t j = 0; names.size() + 40 < kSector; ++j)
            names += record(1000 * (50 * i + j + 1), 0xFFFFFF, "D");
        names.resize(kSector);
        root += names;
    }
    file.put(30 * kSector, root);

    auto const found = file.find();

    std::uint64_t sum = 0;
    for (auto const& range : found.hints.first) sum += range.size();
    EXPECT_LE(found.looks.size(), 2 + fs::limit::kMediaDirectories);
    EXPECT_LE(sum, fs::limit::kMediaIndexBytes);
}

TEST(MediaIso, FindsTheAnchorOfUdfAndLeavesItsEndsToBeLookedAt) {
    MediaFile file(kGiB, "disc.iso");
    file.put(16 * kSector, sector(0, "BEA01") + sector(0, "NSR02") + sector(0, "TEA01"));

    EXPECT_TRUE(covers(file.hints().first, {256 * kSector, 257 * kSector}));
    EXPECT_FALSE(file.hints().index_known) << "where its directories are, the anchor only begins to say";
}

TEST(MediaIso, OfAnImageOfBothTheDirectoriesOfOneAreNotAll) {
    MediaFile file(kGiB, "disc.iso");
    file.put(16 * kSector, volume(1, 30, 4096, 20) + sector(255, "CD001"));
    file.put(18 * kSector, sector(0, "BEA01") + sector(0, "NSR02") + sector(0, "TEA01"));

    EXPECT_TRUE(covers(file.hints().first, {30 * kSector, 32 * kSector}));
    EXPECT_TRUE(covers(file.hints().first, {256 * kSector, 257 * kSector}));
    EXPECT_FALSE(file.hints().index_known);
}

TEST(MediaIso, IsKnownByItsContentToo) {
    MediaFile file(kGiB, "disc");
    file.put(0, std::string(16 * kSector, '\0')).put(16 * kSector, volume(1, 30, 4096, 20));

    EXPECT_TRUE(file.hints().index_known);
}

TEST(MediaIso, ZerosAloneWantNothing) {
    MediaFile file(kGiB, "zeros");
    file.put(0, std::string(64, '\0'));
    fs::MediaIndex index(file.size(), file.name());
    index.feed(std::as_bytes(std::span(std::string_view(file.bytes(*index.next())))));

    EXPECT_EQ(index.next(), (ByteRange{16 * kSector, 17 * kSector}));
    EXPECT_EQ(index.hints(), torrent::MediaHints());
    EXPECT_EQ(file.hints(), torrent::MediaHints());
}

TEST(MediaIso, EndlessDescriptorsAreLeft) {
    MediaFile file(kGiB, "disc.iso");
    for (std::uint64_t i = 16; i < 400; ++i) file.put(i * kSector, volume(1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF));

    EXPECT_LE(file.find().looks.size(), 40u);
    for (auto const& range : file.hints().first) EXPECT_LE(range.end, file.size());
}

}  // namespace
}  // namespace rqfs::tests
