#include "torrent/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string hex(Sha1Digest const& digest) {
    std::string text;
    for (auto const b : digest) {
        text.push_back("0123456789abcdef"[std::to_integer<std::size_t>(b >> 4)]);
        text.push_back("0123456789abcdef"[std::to_integer<std::size_t>(b & std::byte{15})]);
    }
    return text;
}

TEST(Hash, KnowsTheVectorsOfRfc3174) {
    EXPECT_EQ(hex(sha1(bytes_of("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hex(sha1(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    EXPECT_EQ(hex(sha1(bytes_of(std::string(1'000'000, 'a')))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(Hash, HashesNothing) {
    EXPECT_EQ(hex(sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    EXPECT_EQ(hex(Sha1().finish()), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(Hash, GivesTheSameForEveryDivisionIntoParts) {
    std::string const content(300, 'x');
    auto const whole = sha1(bytes_of(content));
    for (std::size_t first = 0; first <= content.size(); ++first) {
        Sha1 hash;
        hash.update(bytes_of(content).first(first));
        hash.update({});
        hash.update(bytes_of(content).subspan(first));

        ASSERT_EQ(hash.finish(), whole) << first;
    }
}

TEST(Hash, GoesOnAfterItWasMoved) {
    Sha1 first;
    first.update(bytes_of("ab"));
    Sha1 second = std::move(first);
    Sha1 third;
    third.update(bytes_of("forgotten"));
    third = std::move(second);
    third.update(bytes_of("c"));

    EXPECT_EQ(hex(third.finish()), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Random, FillsEveryByteAndNeverTheSame) {
    std::vector<std::byte> const zeros(100'000);
    auto first = zeros;
    auto second = zeros;

    fill_random(first);
    fill_random(second);

    EXPECT_NE(first, second);
    // 2^-800: no hundred bytes in a row stay as they were.
    EXPECT_EQ(std::search(first.begin(), first.end(), zeros.begin(), zeros.begin() + 100), first.end());
}

TEST(Random, FillsNothing) {
    std::array<std::byte, 1> guard{std::byte{7}};

    fill_random(std::span(guard).first(0));

    EXPECT_EQ(guard[0], std::byte{7});
}

}  // namespace
}  // namespace rqfs::torrent
