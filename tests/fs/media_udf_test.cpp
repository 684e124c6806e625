// Images of discs as ECMA-167 and OSTA UDF 1.02 (DVD) and 2.50 (Blu-ray) have them, made up sector by sector.

#include "fs/settings.h"
#include "tests/fs/media_file.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

using torrent::ByteRange;

constexpr std::uint64_t kSector = 2048;
constexpr std::uint64_t kGiB = 1u << 30;
constexpr std::uint64_t kStart = 300;      // the partition's first sector
constexpr std::uint64_t kMetadata = 1000;  // of a Blu-ray: the sector of the partition where its metadata begins

ByteRange sectors(std::uint64_t first, std::uint64_t count = 1) { return {first * kSector, (first + count) * kSector}; }

// A descriptor with its tag, whose fifth byte is the sum of the others.
std::string tagged(std::uint64_t tag, std::string content) {
    auto head = little(tag, 2) + little(2, 2) + little(0, 12);
    unsigned sum = 0;
    for (auto const byte : head) sum += static_cast<unsigned char>(byte);
    head[4] = static_cast<char>(sum & 0xFF);
    return head + content;
}
std::string sector(std::uint64_t tag, std::vector<std::pair<std::size_t, std::string>> const& fields) {
    std::string text(kSector, '\0');
    for (auto const& [at, field] : fields) text.replace(at, field.size(), field);
    return tagged(tag, text.substr(16));
}
std::string long_extent(std::uint64_t bytes, std::uint64_t block, std::uint64_t partition) {
    return little(bytes, 4) + little(block, 4) + little(partition, 2) + little(0, 6);
}
std::string short_extent(std::uint64_t bytes, std::uint64_t block) { return little(bytes, 4) + little(block, 4); }

std::string entry(std::string const& extents, std::uint64_t kind = 0, std::uint64_t type = 4) {
    return sector(261, {{27, big(type, 1)},
                        {34, little(kind, 2)},
                        {168, little(8, 4)},
                        {172, little(extents.size(), 4)},
                        {184, extents}});
}
std::string extended_entry(std::string const& extents) {
    return sector(266, {{27, big(4, 1)}, {34, little(0, 2)}, {212, little(extents.size(), 4)}, {216, extents}});
}
std::string name(std::string const& text, std::uint64_t is, std::uint64_t block, std::uint64_t partition) {
    auto content =
        little(1, 2) + big(is, 1) + big(text.size(), 1) + long_extent(kSector, block, partition) + little(0, 2);
    content += text;
    content.resize((16 + content.size() + 3) / 4 * 4 - 16);
    return tagged(257, content);
}
std::string directory(std::string const& text, std::uint64_t block, std::uint64_t partition = 0) {
    return name(text, 2, block, partition);
}

// With everything up to the partition; `maps`: how the volume has it.
MediaFile disc(std::string const& maps, std::uint64_t count, std::uint64_t file_set_partition) {
    MediaFile file(kGiB, "disc.iso");
    for (auto const& [at, sign] : {std::pair(16, "BEA01"), {17, "NSR03"}, {18, "TEA01"}}) {
        std::string text(kSector, '\0');
        text.replace(1, 5, sign);
        file.put(static_cast<std::uint64_t>(at) * kSector, text);
    }
    file.put(256 * kSector, sector(2, {{16, little(16 * kSector, 4)}, {20, little(32, 4)}}));
    file.put(32 * kSector, sector(1, {}) + sector(5, {{22, little(7, 2)}, {188, little(kStart, 4)}}) +
                               sector(6, {{212, little(kSector, 4)},
                                          {248, long_extent(kSector, 0, file_set_partition)},
                                          {268, little(count, 4)},
                                          {440, maps}}) +
                               sector(8, {}));
    return file;
}
MediaFile dvd() {
    auto file = disc(big(1, 1) + big(6, 1) + little(1, 2) + little(7, 2), 1, 0);
    file.put(kStart * kSector, sector(256, {{400, long_extent(kSector, 2, 0)}}));
    return file;
}

