#include "tests/torrent/engine/two_sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace rqfs::torrent {
namespace {

constexpr ByteRange kIndex{12'000'000, 12'150'000};

class Hints : public TwoSessions {
protected:
    std::unique_ptr<Stream> open(tests::MadeTorrent const& made) {
        start(made);
        auto const hash = made.metainfo->info_hash();
        run(leech.session->add(made.file, AddOptions{}));
        connect(hash);
        return leech.session->open(hash, FileIndex(0), ReaderProgram{});
    }

    static tests::MadeTorrent film() { return tests::make_torrent({.bytes = 20'000'000}); }
    static MediaHints index() { return {{kIndex}, {}, {}, true}; }
};

TEST_F(Hints, BringWhatNobodyReads) {
    auto const made = film();
    auto const stream = open(made);
    read(*stream, {0, 1000});
    ASSERT_FALSE(stream->peek(kIndex));

    stream->hint(index());

    ASSERT_TRUE(until([&] { return stream->peek(kIndex).has_value(); }));
    std::vector<std::byte> bytes;
    auto const slices = stream->peek(kIndex);
    for (auto const& slice : *slices)
        bytes.insert(bytes.end(), slice.bytes().begin(), slice.bytes().end());
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), made.data.begin() + kIndex.begin));
}

TEST_F(Hints, KeepTheIndexInMemoryAsLongAsTheFileIsOpen) {
    auto const made = film();
    auto stream = open(made);
    stream->hint(index());
    read(*stream, {0, 1000});
    ASSERT_TRUE(until([&] { return stream->peek(kIndex).has_value(); }));

    leech.store.leave_memory();

    EXPECT_FALSE(stream->peek({0, 1000}));
    auto const slices = stream->peek(kIndex);
    ASSERT_TRUE(slices);
    auto expected = made.data.begin() + kIndex.begin;
    for (auto const& slice : *slices) {
        EXPECT_TRUE(std::equal(slice.bytes().begin(), slice.bytes().end(), expected));
        expected += static_cast<std::ptrdiff_t>(slice.size());
    }
    EXPECT_GE(leech.session->statistics().kept_index_bytes, kIndex.size());
    stream.reset();
    EXPECT_EQ(leech.session->statistics().kept_index_bytes, 0u);
}

TEST_F(Hints, KeepAnIndexThatIsReadFromTheDisk) {
    auto const made = film();
    auto stream = open(made);
    read(*stream, kIndex);
    leech.store.leave_memory();
    stream->hint(index());
    ASSERT_FALSE(stream->peek(kIndex));

    ByteRange const around{kIndex.begin / 131'072 * 131'072, (kIndex.end / 131'072 + 1) * 131'072};
    read(*stream, around);

    EXPECT_TRUE(stream->peek(kIndex));
}

TEST_F(Hints, DoNotOutliveTheirTorrent) {
    auto const made = film();
    auto const stream = open(made);
    read(*stream, {0, 1000});
    run(leech.session->remove(made.metainfo->info_hash(), false));

    EXPECT_NO_THROW(stream->hint(index()));

    EXPECT_FALSE(stream->peek({0, 1000}));
}

}  // namespace
}  // namespace rqfs::torrent
