#include "torrent/swarm/peer_priority.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

std::vector<std::byte> bytes(std::string const& text) {
    std::vector<std::byte> bytes;
    for (auto const c : text) bytes.push_back(static_cast<std::byte>(c));
    return bytes;
}

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
    EXPECT_EQ(crc32c({}), 0u);
    EXPECT_EQ(crc32c(bytes("123456789")), 0xe3069283u);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8a9136aau);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43u);
}

TEST(PeerPriority, MatchesTheVectorsOfBep40) {
    EXPECT_EQ(peer_priority(at("123.213.32.10:0"), at("98.76.54.32:0")), 0xec2d7224u);
    EXPECT_EQ(peer_priority(at("123.213.32.10:0"), at("123.213.32.234:0")), 0x99568189u);
}

// What other programs compute for these pairs.
TEST(PeerPriority, AgreesWithOthersOnEveryMask) {
    EXPECT_EQ(peer_priority(at("123.213.32.10:51413"), at("123.213.33.234:6881")), 0xf61850a9u);
    EXPECT_EQ(peer_priority(at("123.213.32.10:51413"), at("123.213.32.10:6881")), 0x9f852e9fu);
    EXPECT_EQ(peer_priority(at("[2a03:2880:f277:1cd:face:b00c:0:167]:51413"),
                            at("[2a03:2880:f177:185:face:b00c:0:25de]:6881")),
              0xe4d0f2e2u);
    EXPECT_EQ(peer_priority(at("[2a03:2880:f177:f1cd:face:b00c:0:167]:51413"),
                            at("[2a03:2880:f177:f285:face:b00c:0:25de]:6881")),
              0xcd993d35u);
}

TEST(PeerPriority, IsTheSameFromBothSides) {
    std::mt19937 random(3);
    for (int round = 0; round < 1000; ++round) {
        std::array<std::uint8_t, 4> one{10, 1, 1, 1};
        std::array<std::uint8_t, 4> other{10, 1, 1, 1};
        for (auto i = random() % 5; i < 4; ++i) {
            one[i] = static_cast<std::uint8_t>(random());
            other[i] = static_cast<std::uint8_t>(random());
        }
        Endpoint const a{Address::v4(one), static_cast<std::uint16_t>(random())};
        Endpoint const b{Address::v4(other), static_cast<std::uint16_t>(random())};

        EXPECT_EQ(peer_priority(a, b), peer_priority(b, a)) << a.text() << " " << b.text();
    }
}

TEST(PeerPriority, PortsCountOnlyWithinOneAddress) {
    EXPECT_EQ(peer_priority(at("1.2.3.4:1"), at("5.6.7.8:2")), peer_priority(at("1.2.3.4:3"), at("5.6.7.8:4")));
    EXPECT_NE(peer_priority(at("1.2.3.4:1"), at("1.2.3.4:2")), peer_priority(at("1.2.3.4:1"), at("1.2.3.4:3")));
}

TEST(PeerPriority, IsNothingAcrossFamilies) { EXPECT_EQ(peer_priority(at("1.2.3.4:1"), at("[fd99::1]:1")), 0u); }

}  // namespace
}  // namespace rqfs::torrent
