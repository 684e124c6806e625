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
