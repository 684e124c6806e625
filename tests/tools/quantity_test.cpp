#include "tools/control/quantity.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace rqfs::tools;

TEST(Quantity, ReadsSizesInPowersOf1024) {
    std::vector<std::pair<std::string, std::uint64_t>> const cases{{"0", 0},
                                                                   {"4096", 4096},
                                                                   {"1K", 1024},
                                                                   {"1k", 1024},
                                                                   {"128M", 134217728},
                                                                   {"1.5G", 1610612736},
                                                                   {"64KiB", 65536},
                                                                   {"2MB", 2097152},
                                                                   {"3B", 3},
                                                                   {"1T", 1099511627776},
                                                                   {"0.5K", 512},
                                                                   {"8191T", 9006099743113216}};

    for (auto const& [text, bytes] : cases) {
        ASSERT_TRUE(parse_size(text)) << text;
        EXPECT_EQ(*parse_size(text), bytes) << text;
    }
}

TEST(Quantity, RefusesWhatIsNoSize) {
    for (std::string const text : {"", "M", "-1", "1.", "1.K", "12 M", "1X", "1KiBs", "1Mi", "0x10",
                                   "99999999999999999999", "9000000T", "unlimited", "1e3", "+1"})
        EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Quantity, SaysWhatASizeLooksLike) {
    EXPECT_EQ(parse_size("lots").error().what, "a size like 512K, 128M or 2G was expected, not \"lots\"");
}

TEST(Quantity, ReadsRatesAndUnlimited) {
    EXPECT_EQ(parse_rate("500K").value(), 512000u);
    EXPECT_EQ(parse_rate("unlimited").value(), 0u);
    EXPECT_EQ(parse_rate("0").value(), 0u);
    EXPECT_FALSE(parse_rate("fast"));
}

TEST(Quantity, ReadsDurations) {
    std::vector<std::pair<std::string, std::int64_t>> const cases{{"60s", 60000},   {"60", 60000},   {"500ms", 500},
                                                                  {"2m", 120000},   {"1h", 3600000}, {"1.5s", 1500},
                                                                  {"24h", 86400000}};

    for (auto const& [text, milliseconds] : cases)
        EXPECT_EQ(parse_duration(text).value().count(), milliseconds) << text;
    for (std::string const text : {"", "s", "-1s", "25h", "1d", "1 s", "99999999999999h"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Quantity, WritesSizesWithThreeDigits) {
    std::vector<std::pair<std::uint64_t, std::string>> const cases{{0, "0 B"},
                                                                   {1023, "1023 B"},
                                                                   {1024, "1.0 KiB"},
                                                                   {1536, "1.5 KiB"},
                                                                   {102348, "99.9 KiB"},
                                                                   {102400, "100 KiB"},
                                                                   {1048575, "1.0 MiB"},
                                                                   {734003200, "700 MiB"},
                                                                   {1503238553, "1.4 GiB"},
                                                                   {std::uint64_t{1} << 48, "256 TiB"},
                                                                   {~std::uint64_t{0}, "16.0 EiB"}};

    for (auto const& [bytes, text] : cases) EXPECT_EQ(format_size(bytes), text);
}

TEST(Quantity, CallsOnlyTheWholeAHundredPercent) {
    EXPECT_EQ(format_percent(0), "0.0%");
    EXPECT_EQ(format_percent(0.523), "52.3%");
    EXPECT_EQ(format_percent(0.99999), "99.9%");
    EXPECT_EQ(format_percent(1), "100%");
    EXPECT_EQ(format_percent(-1), "0.0%");
}

TEST(Quantity, WritesRatesLimitsAndDurations) {
    EXPECT_EQ(format_rate(0.4), "");
    EXPECT_EQ(format_rate(2097152), "2.0 MiB/s");
    EXPECT_EQ(format_limit(0), "unlimited");
    EXPECT_EQ(format_limit(512000), "500 KiB/s");
    EXPECT_EQ(format_duration(std::chrono::seconds(45)), "45 s");
    EXPECT_EQ(format_duration(std::chrono::seconds(3599)), "59 min");
    EXPECT_EQ(format_duration(std::chrono::seconds(7500)), "2 h 05 min");
    EXPECT_EQ(format_duration(std::chrono::seconds(352800)), "4 d 02 h");
}

}  // namespace
