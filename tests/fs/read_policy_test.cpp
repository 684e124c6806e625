#include "fs/read_policy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace rqfs::fs {
namespace {

TEST(ReadPolicy, WaitsAsLongAsItIsSet) {
    Settings settings;
    EXPECT_EQ(read_wait(settings), torrent::Duration(std::chrono::seconds(60)));
    settings.read_timeout = std::chrono::milliseconds(0);
    EXPECT_EQ(read_wait(settings), std::nullopt);
}

TEST(ReadPolicy, ReadsOnlyWithinTheFile) {
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

    EXPECT_EQ(readable_range(100, 0, 10), (torrent::ByteRange{0, 10}));
    EXPECT_EQ(readable_range(100, 95, 10), (torrent::ByteRange{95, 100}));
    EXPECT_EQ(readable_range(100, 100, 10), (torrent::ByteRange{100, 100}));
    EXPECT_EQ(readable_range(100, kMost, kMost), (torrent::ByteRange{100, 100}));
    EXPECT_EQ(readable_range(kMost, kMost - 1, kMost), (torrent::ByteRange{kMost - 1, kMost}));
    EXPECT_EQ(readable_range(0, 0, 10), (torrent::ByteRange{0, 0}));
}

}  // namespace
}  // namespace rqfs::fs
