#include "torrent/net/ip_filter_text.h"

#include "torrent/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace rqfs::torrent {
namespace {

Address at(std::string_view text) { return Address::parse(text).value(); }

struct Read {
    IpFilter filter;
    std::size_t good = 0;
    std::size_t bad = 0;
    std::string first_bad;
};

Read read(std::string_view text, std::size_t piece_bytes = 1u << 20) {
    IpFilter::Builder builder;
    IpFilterText list("my.list", builder);
    for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size())))
        EXPECT_TRUE(list.feed(text.substr(0, piece_bytes)));
    EXPECT_TRUE(list.end());
    Read result{{}, list.good_lines(), list.bad_lines(), list.first_bad()};
    result.filter = std::move(builder).build();
    return result;
}

constexpr std::string_view kMixed =
    "\xef\xbb\xbfName: one:1.0.0.1-1.0.0.9\r\n"
    "# a comment\r\n"
    "002.000.000.001 - 002.000.000.009 , 100 , Caf\xe9\n"
    "3.0.0.1 - 3.0.0.9 , 200 , allowed\n"
    "4.0.0.0/24\n"
    "nonsense\n"
    "2a00::/32\n"
    "\n"
    "1.2.3.4-\x01zzz\n"
    "5.0.0.1";

void expect_mixed(Read const& result) {
    EXPECT_EQ(result.filter.ranges(), 5u);
    for (auto const* const blocked : {"1.0.0.9", "2.0.0.1", "4.0.0.255", "2a00::7", "5.0.0.1"})
        EXPECT_TRUE(result.filter.blocks(at(blocked))) << blocked;
    EXPECT_FALSE(result.filter.blocks(at("3.0.0.5")));
    EXPECT_EQ(result.good, 6u);
    EXPECT_EQ(result.bad, 2u);
}

TEST(IpFilterText, TakesLinesOfAllKindsInOneFile) { expect_mixed(read(kMixed)); }

TEST(IpFilterText, DoesNotMindWhereItIsCut) {
    for (std::size_t piece = 1; piece < 50; ++piece) expect_mixed(read(kMixed, piece));
}

TEST(IpFilterText, NamesTheFirstBadLineInASentence) {
    EXPECT_EQ(read(kMixed).first_bad, "my.list:6: \"nonsense\" names no range of addresses");
}

TEST(IpFilterText, ShowsNothingUnprintableOfABadLine) {
    EXPECT_EQ(read("\x1b[31m\xe9").first_bad, "my.list:1: \"?[31m?\" names no range of addresses");
}

TEST(IpFilterText, KeepsAndShowsLittleOfAnEndlessLine) {
    auto const result = read("1.2.3.4 - 1.2.3.9 , 100 , " + std::string(100'000, 'x') + "\n1.2.3.4\n", 977);

    EXPECT_EQ(result.bad, 1u);
    EXPECT_LT(result.first_bad.size(), 150u);
    EXPECT_EQ(result.filter.ranges(), 1u);
    EXPECT_FALSE(result.filter.blocks(at("1.2.3.5")));
}

TEST(IpFilterText, ALongCommentIsNoBadLine) { EXPECT_EQ(read("# " + std::string(100'000, 'x')).bad, 0u); }

TEST(IpFilterText, AnEmptyFileIsAListOfNobody) {
    EXPECT_EQ(read("").good + read("").bad, 0u);
    EXPECT_EQ(read("\n\n# nobody\n").good, 0u);
}

TEST(IpFilterText, StopsAtTheLimitOfRanges) {
    IpFilter::Builder builder;
    auto const one = at("1.2.3.4");
    for (std::size_t i = 0; i + 1 < limit::kIpFilterRanges; ++i) builder.add(one, one);
    IpFilterText list("my.list", builder);

    EXPECT_TRUE(list.feed("1.2.3.4\nname:1.2.3.4-1.2.3.9,bad\n"));
    EXPECT_FALSE(list.feed("1.2.3.5\n"));
}

}  // namespace
}  // namespace rqfs::torrent
