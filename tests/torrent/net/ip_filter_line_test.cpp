#include "torrent/net/ip_filter_line.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rqfs::torrent {
namespace {

// "first-last", "blank", "allows" or "bad".
std::string parsed(std::string_view line) {
    auto const result = IpFilterLine::parse(line);
    switch (result.kind) {
        case IpFilterLine::Kind::blank: return "blank";
        case IpFilterLine::Kind::allows: return "allows";
        case IpFilterLine::Kind::bad: return "bad";
        case IpFilterLine::Kind::blocks: break;
    }
    return result.first.text() + "-" + result.last.text();
}

TEST(IpFilterLine, TakesP2PWhateverTheNameHolds) {
    EXPECT_EQ(parsed("Some company:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("a: b - c, d / e # f:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("http://x.example:80/y:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("Caf\xe9 \xff\x80:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed(":1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("name : 1.2.3.4 - 1.2.3.9 "), "1.2.3.4-1.2.3.9");
}

TEST(IpFilterLine, TakesP2PWhoseNameLooksLikeAnAddress) {
    EXPECT_EQ(parsed("9.9.9.9:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("9.9.9.9-9.9.9.10:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("bad:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("a::1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("1.2.3.0/24:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
}

TEST(IpFilterLine, TakesDatAndReadsItsLevel) {
    EXPECT_EQ(parsed("001.002.003.004 - 001.002.003.009 , 100 , Some, name: 5"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("001.002.003.004-001.002.003.009,000,x"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("1.2.3.4 - 1.2.3.9 , 127 , x"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("1.2.3.4 - 1.2.3.9 , 128 , x"), "allows");
    EXPECT_EQ(parsed("1.2.3.4 - 1.2.3.9 , 255 , x"), "allows");
    EXPECT_EQ(parsed("1.2.3.4 - 1.2.3.9 , 100"), "1.2.3.4-1.2.3.9");
}

TEST(IpFilterLine, ZerosInFrontAreDecimal) {
    EXPECT_EQ(parsed("010.011.099.008 - 010.011.099.009 , 100 , x"), "10.11.99.8-10.11.99.9");
    EXPECT_EQ(parsed("name:064.000.000.000-064.000.000.255"), "64.0.0.0-64.0.0.255");
}

TEST(IpFilterLine, TakesSingleAddressesRangesAndNetworks) {
    EXPECT_EQ(parsed("1.2.3.4"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(parsed("2a00::1"), "2a00::1-2a00::1");
    EXPECT_EQ(parsed("1.2.3.4 - 1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("2a00::1-2a00::ffff"), "2a00::1-2a00::ffff");
    EXPECT_EQ(parsed("2A00::1 - 2A00::FFFF"), "2a00::1-2a00::ffff");
    EXPECT_EQ(parsed("1.2.3.0/24"), "1.2.3.0-1.2.3.255");
    EXPECT_EQ(parsed("2a00::/16"), "2a00::-2a00:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(IpFilterLine, TakesEveryPrefixOfIPv4) {
    EXPECT_EQ(parsed("255.255.255.255/0"), "0.0.0.0-255.255.255.255");
    EXPECT_EQ(parsed("129.0.0.0/1"), "128.0.0.0-255.255.255.255");
    EXPECT_EQ(parsed("1.2.3.4/31"), "1.2.3.4-1.2.3.5");
    EXPECT_EQ(parsed("1.2.3.4/32"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(parsed("1.2.255.4/23"), "1.2.254.0-1.2.255.255");
    EXPECT_EQ(parsed("1.2.3.4/33"), "bad");
}

TEST(IpFilterLine, TakesEveryPrefixOfIPv6) {
    EXPECT_EQ(parsed("2a00::1/0"), "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    EXPECT_EQ(parsed("2a00::1/128"), "2a00::1-2a00::1");
    EXPECT_EQ(parsed("2a00::2/127"), "2a00::2-2a00::3");
    EXPECT_EQ(parsed("2a00::/129"), "bad");
}

TEST(IpFilterLine, TakesMappedAddressesForThoseInThem) {
    EXPECT_EQ(parsed("::ffff:1.2.3.4"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(parsed("::ffff:1.2.3.0/120"), "1.2.3.0-1.2.3.255");
    EXPECT_EQ(parsed("::ffff:0:0/96"), "0.0.0.0-255.255.255.255");
    EXPECT_EQ(parsed("::ffff:1.2.3.4 - ::ffff:1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(parsed("::ffff:1.2.3.0/95"), "bad");
}

TEST(IpFilterLine, CommentsStandAloneOrFollow) {
    for (auto const* const line : {"", " ", "\t\r", "# 1.2.3.4", " ; x", "// 1.2.3.4", "#"})
        EXPECT_EQ(parsed(line), "blank") << line;
    EXPECT_EQ(parsed("1.2.3.0/24 ; SBL1"), "1.2.3.0-1.2.3.255");
    EXPECT_EQ(parsed("1.2.3.4# x"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(parsed("1.2.3.4 // x"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(parsed("1.2.3.4 - 1.2.3.9 # x"), "1.2.3.4-1.2.3.9");
}

TEST(IpFilterLine, RefusesWhatNamesNoRange) {
    for (auto const* const line : {"name",
                                   "name:",
                                   "name:1.2.3.4",
                                   "1.2.3",
                                   "1.2.3.4.5",
                                   "1.2.3.256",
                                   "1.2.3.0004",
                                   "1.2.3.",
                                   ".1.2.3",
                                   "1..2.3",
                                   "1.2.3.4-",
                                   "-1.2.3.4",
                                   "1.2.3.4 1.2.3.9",
                                   "1.2.3.9-1.2.3.4",
                                   "x:1.2.3.9-1.2.3.4",
                                   "1.2.3.4-2a00::1",
                                   "2a00::1-1.2.3.4",
                                   "2a00::2-2a00::1",
                                   "1.2.3.4/",
                                   "1.2.3.4/a",
                                   "1.2.3.4/24a",
                                   "1.2.3.4/255.255.255.0",
                                   "1.2.3.4/-1",
                                   "1.2.3.4-1.2.3.9,",
                                   "1.2.3.4-1.2.3.9,,x",
                                   "1.2.3.4-1.2.3.9,x,100",
                                   "1.2.3.4-1.2.3.9,1000,x",
                                   "fe80::1%eth0",
                                   "[2a00::1]",
                                   "2a00::1::2",
                                   "2a00:::1",
                                   "12345::",
                                   "x:1.2.3.4-1.2.3.9 # y",
                                   "+1.2.3.4",
                                   "0x1.2.3.4",
                                   "<html>",
                                   "1.2.3.4-1.2.3.9-1.2.3.10"})
        EXPECT_EQ(parsed(line), "bad") << line;
    EXPECT_EQ(parsed(std::string_view("1.2.3.4\0", 8)), "bad");
}

}  // namespace
}  // namespace rqfs::torrent
