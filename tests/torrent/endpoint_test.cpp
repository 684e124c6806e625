#include "torrent/endpoint.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_set>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::string_literals;

Address address(std::string_view text) { return Address::parse(text).value(); }

TEST(Address, IsZeroWhenMadeOfNothing) {
    EXPECT_EQ(Address().text(), "0.0.0.0");
    EXPECT_FALSE(Address().is_v6());
}

TEST(Address, ReadsAndWritesBothFamilies) {
    EXPECT_EQ(address("10.0.0.1").text(), "10.0.0.1");
    EXPECT_EQ(address("FD99:0::0:1").text(), "fd99::1");
    EXPECT_EQ(address("[fd99::1]").text(), "fd99::1");
    EXPECT_EQ(address("10.0.0.1").bytes().size(), 4u);
    EXPECT_EQ(address("::").bytes().size(), 16u);
    EXPECT_TRUE(address("::").is_v6());
}

TEST(Address, TurnsMappedAddressesIntoIpv4) {
    EXPECT_EQ(address("::ffff:1.2.3.4"), address("1.2.3.4"));
    EXPECT_FALSE(address("::ffff:1.2.3.4").is_v6());
    EXPECT_TRUE(address("::1.2.3.4").is_v6()) << "a compatible address is not a mapped one";
}

TEST(Address, RefusesWhatIsNoAddress) {
    for (auto const& text :
         {""s,       "1.2.3"s,      "1.2.3.4.5"s, "256.1.1.1"s, "01.2.3.4"s,  "1.2.3.4 "s,     " 1.2.3.4"s,
          "0x7f.1"s, "2130706433"s, "localhost"s, "::g"s,       "1::2::3"s,   "fe80::1%eth0"s, "[::1"s,
          "::1]"s,   "[]"s,         "[1.2.3.4]"s, "[[::1]]"s,   "1.2.3.4\0"s, "1.2.3.4\0x"s,   "::1\0"s})
        EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(Address, SaysWhatWasWrong) {
    EXPECT_EQ(Address::parse("nowhere").error().what, "'nowhere' is no IP address");
    EXPECT_LT(Address::parse(std::string(100'000, 'x')).error().what.size(), 200u);
}

TEST(Address, TakesFourOrSixteenBytes) {
    for (std::size_t count = 0; count <= 32; ++count)
        EXPECT_EQ(Address::from_bytes(std::vector<std::byte>(count)).has_value(), count == 4 || count == 16) << count;
}

TEST(Endpoint, ReadsAndWritesBothFamilies) {
    for (auto const* text : {"1.2.3.4:80", "[::1]:80", "[fd99::1]:65535", "0.0.0.0:0"}) {
        auto const endpoint = Endpoint::parse(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->text(), text);
    }
}

TEST(Endpoint, RefusesWhatIsNone) {
    for (auto const& text : {""s,
                             ":"s,
                             "1.2.3.4"s,
                             "1.2.3.4:"s,
                             ":80"s,
                             "1.2.3.4:65536"s,
                             "1.2.3.4:-1"s,
                             "1.2.3.4:+1"s,
                             "1.2.3.4: 1"s,
                             "1.2.3.4:1 "s,
                             "1.2.3.4:1:2"s,
                             "::1:80"s,
                             "[::1]"s,
                             "[::1]:"s,
                             "[::1:80"s,
                             "[:80"s,
                             "["s,
                             "[]:80"s,
                             "[::1]80"s,
                             "[::1]]:80"s,
                             "[1.2.3.4]:80"s,
                             "host:80"s,
                             "1.2.3.4:99999999999999999999"s,
                             "1.2.3.4\0:80"s,
                             "1.2.3.4:80\0"s})
        EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Endpoint, OrdersByFamilyThenAddressThenPort) {
    auto const endpoint = [](std::string_view text) { return Endpoint::parse(text).value(); };

    EXPECT_LT(endpoint("9.0.0.1:80"), endpoint("[::1]:80"));
    EXPECT_LT(endpoint("1.2.3.4:80"), endpoint("1.2.3.5:1"));
    EXPECT_LT(endpoint("1.2.3.4:80"), endpoint("1.2.3.4:81"));
}

TEST(Endpoint, HashesByValue) {
    std::unordered_set<Endpoint> seen;
    for (std::uint16_t port = 0; port < 1'000; ++port) seen.insert({address("::ffff:1.2.3.4"), port});
    seen.insert({address("1.2.3.4"), 7});

    EXPECT_EQ(seen.size(), 1'000u);
}

TEST(Endpoint, ReadsCompactLists) {
    std::vector<std::byte> compact;
    append_compact(Endpoint::parse("1.2.3.4:258").value(), compact);
    append_compact(Endpoint::parse("5.6.7.8:65535").value(), compact);
    EXPECT_EQ(compact.size(), 12u);
    EXPECT_EQ(compact[4], std::byte{1});
    EXPECT_EQ(compact[5], std::byte{2});

    auto const read = parse_compact_v4(compact);

    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].text(), "1.2.3.4:258");
    EXPECT_EQ(read[1].text(), "5.6.7.8:65535");
}

TEST(Endpoint, IgnoresTheIncompleteTailOfACompactList) {
    for (std::size_t length = 0; length <= 60; ++length) {
        std::vector<std::byte> const compact(length);

        EXPECT_EQ(parse_compact_v4(compact).size(), length / 6);
        EXPECT_EQ(parse_compact_v6(compact).size(), length / 18);
    }
}

TEST(Endpoint, ReadsBackCompactListsOfIpv6) {
    std::mt19937 random(3);
    std::vector<Endpoint> endpoints;
    std::vector<std::byte> compact;
    for (int i = 0; i < 200; ++i) {
        std::array<std::uint8_t, 16> bytes{0x20};
        for (std::size_t b = 1; b < bytes.size(); ++b) bytes[b] = static_cast<std::uint8_t>(random());
        endpoints.push_back({Address::v6(bytes), static_cast<std::uint16_t>(random())});
        append_compact(endpoints.back(), compact);
    }

    EXPECT_EQ(parse_compact_v6(compact), endpoints);
}

}  // namespace
}  // namespace rqfs::torrent
