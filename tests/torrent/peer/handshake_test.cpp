#include "torrent/peer/handshake.h"

#include <gtest/gtest.h>

#include <cstring>

namespace rqfs::torrent {
namespace {

Handshake made_up() {
    std::array<std::byte, InfoHash::kBytes> hash;
    hash.fill(std::byte{0x11});
    Handshake handshake;
    handshake.info_hash = InfoHash(hash);
    handshake.peer_id.fill(std::byte{0x22});
    return handshake;
}

TEST(Handshake, IsSixtyEightBytesAsBep3SaysIt) {
    auto const bytes = made_up().encode();

    EXPECT_EQ(bytes[0], std::byte{19});
    EXPECT_EQ(std::memcmp(bytes.data() + 1, "BitTorrent protocol", 19), 0);
    for (std::size_t i = 20; i < 28; ++i) EXPECT_EQ(bytes[i], std::byte{0});
    for (std::size_t i = 28; i < 48; ++i) EXPECT_EQ(bytes[i], std::byte{0x11});
    for (std::size_t i = 48; i < 68; ++i) EXPECT_EQ(bytes[i], std::byte{0x22});
}

TEST(Handshake, ReadsBackEveryCombinationOfReservedBits) {
    for (int bits = 0; bits < 8; ++bits) {
        auto handshake = made_up();
        handshake.extensions = (bits & 1) != 0;
        handshake.fast = (bits & 2) != 0;
        handshake.dht = (bits & 4) != 0;

        auto const parsed = Handshake::parse(handshake.encode());

        ASSERT_TRUE(parsed);
        EXPECT_EQ(parsed->info_hash, handshake.info_hash);
        EXPECT_EQ(parsed->peer_id, handshake.peer_id);
        EXPECT_EQ(parsed->extensions, handshake.extensions);
        EXPECT_EQ(parsed->fast, handshake.fast);
        EXPECT_EQ(parsed->dht, handshake.dht);
    }
}

TEST(Handshake, PutsTheReservedBitsWhereTheBepsSay) {
    auto handshake = made_up();
    handshake.extensions = handshake.fast = handshake.dht = true;

    auto const bytes = handshake.encode();

    EXPECT_EQ(bytes[25], std::byte{0x10});
    EXPECT_EQ(bytes[27], std::byte{0x05});
}

TEST(Handshake, IgnoresReservedBitsItDoesNotKnow) {
    auto bytes = made_up().encode();
    for (std::size_t i = 20; i < 28; ++i) bytes[i] = std::byte{0xff};

    auto const parsed = Handshake::parse(bytes);

    ASSERT_TRUE(parsed);
    EXPECT_TRUE(parsed->extensions && parsed->fast && parsed->dht);
}

TEST(Handshake, RefusesEveryChangeOfTheProtocolName) {
    for (std::size_t i = 0; i < 20; ++i) {
        auto bytes = made_up().encode();
        bytes[i] ^= std::byte{1};

        EXPECT_FALSE(Handshake::parse(bytes)) << i;
    }
}

}  // namespace
}  // namespace rqfs::torrent
