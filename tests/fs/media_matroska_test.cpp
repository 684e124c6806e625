#include "tests/fs/media_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;
using torrent::ByteRange;

constexpr std::uint64_t kGiB = 1u << 30;

constexpr std::uint64_t kSeekHead = 0x114D9B74;
constexpr std::uint64_t kInfo = 0x1549A966;
constexpr std::uint64_t kTracks = 0x1654AE6B;
constexpr std::uint64_t kCues = 0x1C53BB6B;
constexpr std::uint64_t kTags = 0x1254C367;
constexpr std::uint64_t kAttachments = 0x1941A469;
constexpr std::uint64_t kCluster = 0x1F43B675;
constexpr std::uint64_t kVoid = 0xEC;

std::string id_of(std::uint64_t id) { return big(id, id > 0xFFFFFF ? 4 : id > 0xFFFF ? 3 : id > 0xFF ? 2 : 1); }
// Sizes of eight bytes, so that positions are known before their values are.
std::string head(std::uint64_t id, std::uint64_t size) { return id_of(id) + big(size | 1ull << 56, 8); }
std::string element(std::uint64_t id, std::string const& content) { return head(id, content.size()) + content; }

std::string seek_head(std::vector<std::pair<std::uint64_t, std::uint64_t>> const& places) {
    std::string content;
    for (auto const& [id, position] : places)
        content += element(0x4DBB, element(0x53AB, big(id, 4)) + element(0x53AC, big(position, 8)));
    return element(kSeekHead, content);
}
std::string info(double duration, std::uint64_t scale = 1'000'000) {
    return element(kInfo,
                   element(0x2AD7B1, big(scale, 4)) + element(0x4489, big(std::bit_cast<std::uint64_t>(duration), 8)));
}

std::string const kEbml = element(0x1A45DFA3, element(0x4282, "matroska"));
std::string const kUnknownSegment = "\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF";

// `content` is the beginning of the Segment.
MediaFile film(std::string const& content, std::uint64_t more) {
    return MediaFile().add(kEbml).add(head(0x18538067, content.size() + more)).add(content).add_noise(more);
}
std::uint64_t const kSegmentBegin = kEbml.size() + 12;

