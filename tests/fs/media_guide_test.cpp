#include "fs/media_guide.h"

#include "fs/settings.h"
#include "tests/fs/media_file.h"

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {
namespace {

using torrent::ByteRange;
using torrent::MediaHints;
using torrent::SharedBytes;

constexpr std::uint64_t kMiB = 1u << 20;

// Slices of at most this size, so that what is looked for lies across them.
constexpr std::uint64_t kSlice = 10;

std::vector<SharedBytes> slices(MediaFile const& file, ByteRange range) {
    std::vector<SharedBytes> slices;
    for (auto at = range.begin; at < range.end; at += kSlice) {
        auto const text = file.bytes({at, std::min(at + kSlice, range.end)});
        auto const bytes = std::as_bytes(std::span(text));
        slices.emplace_back(std::vector<std::byte>(bytes.begin(), bytes.end()));
    }
    return slices;
}

// Has some of a file in memory; nothing may be read of it but that.
class HintedStream final : public torrent::Stream {
public:
    explicit HintedStream(MediaFile const& media) : file(media) {}

    boost::asio::awaitable<std::vector<SharedBytes>> read(ByteRange range) override {
        ADD_FAILURE() << "it only looks";
        co_return slices(file, range);
    }
    std::optional<std::vector<SharedBytes>> try_read(ByteRange range) override {
        ADD_FAILURE() << "it only looks";
        return slices(file, range);
    }
    std::optional<std::vector<SharedBytes>> peek(ByteRange range) const override {
        ++peeks;
        if (!covers(in_memory, range)) return std::nullopt;
        return slices(file, range);
    }
    void hint(MediaHints given) override { hints.push_back(std::move(given)); }

    MediaFile const& file;
    std::vector<ByteRange> in_memory;
    std::vector<MediaHints> hints;
    mutable int peeks = 0;
};

std::string const kMoov =
    big(40, 4) + "moov" + big(32, 4) + "mvhd" + big(0, 12) + big(1000, 4) + big(90'000, 4) + big(0, 4);

class Guide : public testing::Test {
protected:
    bool look(ByteRange read) { return guide.look(stream, read, slices(film, read)); }

    std::uint64_t const moov_at = 20 + 100 * kMiB;
    MediaFile film =
        MediaFile().add(big(12, 4) + "ftypisom" + big(100 * kMiB + 8, 4) + "mdat").add_noise(100 * kMiB).add(kMoov);
    HintedStream stream{film};
    fs::MediaGuide guide{film.size(), "film.mp4"};
};

TEST_F(Guide, AsksForTheNextBytesThatNobodyHasRead) {
    EXPECT_TRUE(look({0, 128 << 10}));

    ASSERT_EQ(stream.hints.size(), 1u);
    EXPECT_EQ(stream.hints[0].first, (std::vector<ByteRange>{{moov_at, moov_at + 16}}));
    EXPECT_FALSE(stream.hints[0].index_known);
}

TEST_F(Guide, GoesOnInMemory) {
    stream.in_memory = {{moov_at, film.size()}};

    EXPECT_FALSE(look({0, 128 << 10}));

    ASSERT_EQ(stream.hints.size(), 1u);
    EXPECT_EQ(stream.hints[0].first, (std::vector<ByteRange>{{moov_at, film.size()}}));
    EXPECT_EQ(stream.hints[0].duration, std::chrono::seconds(90));
    EXPECT_TRUE(stream.hints[0].index_known);
}

TEST_F(Guide, GoesOnInWhatWasJustReadThoughMemoryHasLostIt) {
    look({0, 128 << 10});

    EXPECT_FALSE(look({moov_at - 1000, film.size()}));

    EXPECT_TRUE(stream.hints.back().index_known);
}

TEST_F(Guide, RepeatsNothing) {
    look({0, 128 << 10});
    for (std::uint64_t i = 1; i < 100; ++i) look({i << 17, (i + 1) << 17});

    EXPECT_EQ(stream.hints.size(), 1u);
    EXPECT_LE(stream.peeks, 100);
}

TEST_F(Guide, GivesUpWhenWhatItWaitsForNeverComes) {
    look({0, 128 << 10});
    std::size_t looks = 1;
    while (look({kMiB, kMiB + 1}) && looks < 1'000'000) ++looks;

    EXPECT_LE(looks, fs::limit::kMediaFruitlessReads);
}

TEST_F(Guide, WantsNothingBeforeTheHeadWasRead) {
    EXPECT_TRUE(look({50 * kMiB, 51 * kMiB}));

    EXPECT_TRUE(stream.hints.empty());
}

TEST_F(Guide, IsDoneAtOnceWithAFileItDoesNotKnow) {
    MediaFile const text = MediaFile().add("no container at all").add_noise(kMiB);
    HintedStream noise(text);
    fs::MediaGuide unknown(text.size(), "a.txt");

    EXPECT_FALSE(unknown.look(noise, {0, 4096}, slices(text, {0, 4096})));

    EXPECT_TRUE(noise.hints.empty());
}

TEST_F(Guide, IsDoneWithAnEmptyAndATinyFile) {
    for (std::uint64_t size = 0; size < 64; ++size) {
        MediaFile const tiny(size);
        HintedStream noise(tiny);
        fs::MediaGuide unknown(size, "");

        EXPECT_FALSE(unknown.look(noise, {0, size}, slices(tiny, {0, size}))) << size;
    }
}

}  // namespace
}  // namespace rqfs::tests
