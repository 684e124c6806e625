#include "tests/fs/media_file.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using torrent::ByteRange;

constexpr std::uint64_t kMiB = 1u << 20;

std::string chunk(std::string const& type, std::string const& content) {
    return type + little(content.size(), 4) + content + std::string(content.size() % 2, '\0');
}
std::string list(std::string const& type, std::string const& content) { return chunk("LIST", type + content); }
std::string avih(std::uint64_t frame_microseconds, std::uint64_t frames) {
    return chunk("avih", little(frame_microseconds, 4) + little(0, 12) + little(frames, 4) + std::string(36, '\0'));
}
std::string super_index(std::vector<std::pair<std::uint64_t, std::uint64_t>> const& indexes) {
    auto content = little(4, 2) + little(0, 2) + little(indexes.size(), 4) + "00dc" + little(0, 12);
    for (auto const& [at, size] : indexes) content += little(at, 8) + little(size, 4) + little(1000, 4);
    return chunk("indx", content);
}
MediaFile film(std::string const& header, std::uint64_t movi) {
    return MediaFile()
        .add("RIFF" + little(header.size() + movi, 4) + "AVI " + list("hdrl", header) + "LIST" + little(movi + 4, 4) +
             "movi")
        .add_noise(movi);
}

TEST(MediaAvi, FindsTheIndexBehindTheFilm) {
    auto file = film(avih(40'000, 250) + list("strl", chunk("strh", std::string(56, 's'))), 700 * kMiB);
    auto const begin = file.size();
    auto const index = chunk("idx1", std::string(160'000, 'i'));
    file.add(index).add_noise(100);

    auto const hints = file.hints();

    EXPECT_EQ(hints.first, (std::vector<ByteRange>{{begin, begin + index.size()}}));
    EXPECT_EQ(hints.duration, 10s);
    EXPECT_TRUE(hints.index_known);
}

TEST(MediaAvi, SkipsThePaddingOfOddChunks) {
    auto const odd = chunk("JUNK", "odd");
    auto const file = film(odd + avih(40'000, 250), 101).add_noise(1).add(chunk("idx1", "index!"));

    EXPECT_TRUE(file.hints().index_known);
    EXPECT_EQ(file.hints().duration, 10s);
}

TEST(MediaAvi, TheWholeFilmsFramesStandInItsOpenDmlHeader) {
    auto const file = film(avih(40'000, 250) + list("odml", chunk("dmlh", little(2500, 4))), 100);

    EXPECT_EQ(file.hints().duration, 100s);
}

TEST(MediaAvi, FindsTheIndexesThatOpenDmlNames) {
    auto const file = film(
        avih(40'000, 250) + list("strl", super_index({{50 * kMiB, 5000}, {150 * kMiB, 6000}, {0, 9}, {900 * kMiB, 9}})),
        200 * kMiB);

    EXPECT_EQ(file.hints().first,
              (std::vector<ByteRange>{{50 * kMiB, 50 * kMiB + 5000}, {150 * kMiB, 150 * kMiB + 6000}}));
    EXPECT_TRUE(file.hints().index_known);
}

TEST(MediaAvi, NeedsNoMoreThanTheFirstPartOfALargeFilm) {
    auto file = film(avih(40'000, 250) + list("strl", super_index({{50 * kMiB, 5000}})), 100 * kMiB);
    file.add("RIFF" + little(100 * kMiB, 4) + "AVIX").add_noise(100 * kMiB);

    EXPECT_LE(file.find().looks.size(), 16u);
}

TEST(MediaAvi, AFilmWithoutIndexLeavesThatUnknown) {
    auto const file = film(avih(0, 250), 100 * kMiB);

    EXPECT_FALSE(file.hints().index_known);
    EXPECT_EQ(file.hints().duration, 0s);
}

TEST(MediaAvi, ManyIndexesCostLittle) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> indexes;
    for (std::uint64_t i = 1; i < 250; ++i) indexes.emplace_back(i * kMiB, 0xFFFFFF);
    auto const file = film(list("strl", super_index(indexes)), 700 * kMiB);

    std::uint64_t sum = 0;
    for (auto const& range : file.hints().first) sum += range.size();

    EXPECT_LE(sum, 64 * kMiB);
    EXPECT_LE(file.hints().first.size(), 64u);
}

}  // namespace
}  // namespace rqfs::tests