TEST(MediaMatroska, FindsTheCuesBehindTheFilm) {
    auto const content = seek_head({{kInfo, 100}, {kCues, kGiB}}) + info(5'400'000) + element(kTracks, "tracks");
    auto file = film(content + head(kCluster, kGiB - content.size()), kGiB + 1'000'000);
    auto const cues = element(kCues, std::string(70'000, 'c'));
    file.put(kSegmentBegin + kGiB, cues);

    auto const found = file.find();

    EXPECT_EQ(found.hints.later, (std::vector<ByteRange>{{kSegmentBegin + kGiB, kSegmentBegin + kGiB + cues.size()}}));
    EXPECT_EQ(found.hints.duration, 5400s);
    EXPECT_TRUE(found.hints.index_known);
    EXPECT_TRUE(covers(found.hints.first, {kSegmentBegin, kSegmentBegin + content.size()}));
}

TEST(MediaMatroska, WantsEverythingTheSeekHeadNamesAtOnce) {
    auto const content = seek_head({{kCues, kGiB}, {kTags, kGiB + 50'000'000}});
    auto const file = film(content + head(kCluster, 2 * kGiB), 2 * kGiB);
    fs::MediaIndex index(file.size(), "");
    while (index.next()->begin < kGiB)
        index.feed(std::as_bytes(std::span(std::string_view(file.bytes(*index.next())))));

    auto const cues = kSegmentBegin + kGiB;
    EXPECT_EQ(index.hints().later, (std::vector<ByteRange>{{cues, cues + 12}}));
    EXPECT_TRUE(covers(index.hints().first, {cues + 50'000'000, cues + 50'000'012}));
}

TEST(MediaMatroska, TagsAndAttachmentsAtTheEndAreNeededFirst) {
    auto const content = seek_head({{kTags, kGiB}, {kAttachments, kGiB + 1'000'000}});
    auto file = film(content + head(kCluster, kGiB / 2), kGiB + 5'000'000);
    file.put(kSegmentBegin + kGiB, element(kTags, std::string(500, 't')));
    file.put(kSegmentBegin + kGiB + 1'000'000, head(kAttachments, 3'000'000));

    auto const hints = file.hints();

    EXPECT_TRUE(covers(hints.first, {kSegmentBegin + kGiB, kSegmentBegin + kGiB + 512}));
    EXPECT_TRUE(covers(hints.first, {kSegmentBegin + kGiB + 1'000'000, kSegmentBegin + kGiB + 4'000'012}));
}

TEST(MediaMatroska, FollowsASecondSeekHead) {
    auto file = film(seek_head({{kSeekHead, kGiB}}) + head(kCluster, kGiB / 2), kGiB + 5'000'000);
    file.put(kSegmentBegin + kGiB, seek_head({{kCues, kGiB + 100'000}, {kSeekHead, kGiB}}));
    auto const cues = element(kCues, std::string(7000, 'c'));
    file.put(kSegmentBegin + kGiB + 100'000, cues);

    auto const begin = kSegmentBegin + kGiB + 100'000;
    EXPECT_TRUE(covers(file.hints().later, {begin, begin + cues.size()}));
}

TEST(MediaMatroska, CuesBeforeTheFilmNeedNoSeekHead) {
    auto const cues = element(kCues, std::string(7000, 'c'));
    auto const file = film(info(1000) + element(kVoid, std::string(3000, 'v')) + cues + head(kCluster, 100), kGiB);

    auto const found = file.find();

    EXPECT_EQ(found.hints.later.size(), 1u);
    EXPECT_EQ(found.hints.later[0].size(), cues.size());
    EXPECT_TRUE(found.hints.index_known);
    for (auto const& look : found.looks) EXPECT_LT(look.end, 20'000u);
}

TEST(MediaMatroska, ASegmentOfUnknownSizeReachesToTheEnd) {
    auto const content = seek_head({{kCues, 10'000'000}}) + info(61'000) + head(kCluster, 100);
    auto file = MediaFile().add(kEbml).add(kUnknownSegment).add(content).add_noise(20'000'000);
    auto const cues = element(kCues, std::string(7000, 'c'));
    file.put(kSegmentBegin + 10'000'000, cues);

    EXPECT_EQ(file.hints().duration, 61s);
    EXPECT_EQ(file.hints().later[0].size(), cues.size());
}

TEST(MediaMatroska, AStreamWithoutIndexLeavesThatUnknown) {
    auto const file = film(element(kTracks, "tracks") + "\x1F\x43\xB6\x75\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF", kGiB);

    EXPECT_FALSE(file.hints().index_known);
    EXPECT_EQ(file.hints().duration, 0s);
}

TEST(MediaMatroska, ReadsTheDurationInItsScale) {
    auto const of = [](double duration, std::uint64_t scale) {
        return film(info(duration, scale), 0).hints().duration;
    };

    EXPECT_EQ(of(1000, 1'000'000), 1s);
    EXPECT_EQ(of(500, 100'000'000), 50s);
    EXPECT_EQ(of(-5, 1'000'000), 0s);
    EXPECT_EQ(of(std::bit_cast<double>(0x7FF0000000000000ull), 1'000'000), 0s);
    EXPECT_EQ(of(std::bit_cast<double>(0x7FF8000000000000ull), 1'000'000), 0s);
    EXPECT_EQ(of(1e300, 1'000'000), 0s);
    auto const single = element(kInfo, element(0x4489, big(std::bit_cast<std::uint32_t>(2000.0f), 4)));
    EXPECT_EQ(film(single, 0).hints().duration, 2s);
}

TEST(MediaMatroska, PlacesBeyondTheFileOrOfSomethingElseAreIgnored) {
    auto const content = seek_head({{kCues, UINT64_MAX}, {kTags, kGiB}, {kCues, 500'000}, {kAttachments, 5 * kGiB}});
    auto const file = film(content + head(kCluster, 100), kGiB);

    auto const found = file.find();

    for (auto const& ranges : {found.hints.first, found.hints.later})
        for (auto const& range : ranges) {
            EXPECT_LE(range.end, file.size());
            EXPECT_LT(range.size(), 1000u);
        }
}

TEST(MediaMatroska, ManyPlacesCostLittle) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
    for (std::uint64_t i = 1; i <= 100; ++i) places.emplace_back(kSeekHead, i * 1'000'000);
    auto const content = seek_head(places);
    auto file = film(content + head(kCluster, 100), kGiB);
    for (std::uint64_t i = 1; i <= 100; ++i) file.put(kSegmentBegin + i * 1'000'000, seek_head(places));

    auto const found = file.find();

    EXPECT_LE(found.looks.size(), 100u);
    EXPECT_LE(found.hints.first.size(), 64u);
}

TEST(MediaMatroska, AFileThatIsCutIsReadAsFarAsItGoes) {
    auto const whole = kEbml + head(0x18538067, 10'000) + seek_head({{kCues, 5000}}) + info(1000);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        SCOPED_TRACE(cut);
        for (auto const& range : MediaFile().add(whole.substr(0, cut)).hints().first) EXPECT_LE(range.end, cut);
    }
}

}  // namespace
}  // namespace rqfs::tests
