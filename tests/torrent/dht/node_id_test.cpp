#include "torrent/dht/node_id.h"

#include "tests/torrent/dht/bytes.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

using tests::random_id;

NodeId hex(std::string_view digits) { return NodeId(InfoHash::parse(digits).value()); }
Address address(std::string_view text) { return Address::parse(text).value(); }

TEST(NodeId, FollowsFromTheAddressAsBep42Shows) {
    struct {
        std::string_view address, id;
    } const vectors[] = {
        {"124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
        {"21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
        {"65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
        {"84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
        {"43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"},
    };
    for (auto const& each : vectors) {
        EXPECT_TRUE(is_secure(hex(each.id), address(each.address))) << each.address;
        EXPECT_EQ(secure_node_id(address(each.address), hex(each.id)), hex(each.id)) << each.address;
    }
}

TEST(NodeId, WithAnyOfTheFirst21BitsChangedDoesNotFollow) {
    auto const good = hex("5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401");
    for (unsigned bit = 0; bit < 160; ++bit) {
        auto const changed = id_at_distance(good, bit, good);
        bool const counts = bit < 21 || bit >= 157;

        EXPECT_EQ(is_secure(changed, address("124.31.75.21")), !counts) << bit;
    }
}

TEST(NodeId, MadeForAnIPv6AddressFollowsFromItsNetwork) {
    std::mt19937 random(1);
    auto const id = secure_node_id(address("2001:470::1234"), random_id(random));

    EXPECT_TRUE(is_secure(id, address("2001:470::1234")));
    EXPECT_TRUE(is_secure(id, address("2001:470::5678"))) << "the host's half does not count";
    EXPECT_FALSE(is_secure(id, address("2001:471::1234")));
}

TEST(NodeId, IsAsGoodAsAnyOtherInALocalNetwork) {
    std::mt19937 random(2);
    for (auto const* const each : {"10.1.2.3", "127.0.0.1", "172.16.0.1", "172.31.9.9", "192.168.1.1", "169.254.1.1",
                                   "::1", "fe80::1", "fd00::1"})
        EXPECT_TRUE(is_secure(random_id(random), address(each))) << each;
    int secure = 0;
    for (auto const* const each : {"11.1.2.3", "172.32.0.1", "192.169.1.1", "8.8.8.8", "2600::1"})
        secure += is_secure(random_id(random), address(each)) ? 1 : 0;
    EXPECT_EQ(secure, 0);
}

TEST(NodeId, IsNearerTheMoreLeadingBitsItShares) {
    std::mt19937 random(3);
    auto const target = random_id(random);
    for (unsigned bits = 0; bits + 1 < 160; ++bits) {
        auto const far = id_at_distance(target, bits, random_id(random));
        auto const near = id_at_distance(target, bits + 1, random_id(random));

        EXPECT_EQ(common_bits(target, far), bits);
        EXPECT_TRUE(is_closer(target, near, far));
        EXPECT_FALSE(is_closer(target, far, near));
    }
    EXPECT_EQ(common_bits(target, target), 160u);
    EXPECT_FALSE(is_closer(target, target, target));
}

TEST(NodeId, WithinARangeKeepsItsPrefix) {
    std::mt19937 random(4);
    auto const own = random_id(random);
    for (unsigned bits = 0; bits <= 160; ++bits)
        EXPECT_GE(common_bits(own, id_within(own, bits, random_id(random))), bits);
}

TEST(NodeId, HasTwentyBytes) {
    EXPECT_TRUE(NodeId::from_bytes(tests::bytes_of("abcdefghij0123456789")));
    EXPECT_FALSE(NodeId::from_bytes(tests::bytes_of("abcdefghij012345678")));
    EXPECT_FALSE(NodeId::from_bytes(tests::bytes_of("abcdefghij01234567890")));
}

TEST(Distance, IsAShareOfTheWholeSpace) {
    std::array<std::byte, NodeId::kBytes> bytes{};
    NodeId const origin(bytes);
    bytes[0] = std::byte{0x80};
    EXPECT_EQ(distance_share(origin, NodeId(bytes)), 0.5);
    bytes[0] = std::byte{0x01};
    bytes[1] = std::byte{0x80};
    EXPECT_EQ(distance_share(NodeId(bytes), origin), 1.5 / 256);
    bytes.fill(std::byte{0xff});
    EXPECT_EQ(distance_share(origin, NodeId(bytes)), 1.0);
    EXPECT_EQ(distance_share(origin, origin), 0.0);
}

}  // namespace
}  // namespace rqfs::torrent
