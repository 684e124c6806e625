#include "torrent/dht/answer_limits.h"

#include "tests/torrent/dht/bytes.h"
#include "torrent/dht/address_vote.h"
#include "torrent/dht/tokens.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::endpoint;
using tests::nth_endpoint;

Address nth(std::uint32_t n) { return nth_endpoint(n).address; }

// One of the many addresses of a /64.
Address of_household(std::uint32_t n) {
    return Address::v6({0x26, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(n >> 16),
                        static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
}

struct Limits : testing::Test {
    TimePoint now{1000h};
    AnswerLimits limits;

    // Bytes sent for a query of 100; 0: dropped.
    std::size_t ask(Address const& from, std::size_t answer) {
        if (!limits.admit(from, 100, now)) return 0;
        auto const bytes = std::min(answer, limits.room(from, now));
        limits.sent(from, bytes, now);
        return bytes;
    }
    // None of its addresses asks more than an address may.
    double heard_in_a_flood_of_a_household(Address const& honest) {
        std::size_t heard = 0, asked = 0;
        for (std::uint32_t i = 0; i < 50'000; ++i) {
            now += 100us;
            ask(of_household(i % 1'000), 900);
            if (i % 1000 != 0) continue;
            heard += limits.admit(honest, 100, now) ? 1u : 0u;
            ++asked;
        }
        return static_cast<double>(heard) / static_cast<double>(asked);
    }
};

TEST_F(Limits, GiveAStrangerAFewFullAnswers) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(nth(1), 700), 700u);
}

TEST_F(Limits, AmplifyAStrangersQueriesByLessThanOneAndAHalf) {
    std::size_t in = 0;
    std::size_t out = 0;
    for (int i = 0; i < 10'000; ++i) {
        now += 200ms;
        in += 100;
        out += ask(nth(1), 900);
    }

    EXPECT_LT(static_cast<double>(out) / static_cast<double>(in), 1.5);
}

TEST_F(Limits, HearAProvenNodeInAFloodInFalseNames) {
    limits.proved(nth(5000), now);
    std::size_t in = 0, out = 0, answered = 0, friends = 0;
    for (int i = 0; i < 50'000; ++i) {
        now += 100us;
        in += 100;
        out += ask(nth(static_cast<std::uint32_t>(i) % 250), 900);
        if (i % 1000 != 0) continue;
        answered += ask(nth(5000), 700) == 700 ? 1u : 0u;
        ++friends;
    }

    EXPECT_EQ(answered, friends);
    EXPECT_LE(out, 16'000u * 5 + 32'000u);
    EXPECT_LT(static_cast<double>(out) / static_cast<double>(in), 1.5);
}

TEST_F(Limits, HearAnHonestStrangerInAFloodOfOthers) {
    std::size_t heard = 0, asked = 0;
    for (int i = 0; i < 50'000; ++i) {
        now += 100us;
        ask(nth(static_cast<std::uint32_t>(i) % 250), 900);
        if (i % 1000 != 0) continue;
        heard += limits.admit(nth(5000), 100, now) ? 1u : 0u;
        ++asked;
    }

    EXPECT_GE(heard * 10, asked * 9);
}

TEST_F(Limits, GiveAHouseholdOfIPv6AsMuchAsAnAddress) {
    std::size_t in = 0;
    std::size_t out = 0;
    for (std::uint32_t i = 0; i < 100; ++i) {
        now += 1s;
        in += 100;
        out += ask(of_household(i), 700);
    }

    EXPECT_LT(out, 3'000 + 10 * 100 + in * 3 / 2);
}

TEST_F(Limits, HearAnHonestStrangerInAFloodOfAHouseholdOfIPv6) {
    EXPECT_GE(heard_in_a_flood_of_a_household(endpoint("[2600:5::1]:6881").address), 0.9);
}

TEST_F(Limits, HearAProvenNodeInAFloodOfAHouseholdThatHasProvenAllItsAddresses) {
    auto const honest = endpoint("[2600:5::1]:6881").address;
    for (std::uint32_t i = 0; i < 1'000; ++i) limits.proved(of_household(i), now);
    limits.proved(honest, now);

    EXPECT_GE(heard_in_a_flood_of_a_household(honest), 0.9);
}

TEST_F(Limits, RememberNoMoreAddressesThanTheirLimit) {
    for (std::uint32_t i = 0; i < 100'000; ++i) ask(nth(i), 700);

    EXPECT_FALSE(limits.is_proven(nth(1), now));
    EXPECT_LE(sizeof limits, 4096u);
}

TEST_F(Limits, BelieveAProofForAQuarterOfAnHour) {
    limits.proved(nth(1), now);

    EXPECT_TRUE(limits.is_proven(nth(1), now + 14min));
    EXPECT_FALSE(limits.is_proven(nth(1), now + 15min));
}

TEST_F(Limits, BelieveOfAHouseholdWhoHasProvenItself) {
    limits.proved(of_household(1), now);

    EXPECT_TRUE(limits.is_proven(of_household(1), now));
    EXPECT_FALSE(limits.is_proven(of_household(2), now));
}

TEST_F(Limits, RememberTheProofOfWhoAsksInACrowdOfOtherProofs) {
    limits.proved(nth(1), now);
    for (std::uint32_t i = 0; i < 5'000; ++i) {
        now += 10ms;
        limits.proved(nth(1'000 + i), now);
        if (i % 100 == 0) limits.admit(nth(1), 100, now);
    }

    EXPECT_TRUE(limits.is_proven(nth(1), now));
}

struct TokensTest : testing::Test {
    TimePoint now{1000h};
    InfoHash torrent = InfoHash::parse("0123456789012345678901234567890123456789").value();
    Tokens tokens{{std::byte{1}}, now};
};

TEST_F(TokensTest, AreForOneAddressAndTorrent) {
    auto const token = tokens.make(nth(1), torrent);

    EXPECT_TRUE(tokens.valid(token, nth(1), torrent));
    EXPECT_FALSE(tokens.valid(token, nth(2), torrent));
    EXPECT_FALSE(tokens.valid(token, nth(1), InfoHash()));
    EXPECT_FALSE(tokens.valid("", nth(1), torrent));
    EXPECT_FALSE(tokens.valid(token + "x", nth(1), torrent));
}

TEST_F(TokensTest, LiveForOneMoreSecretThanTheirOwn) {
    auto const token = tokens.make(nth(1), torrent);

    EXPECT_FALSE(tokens.is_old(now + 299s));
    EXPECT_TRUE(tokens.is_old(now + 300s));
    tokens.rotate({std::byte{2}}, now + 300s);
    EXPECT_TRUE(tokens.valid(token, nth(1), torrent));
    tokens.rotate({std::byte{3}}, now + 600s);
    EXPECT_FALSE(tokens.valid(token, nth(1), torrent));
}

TEST_F(TokensTest, DoNotOutliveALongSleep) {
    auto const token = tokens.make(nth(1), torrent);

    tokens.rotate({std::byte{2}}, now + 11min);

    EXPECT_FALSE(tokens.valid(token, nth(1), torrent));
}

TEST(AddressVoteTest, DecidesAfterTenVotersAndThenOnlyOnChange) {
    AddressVote vote;
    TimePoint now{1000h};
    auto const us = nth(999);
    for (std::uint32_t i = 0; i < 9; ++i) EXPECT_FALSE(vote.vote(nth(i), us, now));

    EXPECT_EQ(vote.vote(nth(9), us, now), us);
    for (std::uint32_t i = 0; i < 200; ++i) EXPECT_FALSE(vote.vote(nth(i), us, now));
    EXPECT_EQ(vote.winner(), us);
}

TEST(AddressVoteTest, HearsEachVoterOnce) {
    AddressVote vote;
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(vote.vote(nth(1), nth(999), TimePoint{1000h}));
    EXPECT_FALSE(vote.winner());
}

TEST(AddressVoteTest, DoesNotDecideWhatIsDisputed) {
    AddressVote vote;
    for (std::uint32_t i = 0; i < 10; ++i) EXPECT_FALSE(vote.vote(nth(i), nth(900 + i % 2), TimePoint{1000h}));
    EXPECT_FALSE(vote.winner());
}

TEST(AddressVoteTest, DecidesOnFewVotersAfterFiveMinutes) {
    AddressVote vote;
    TimePoint now{1000h};
    vote.vote(nth(1), nth(999), now);

    EXPECT_EQ(vote.vote(nth(2), nth(999), now + 5min), nth(999));
}

}  // namespace
}  // namespace rqfs::torrent
