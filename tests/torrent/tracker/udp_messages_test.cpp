#include "torrent/tracker/udp_messages.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) {
    return {reinterpret_cast<std::byte const*>(text.data()), text.size()};
}
std::string text_of(std::vector<std::byte> const& bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::string hex(std::vector<std::byte> const& bytes) {
    std::string out;
    for (auto const byte : bytes) {
        out += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
        out += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
    }
    return out;
}

AnnounceRequest request() {
    AnnounceRequest made;
    made.info_hash = InfoHash::parse("0102030405060708090a0b0c0d0e0f1011121314").value();
    made.peer_id.fill(std::byte{0x2d});
    made.port = 0x1ae1;
    made.uploaded_bytes = 1;
    made.downloaded_bytes = 2;
    made.left_bytes = 3;
    made.event = AnnounceEvent::started;
    made.num_want = 200;
    made.key = 0xdeadbeef;
    return made;
}

TEST(UdpMessages, EncodesAConnect) {
    EXPECT_EQ(hex(encode_udp_connect(0x01020304)), "00000417271019800000000001020304");
}

TEST(UdpMessages, EncodesAnAnnounceOfNinetyEightBytes) {
    auto const datagram = encode_udp_announce(0x1122334455667788, 0x01020304, request(), "/");

    ASSERT_EQ(datagram.size(), 98u);
    EXPECT_EQ(hex(datagram),
              "1122334455667788"
              "00000001"
              "01020304"
              "0102030405060708090a0b0c0d0e0f1011121314"
              "2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d"
              "0000000000000002"
              "0000000000000003"
              "0000000000000001"
              "00000002"
              "00000000"
              "deadbeef"
              "000000c8"
              "1ae1");
}

TEST(UdpMessages, AppendsPathAndQueryInOptionsOfAtMost255Bytes) {
    auto const small = text_of(encode_udp_announce(1, 2, request(), "/a?passkey=x"));
    auto const large = text_of(encode_udp_announce(1, 2, request(), "/" + std::string(299, 'y')));
    auto const absurd = text_of(encode_udp_announce(1, 2, request(), "/" + std::string(5'000, 'y')));

    EXPECT_EQ(small.substr(98), "\x02\x0c/a?passkey=x");
    EXPECT_EQ(large.substr(98), "\x02\xff/" + std::string(254, 'y') + "\x02\x2d" + std::string(45, 'y'));
    EXPECT_EQ(absurd.size(), 98u);
}

TEST(UdpMessages, EncodesAScrape) {
    EXPECT_EQ(hex(encode_udp_scrape(0x1122334455667788, 0x01020304, request().info_hash)),
              "1122334455667788"
              "00000002"
              "01020304"
              "0102030405060708090a0b0c0d0e0f1011121314");
}

TEST(UdpMessages, ReadsPeersByTheFamilyOfTheSocket) {
    std::string const head = std::string("\0\0\0\1\0\0\0\2\0\0\7\10\0\0\0\3\0\0\0\4", 20);
    std::string const four("\x01\x02\x03\x04\x1a\xe1\x05\x06\x07\x08\x00\x00", 12);
    std::string const six = std::string("\x20\x01", 2) + std::string(13, '\0') + std::string("\x01\x1a\xe1", 3);

    auto const v4 = parse_udp_announce(bytes_of(head + four + "x"), false);
    auto const v6 = parse_udp_announce(bytes_of(head + six), true);

    EXPECT_EQ(v4->interval, std::chrono::seconds(1800));
    EXPECT_EQ(v4->counts.leechers, 3u);
    EXPECT_EQ(v4->counts.seeders, 4u);
    ASSERT_EQ(v4->peers.size(), 1u);
    EXPECT_EQ(v4->peers[0].text(), "1.2.3.4:6881");
    ASSERT_EQ(v6->peers.size(), 1u);
    EXPECT_EQ(v6->peers[0].text(), "[2001::1]:6881");
}

TEST(UdpMessages, UsesNoMorePeersThanTheLimit) {
    EXPECT_EQ(parse_udp_announce(bytes_of(std::string(60'000, '\1')), false)->peers.size(), limit::kTrackerPeers);
}

TEST(UdpMessages, RefusesWhatIsTooShortAndTakesWhatIsTooLong) {
    for (std::size_t size = 0; size < 40; ++size) {
        std::string const bytes(size, '\0');
        EXPECT_EQ(parse_udp_head(bytes_of(bytes)).has_value(), size >= 8);
        EXPECT_EQ(parse_udp_connect(bytes_of(bytes)).has_value(), size >= 16);
        EXPECT_EQ(parse_udp_announce(bytes_of(bytes), false).has_value(), size >= 20);
        EXPECT_EQ(parse_udp_scrape(bytes_of(bytes)).has_value(), size >= 20);
        EXPECT_FALSE(parse_udp_error(bytes_of(bytes)).empty());
    }
}

TEST(UdpMessages, ShowsErrorsSafely) {
    EXPECT_EQ(parse_udp_error(bytes_of(std::string("\0\0\0\3\0\0\0\1no\x1b[m\0", 15))), "no\\x1b[m");
    EXPECT_EQ(parse_udp_error(bytes_of("12345678" + std::string(60'000, 'x'))).size(), limit::kTrackerTextBytes);
}

TEST(UdpMessages, ReadsAScrapeInItsOwnOrder) {
    auto const result = parse_udp_scrape(bytes_of(std::string("\0\0\0\2\0\0\0\2\0\0\0\1\0\0\0\2\0\0\0\3", 20)));

    EXPECT_EQ(result->seeders, 1u);
    EXPECT_EQ(result->downloads, 2u);
    EXPECT_EQ(result->leechers, 3u);
}

}  // namespace
}  // namespace rqfs::torrent
