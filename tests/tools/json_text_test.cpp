#include "tools/control/json_text.h"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace {

using namespace rqfs::tools;
namespace json = boost::json;

TEST(JsonText, WritesWhatWasRead) {
    for (auto const* const text : {"{}", "[]", "null", "true", "-7", "18446744073709551615", R"({"a":[1,{"b":"x\"\n"},null],"c\\":{}})",
                                   R"(["",[[]],"\u0001",0.5])"})
        EXPECT_EQ(json_text(json::parse(text)), text);
}

TEST(JsonText, WritesPlainDecimals) {
    EXPECT_EQ(json_text(0.0), "0");
    EXPECT_EQ(json_text(1.0), "1");
    EXPECT_EQ(json_text(0.25), "0.25");
    EXPECT_EQ(json_text(-1.5), "-1.5");
    EXPECT_EQ(json_text(1e20), "100000000000000000000");
    EXPECT_EQ(json_text(1e-7), "0.0000001");
}

TEST(JsonText, WritesEveryFractionSoThatItIsReadBackTheSame) {
    constexpr std::uint64_t kSeed = 20240301;
    std::mt19937_64 random(kSeed);
    std::uniform_real_distribution<double> fractions(0, 1);
    for (int i = 0; i < 2'000; ++i) {
        auto const number = fractions(random);

        auto const text = json_text(number);

        EXPECT_EQ(std::stod(text), number) << text << " seed " << kSeed;
        EXPECT_EQ(text.find_first_of("eE"), std::string::npos) << text;
    }
}

TEST(JsonText, HoldsTheLongestNumbers) {
    for (auto const number : {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
                              std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min(),
                              -std::numeric_limits<double>::denorm_min()})
        EXPECT_EQ(std::strtod(json_text(number).c_str(), nullptr), number);
}

}  // namespace
