#include "cache/block_checksums.h"

#include "torrent/units.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace rqfs::cache {
namespace {

class BlockChecksums : public testing::TestWithParam<Crc32c> {
protected:
    void SetUp() override {
        if (!supported(GetParam())) GTEST_SKIP() << "this processor does not have it";
    }

    std::uint32_t of(std::vector<int> const& values) const {
        std::vector<std::byte> bytes;
        for (int const value : values) bytes.push_back(static_cast<std::byte>(value));
        return crc32c(bytes, GetParam());
    }
};

std::vector<int> counting(int from, int step) {
    std::vector<int> values(32);
    for (auto& value : values) {
        value = from;
        from += step;
    }
    return values;
}

// RFC 3720, appendix B.4.
TEST_P(BlockChecksums, AreThoseOfTheStandard) {
    EXPECT_EQ(of(std::vector<int>(32, 0)), 0x8a9136aau);
    EXPECT_EQ(of(std::vector<int>(32, 0xff)), 0x62a8ab43u);
    EXPECT_EQ(of(counting(0, 1)), 0x46dd794eu);
    EXPECT_EQ(of(counting(31, -1)), 0x113fdb5cu);
    EXPECT_EQ(of({'1', '2', '3', '4', '5', '6', '7', '8', '9'}), 0xe3069283u);
    EXPECT_EQ(of({}), 0u);
}

TEST_P(BlockChecksums, AreTheSameForEveryLengthAndAlignmentAsBitByBit) {
    std::mt19937 random(7);
    std::vector<std::byte> bytes(300);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(random()); });

    for (std::size_t begin = 0; begin < 9; ++begin) {
        for (std::size_t size = 0; begin + size <= 280; ++size) {
            auto const part = std::span<std::byte const>(bytes).subspan(begin, size);
            std::uint32_t slow = 0xffffffff;
            for (auto const byte : part) {
                slow ^= std::to_integer<std::uint32_t>(byte);
                for (int bit = 0; bit < 8; ++bit) slow = (slow >> 1) ^ ((slow & 1) != 0 ? 0x82f63b78 : 0);
            }
            ASSERT_EQ(crc32c(part, GetParam()), ~slow) << begin << " " << size;
        }
    }
}

TEST_P(BlockChecksums, AreOneForEachBlockAlsoForAShortLastOne) {
    std::mt19937 random(8);
    for (std::size_t const size : {1u, 16383u, 16384u, 16385u, 3u * 16384, 4u * 16384 + 5, 7u * 16384, 100'000u}) {
        std::vector<std::byte> bytes(size);
        std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(random()); });

        auto const checksums = block_checksums(bytes, GetParam());

        ASSERT_EQ(checksums.size(), (size + 16383) / 16384);
        for (std::size_t i = 0; i < checksums.size(); ++i) {
            auto const begin = i * torrent::kBlockBytes;
            auto const part = std::span<std::byte const>(bytes).subspan(begin, std::min<std::size_t>(torrent::kBlockBytes, size - begin));
            EXPECT_EQ(checksums[i], crc32c(part, Crc32c::portable)) << size << " block " << i;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Implementations, BlockChecksums, testing::Values(Crc32c::portable, Crc32c::sse42),
                         [](auto const& test) { return test.param == Crc32c::portable ? "Portable" : "Sse42"; });

}  // namespace
}  // namespace rqfs::cache
