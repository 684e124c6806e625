#include "cache/memory_tier.h"

#include "cache/settings.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::PieceIndex;
using torrent::SharedBytes;

TorrentKey const kFilm(1);
TorrentKey const kOther(2);

SharedBytes filled(std::size_t size, int value) { return SharedBytes(std::vector<std::byte>(size, static_cast<std::byte>(value))); }

SharedBytes counted(std::size_t size, std::size_t from) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((from + i) % 251);
    return SharedBytes(std::move(bytes));
}

TEST(MemoryTier, EvictsTheLeastRecentlyUsedPieceThatIsOnDisk) {
    MemoryTier memory(300);
    for (std::uint32_t i = 0; i < 3; ++i) {
        memory.put_unwritten(kFilm, PieceIndex(i), filled(100, 1));
        memory.written(kFilm, PieceIndex(i));
    }
    ASSERT_TRUE(memory.find(kFilm, PieceIndex(0), {0, 1}));

    memory.put_unwritten(kFilm, PieceIndex(3), filled(100, 1));

    EXPECT_TRUE(memory.find(kFilm, PieceIndex(0), {0, 1}));
    EXPECT_FALSE(memory.find(kFilm, PieceIndex(1), {0, 1}));
    EXPECT_EQ(memory.bytes(), 300u);
}

TEST(MemoryTier, NeverEvictsWhatOnlyMemoryHolds) {
    MemoryTier memory(300);

    for (std::uint32_t i = 0; i < 10; ++i) memory.put_unwritten(kFilm, PieceIndex(i), filled(100, 1));

    EXPECT_EQ(memory.unwritten_bytes(), 1000u);
    for (std::uint32_t i = 0; i < 10; ++i) EXPECT_TRUE(memory.find(kFilm, PieceIndex(i), {0, 100}));
}

TEST(MemoryTier, ReturnsToItsBudgetWhenAPieceLargerThanItIsWritten) {
    MemoryTier memory(300);
    memory.put_unwritten(kFilm, PieceIndex(0), filled(5000, 1));
    ASSERT_TRUE(memory.find(kFilm, PieceIndex(0), {4000, 5000}));

    memory.written(kFilm, PieceIndex(0));

    EXPECT_LE(memory.bytes(), 300u);
}

TEST(MemoryTier, KeepsBytesOfAReaderThatWereEvicted) {
    MemoryTier memory(100);
    memory.put_run(kFilm, PieceIndex(0), 0, filled(100, 7));
    auto const held = memory.find(kFilm, PieceIndex(0), {10, 20});

    memory.put_run(kFilm, PieceIndex(1), 0, filled(100, 8));

    EXPECT_FALSE(memory.find(kFilm, PieceIndex(0), {10, 20}));
    EXPECT_EQ(held->bytes()[0], std::byte{7});
}

TEST(MemoryTier, JoinsARangeThatLiesInTwoRuns) {
    MemoryTier memory(8u << 20);
    memory.put_run(kFilm, PieceIndex(0), 0, counted(kRunBytes, 0));
    memory.put_run(kFilm, PieceIndex(0), 1, counted(1000, kRunBytes));

    auto const bytes = memory.find(kFilm, PieceIndex(0), {kRunBytes - 50, kRunBytes + 70});

    ASSERT_TRUE(bytes);
    ASSERT_EQ(bytes->size(), 120u);
    for (std::size_t i = 0; i < 120; ++i) EXPECT_EQ(bytes->bytes()[i], static_cast<std::byte>((kRunBytes - 50 + i) % 251));
}

TEST(MemoryTier, HasNotARangeThatGoesOnBeyondWhatItHolds) {
    MemoryTier memory(8u << 20);
    memory.put_run(kFilm, PieceIndex(0), 0, filled(kRunBytes, 1));
    memory.put_run(kFilm, PieceIndex(0), 1, filled(100, 1));

    EXPECT_FALSE(memory.find(kFilm, PieceIndex(0), {kRunBytes, kRunBytes + 101}));
    EXPECT_FALSE(memory.find(kFilm, PieceIndex(0), {0, kRunBytes + 101}));
    EXPECT_FALSE(memory.find(kFilm, PieceIndex(0), {2 * kRunBytes, 2 * kRunBytes + 1}));
    EXPECT_FALSE(memory.find(kFilm, PieceIndex(1), {0, 1}));
}

TEST(MemoryTier, ForgetsOneTorrentAndKeepsTheOthers) {
    MemoryTier memory(8u << 20);
    memory.put_unwritten(kFilm, PieceIndex(0), filled(100, 1));
    memory.put_run(kFilm, PieceIndex(1), 0, filled(100, 1));
    memory.put_unwritten(kOther, PieceIndex(0), filled(50, 1));

    memory.erase(kFilm);

    EXPECT_EQ(memory.bytes(), 50u);
    EXPECT_EQ(memory.unwritten_bytes(), 50u);
    EXPECT_TRUE(memory.find(kOther, PieceIndex(0), {0, 50}));
}

}  // namespace
}  // namespace rqfs::cache