TEST(MediaUdf, FollowsADvdFromItsAnchorToItsDirectories) {
    auto file = dvd();
    file.put((kStart + 2) * kSector, entry(short_extent(900, 3)));
    file.put((kStart + 3) * kSector, name("", 10, 2, 0) + directory("VIDEO_TS", 40) + name("FILE", 0, 60, 0));
    file.put((kStart + 40) * kSector, entry(long_extent(3000, 50, 0), 1));
    file.put((kStart + 50) * kSector,
             name("", 10, 2, 0) + name("VIDEO_TS.IFO", 0, 61, 0) + name("VTS_01_1.VOB", 0, 90'000, 0));

    auto const hints = file.hints();

    EXPECT_TRUE(covers(hints.first, sectors(256)));
    EXPECT_TRUE(covers(hints.first, sectors(32, 16)));
    EXPECT_TRUE(covers(hints.first, sectors(kStart)));
    EXPECT_TRUE(covers(hints.first, sectors(kStart + 2)));
    EXPECT_TRUE(covers(hints.first, {(kStart + 3) * kSector, (kStart + 3) * kSector + 900}));
    EXPECT_TRUE(covers(hints.first, sectors(kStart + 40)));
    EXPECT_TRUE(covers(hints.first, {(kStart + 50) * kSector, (kStart + 50) * kSector + 3000}));
    EXPECT_TRUE(covers(hints.first, sectors(kStart + 60, 2))) << "where the files beside them lie";
    EXPECT_FALSE(covers(hints.first, sectors(kStart + 90'000))) << "far away it is the file's own place";
    EXPECT_TRUE(hints.index_known);
}

TEST(MediaUdf, DirectoriesMayLieInTheirEntries) {
    auto file = dvd();
    file.put((kStart + 2) * kSector, entry(directory("BACKUP", 5), 3));
    file.put((kStart + 5) * kSector, entry(short_extent(kSector, 70'000)));

    auto const hints = file.hints();

    EXPECT_TRUE(covers(hints.first, sectors(kStart + 5)));
    EXPECT_TRUE(covers(hints.first, sectors(kStart + 70'000)));
    EXPECT_TRUE(hints.index_known);
}

TEST(MediaUdf, FollowsABluRayThroughItsMetadataFile) {
    auto const plain = big(1, 1) + big(6, 1) + little(1, 2) + little(7, 2);
    std::string metadata(64, '\0');
    metadata.replace(0, 2, big(2, 1) + big(64, 1));
    metadata.replace(5, 23, "*UDF Metadata Partition");
    metadata.replace(36, 4, little(1, 2) + little(7, 2));
    metadata.replace(40, 4, little(900, 4));
    auto file = disc(plain + metadata, 2, 1);
    auto const pieces = short_extent(4 * kSector, kMetadata) + short_extent(100 * kSector, kMetadata + 500);
    file.put((kStart + 900) * kSector, extended_entry(pieces));
    file.put((kStart + kMetadata) * kSector, sector(256, {{400, long_extent(kSector, 2, 1)}}));
    file.put((kStart + kMetadata + 2) * kSector, extended_entry(short_extent(500, 3)));
    file.put((kStart + kMetadata + 3) * kSector, directory("BDMV", 10, 1));
    file.put((kStart + kMetadata + 506) * kSector, extended_entry(long_extent(0, 0, 0)));

    auto const found = file.find();

    EXPECT_TRUE(covers(found.hints.first, sectors(kStart + kMetadata, 4)));
    EXPECT_TRUE(covers(found.hints.first, sectors(kStart + kMetadata + 500, 100)));
    EXPECT_TRUE(found.hints.index_known);
    EXPECT_EQ(found.looks.back(), sectors(kStart + kMetadata + 506)) << "block 10 is the seventh of the second row";
}

TEST(MediaUdf, LooksForTheAnchorAtTheEndToo) {
    auto file = dvd();
    file.put(256 * kSector, std::string(kSector, '\0'));
    file.put((kStart + 2) * kSector, entry(directory("BACKUP", 5), 3));
    auto const last = file.size() / kSector - 1;
    file.put(last * kSector, sector(2, {{16, little(16 * kSector, 4)}, {20, little(32, 4)}}));

    EXPECT_TRUE(covers(file.hints().first, sectors(kStart + 5)));
}

TEST(MediaUdf, WhatHasNoTrueTagIsNotFollowed) {
    auto const without = [](std::uint64_t at) {
        auto file = dvd();
        file.put((kStart + 2) * kSector, entry(directory("BACKUP", 5), 3));
        auto text = file.bytes(sectors(at));
        text[4] = static_cast<char>(text[4] + 1);
        return file.put(at * kSector, text);
    };

    for (std::uint64_t const at : {std::uint64_t{256}, kStart, kStart + 2}) {
        EXPECT_FALSE(without(at).hints().index_known) << at;
        EXPECT_FALSE(covers(without(at).hints().first, sectors(kStart + 5))) << at;
    }
}

TEST(MediaUdf, ADirectoryThatHoldsItselfIsReadOnce) {
    auto file = dvd();
    file.put((kStart + 2) * kSector, entry(short_extent(kSector, 3) + short_extent(kSector, 3)));
    file.put((kStart + 3) * kSector, directory("AGAIN", 2) + directory("AND AGAIN", 2));

    EXPECT_LE(file.find().looks.size(), 12u);
}

TEST(MediaUdf, CountlessDirectoriesCostLittle) {
    auto file = dvd();
    file.put((kStart + 2) * kSector, entry(short_extent(60'000, 3)));
    std::string names;
    for (std::uint64_t i = 0; names.size() < 59'000; ++i) names += directory("D", 1000 + i * 100);
    file.put((kStart + 3) * kSector, names);
    for (std::uint64_t i = 0; i < 1000; ++i)
        file.put((kStart + 1000 + i * 100) * kSector, entry(short_extent(0x3FFFFFFF, 1000)));

    auto const found = file.find();

    std::uint64_t sum = 0;
    for (auto const& range : found.hints.first) sum += range.size();
    EXPECT_LE(found.looks.size(), 10 + 2 * fs::limit::kMediaDirectories);
    EXPECT_LE(sum, fs::limit::kMediaIndexBytes);
}

}  // namespace
}  // namespace rqfs::tests
