#include "torrent/swarm/kept_index.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace rqfs::torrent {
namespace {

constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * kKiB;

// A file of 20 MiB that begins in the middle of a torrent's piece of 256 KiB.
class KeptIndexTest : public testing::Test {
protected:
    void put_all(KeptIndex& index, ByteRange range) {
        for (auto const& part : index.missing(range)) {
            std::vector<std::byte> bytes;
            for (auto at = part.begin; at < part.end; ++at) bytes.push_back(byte_at(at));
            index.put(part, bytes);
        }
    }
    static std::byte byte_at(std::uint64_t offset) { return static_cast<std::byte>(offset * 7 % 251); }
    static ByteRange in_torrent(std::uint64_t begin, std::uint64_t end) {
        return {kWhere.begin + begin, kWhere.begin + end};
    }

    static constexpr ByteRange kWhere{100 * kKiB, 100 * kKiB + 20 * kMiB};
    PieceLayout layout{30 * kMiB, 256 * kKiB};
    std::uint64_t all = 0;
};

TEST_F(KeptIndexTest, GivesWhatItWasGivenByteForByte) {
    KeptIndex index(all);
    index.want({{kMiB + 5, 2 * kMiB + 7}}, kWhere, layout);
    put_all(index, kWhere);

    for (auto const& range : {in_torrent(kMiB + 5, 2 * kMiB + 7), in_torrent(kMiB + 100, kMiB + 101),
                              in_torrent(kMiB + 127 * kKiB, kMiB + 300 * kKiB)}) {
        auto const found = index.find(range);
        ASSERT_TRUE(found) << range.begin << " " << range.end;
        ASSERT_EQ(found->size(), range.size());
        for (std::size_t i = 0; i < found->size(); ++i) ASSERT_EQ(found->bytes()[i], byte_at(range.begin + i));
    }
    EXPECT_FALSE(index.find(in_torrent(kMiB - 1, kMiB + 10)));
    EXPECT_FALSE(index.find(in_torrent(2 * kMiB, 2 * kMiB + 129 * kKiB)));
}

TEST_F(KeptIndexTest, WantsNoPartAcrossPieces) {
    KeptIndex index(all);
    index.want({{0, 3 * kMiB}}, kWhere, layout);

    auto const parts = index.missing(kWhere);

    EXPECT_GE(parts.size(), 24u);
    for (auto const& part : parts) EXPECT_EQ(layout.piece_at(part.begin), layout.piece_at(part.end - 1));
    EXPECT_EQ(index.missing(layout.range(PieceIndex(3))).size(), 3u) << "those of one piece";
}

TEST_F(KeptIndexTest, KeepsNoMoreOfAFileThanItsLimit) {
    KeptIndex index(all);
    index.want({{0, 20 * kMiB}}, kWhere, layout);
    put_all(index, kWhere);

    EXPECT_GE(index.bytes(), limit::kKeptIndexBytesPerFile);
    EXPECT_LE(index.bytes(), limit::kKeptIndexBytesPerFile + 128 * kKiB);
}

TEST_F(KeptIndexTest, KeepsNoMoreOfAllFilesThanTheirLimitAndGivesBackWhatItHeld) {
    {
        std::vector<std::unique_ptr<KeptIndex>> many;
        for (int i = 0; i < 20; ++i) {
            auto& index = *many.emplace_back(std::make_unique<KeptIndex>(all));
            index.want({{0, 4 * kMiB}}, kWhere, layout);
            put_all(index, kWhere);
        }

        EXPECT_LE(all, limit::kKeptIndexBytes);
        EXPECT_GE(all, limit::kKeptIndexBytes - 128 * kKiB);
    }
    EXPECT_EQ(all, 0u);
}

TEST_F(KeptIndexTest, HoldsOnToWhatIsStillWantedAndLetsTheRestGo) {
    KeptIndex index(all);
    index.want({{0, 2 * kMiB}}, kWhere, layout);
    put_all(index, kWhere);

    index.want({{kMiB, 3 * kMiB}}, kWhere, layout);

    EXPECT_TRUE(index.find(in_torrent(kMiB, 2 * kMiB)));
    EXPECT_FALSE(index.find(in_torrent(0, 10)));
    EXPECT_EQ(index.bytes(), all);
    EXPECT_NEAR(static_cast<double>(index.bytes()), static_cast<double>(kMiB), 1.0);
}

}  // namespace
}  // namespace rqfs::torrent
