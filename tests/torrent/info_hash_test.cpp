#include "torrent/info_hash.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

std::string base32(InfoHash const& hash) {
    std::string text;
    unsigned pending = 0;
    int bits = 0;
    for (auto const b : hash.bytes()) {
        pending = pending << 8 | std::to_integer<unsigned>(b);
        for (bits += 8; bits >= 5; bits -= 5)
            text.push_back("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[pending >> (bits - 5) & 31]);
    }
    return text;
}

TEST(InfoHash, IsZeroWhenMadeOfNothing) { EXPECT_EQ(InfoHash().hex(), std::string(40, '0')); }

TEST(InfoHash, ReadsHexadecimalInAnyCase) {
    auto const hash = InfoHash::parse("0123456789ABCDEFabcdef0123456789ABCDEFab");

    ASSERT_TRUE(hash);
    EXPECT_EQ(hash->hex(), "0123456789abcdefabcdef0123456789abcdefab");
    EXPECT_EQ(hash->short_hex(), "01234567");
    EXPECT_EQ(hash->bytes()[7], std::byte{0xef});
}

TEST(InfoHash, ReadsBackEveryFormOfRandomHashes) {
    std::mt19937 random(7);
    for (int round = 0; round < 1'000; ++round) {
        std::array<std::byte, InfoHash::kBytes> bytes{};
        for (auto& b : bytes) b = static_cast<std::byte>(random() & 0xff);
        InfoHash const hash(bytes);
        auto lower = base32(hash);
        for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;

        ASSERT_EQ(InfoHash::parse(hash.hex()).value(), hash) << round;
        ASSERT_EQ(InfoHash::parse(base32(hash)).value(), hash) << round;
        ASSERT_EQ(InfoHash::parse(lower).value(), hash) << round;
        ASSERT_EQ(InfoHash::from_bytes(hash.bytes()).value(), hash) << round;
    }
}

TEST(InfoHash, RefusesEveryOtherLength) {
    for (std::size_t length = 0; length <= 100; ++length) {
        auto const hash = InfoHash::parse(std::string(length, 'a'));

        EXPECT_EQ(hash.has_value(), length == 32 || length == 40) << length;
    }
}

TEST(InfoHash, AcceptsExactlyTheDigitsOfItsBase) {
    for (int c = 0; c < 256; ++c) {
        auto const letter = static_cast<char>(c);
        auto const in = [&](std::string_view digits) { return digits.find(letter) != std::string_view::npos; };

        EXPECT_EQ(InfoHash::parse(std::string(39, '0') + letter).has_value(), in("0123456789abcdefABCDEF")) << c;
        EXPECT_EQ(InfoHash::parse(std::string(31, 'a') + letter).has_value(),
                  in("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
            << c;
    }
}

TEST(InfoHash, RefusesEveryOtherNumberOfBytes) {
    for (std::size_t count = 0; count <= 64; ++count)
        EXPECT_EQ(InfoHash::from_bytes(std::vector<std::byte>(count)).has_value(), count == 20) << count;
}

TEST(InfoHash, OrdersByBytes) {
    auto const low = InfoHash::parse("00" + std::string(38, 'f')).value();
    auto const high = InfoHash::parse("80" + std::string(38, '0')).value();

    EXPECT_LT(low, high);
    EXPECT_NE(low, high);
}

}  // namespace
}  // namespace rqfs::torrent
