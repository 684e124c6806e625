#include "torrent/metainfo/file_layout.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace rqfs::torrent {
namespace {

TEST(FileLayout, IsEmptyWithoutFiles) {
    FileLayout const layout;

    EXPECT_EQ(layout.files(), 0u);
    EXPECT_EQ(layout.total_bytes(), 0u);
    EXPECT_TRUE(layout.parts({0, 0}).empty());
}

TEST(FileLayout, PutsFilesOneAfterTheOther) {
    FileLayout const layout({3, 0, 5});

    EXPECT_EQ(layout.files(), 3u);
    EXPECT_EQ(layout.total_bytes(), 8u);
    EXPECT_EQ(layout.range(FileIndex(0)), (ByteRange{0, 3}));
    EXPECT_EQ(layout.range(FileIndex(1)), (ByteRange{3, 3}));
    EXPECT_EQ(layout.range(FileIndex(2)), (ByteRange{3, 8}));
}

TEST(FileLayout, TurnsARangeOfAFileIntoOneOfTheTorrent) {
    FileLayout const layout({3, 0, 5});

    EXPECT_EQ(layout.in_torrent(FileIndex(0), {1, 2}), (ByteRange{1, 2}));
    EXPECT_EQ(layout.in_torrent(FileIndex(1), {0, 0}), (ByteRange{3, 3}));
    EXPECT_EQ(layout.in_torrent(FileIndex(2), {0, 5}), (ByteRange{3, 8}));
}

TEST(FileLayout, GivesNoPartsOfAnEmptyRange) {
    FileLayout const layout({3, 0, 5});

    for (std::uint64_t at = 0; at <= 8; ++at) EXPECT_TRUE(layout.parts({at, at}).empty());
}

TEST(FileLayout, NeverGivesAnEmptyFile) {
    FileLayout const layout({0, 0, 2, 0, 0, 3, 0});

    auto const parts = layout.parts({0, 5});

    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].file, FileIndex(2));
    EXPECT_EQ(parts[0].range, (ByteRange{0, 2}));
    EXPECT_EQ(parts[1].file, FileIndex(5));
    EXPECT_EQ(parts[1].range, (ByteRange{0, 3}));
}

// Which file and which byte of it every byte of the torrent is, the slow and plain way.
std::vector<std::pair<std::uint32_t, std::uint64_t>> byte_by_byte(std::vector<std::uint64_t> const& file_bytes) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> owners;
    for (std::uint32_t file = 0; file < file_bytes.size(); ++file)
        for (std::uint64_t at = 0; at < file_bytes[file]; ++at) owners.push_back({file, at});
    return owners;
}

TEST(FileLayout, SplitsEveryRangeAsASlowWalkOverItsBytesDoes) {
    std::mt19937 random(20240607);
    for (int round = 0; round < 60; ++round) {
        std::vector<std::uint64_t> file_bytes(1 + random() % 8);
        for (auto& bytes : file_bytes) bytes = random() % 3 == 0 ? 0 : random() % 7;
        FileLayout const layout(file_bytes);
        auto const owners = byte_by_byte(file_bytes);

        for (std::uint64_t begin = 0; begin <= owners.size(); ++begin)
            for (std::uint64_t end = begin; end <= owners.size(); ++end) {
                auto at = begin;
                for (auto const& part : layout.parts({begin, end})) {
                    ASSERT_FALSE(part.range.empty());
                    for (auto byte = part.range.begin; byte < part.range.end; ++byte, ++at) {
                        ASSERT_LT(at, end);
                        ASSERT_EQ(owners[at].first, part.file.value());
                        ASSERT_EQ(owners[at].second, byte);
                    }
                    ASSERT_EQ(layout.in_torrent(part.file, part.range).end, at);
                }
                ASSERT_EQ(at, end) << "round " << round;
            }
    }
}

TEST(FileLayout, FindsTheFileInAVeryLargeTorrent) {
    FileLayout const layout(std::vector<std::uint64_t>(500'000, (std::uint64_t{1} << 48) / 500'000));
    auto const last = layout.range(FileIndex(499'999));

    auto const parts = layout.parts({last.begin - 1, last.begin + 1});

    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].file, FileIndex(499'998));
    EXPECT_EQ(parts[1].file, FileIndex(499'999));
    EXPECT_EQ(parts[1].range, (ByteRange{0, 1}));
}

}  // namespace
}  // namespace rqfs::torrent
