#include "torrent/swarm/availability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace rqfs::torrent {
namespace {

IndexSet set_of(std::uint32_t size, std::initializer_list<std::uint32_t> members) {
    IndexSet set(size);
    for (std::uint32_t const member : members) set.set(member);
    return set;
}

TEST(Availability, CountsPeersWithEverythingForEveryPiece) {
    Availability availability(10, 1);
    availability.add_all();
    availability.add(PieceIndex(3));

    EXPECT_EQ(availability.of(PieceIndex(3)), 2u);
    EXPECT_EQ(availability.of(PieceIndex(4)), 1u);
    availability.remove_all();
    EXPECT_EQ(availability.of(PieceIndex(4)), 0u);
}

TEST(Availability, NamesTheRarestAndTheCommonestOfWhatIsOffered) {
    Availability availability(10, 1);
    availability.add(set_of(10, {1, 2, 3}));
    availability.add(set_of(10, {2, 3}));
    availability.add(set_of(10, {3}));
    IndexSet const has = set_of(10, {1, 2, 3});
    for (std::uint32_t i = 0; i < 10; ++i) availability.offer(PieceIndex(i));

    EXPECT_EQ(availability.rarest(&has), PieceIndex(1));
    EXPECT_EQ(availability.commonest(&has), PieceIndex(3));
    availability.withdraw(PieceIndex(1));
    EXPECT_EQ(availability.rarest(&has), PieceIndex(2));
}

TEST(Availability, OffersNothingThatAPeerLacks) {
    Availability availability(10, 1);
    availability.add(set_of(10, {1}));
    availability.offer(PieceIndex(2));
    IndexSet const has = set_of(10, {1});

    EXPECT_FALSE(availability.rarest(&has).has_value());
    EXPECT_FALSE(availability.any(&has).has_value());
}

TEST(Availability, KnowsWhetherAnybodyHasWhatIsOffered) {
    Availability availability(10, 1);
    EXPECT_FALSE(availability.obtainable());
    availability.offer(PieceIndex(2));
    EXPECT_FALSE(availability.obtainable());
    availability.add(PieceIndex(2));
    EXPECT_TRUE(availability.obtainable());
    availability.remove(PieceIndex(2));
    availability.add_all();
    EXPECT_TRUE(availability.obtainable());
}

TEST(Availability, BreaksTiesBySeed) {
    std::set<std::uint32_t> answers;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        Availability availability(100, seed), again(100, seed);
        for (std::uint32_t i = 0; i < 100; ++i) {
            availability.offer(PieceIndex(i));
            again.offer(PieceIndex(i));
        }
        auto const answer = availability.rarest(nullptr);
        EXPECT_EQ(answer, again.rarest(nullptr));
        answers.insert(answer->value());
    }

    EXPECT_GT(answers.size(), 10u);
}

TEST(Availability, FindsTheOnePieceOfAPeerAmongManyThatItLacks) {
    constexpr std::uint32_t kPieces = 100'000;
    Availability availability(kPieces, 1);
    availability.add(IndexSet(kPieces, true));
    for (std::uint32_t i = 0; i < kPieces; ++i) availability.offer(PieceIndex(i));
    IndexSet const has = set_of(kPieces, {77'777});

    EXPECT_EQ(availability.rarest(&has), PieceIndex(77'777));
    EXPECT_EQ(availability.any(&has), PieceIndex(77'777));
}

TEST(Availability, AgreesWithPlainCountingWhateverHappens) {
    constexpr std::uint32_t kPieces = 200;
    for (unsigned seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random(seed);
        Availability availability(kPieces, seed);
        std::vector<std::uint32_t> counts(kPieces, 0);
        std::set<std::uint32_t> offered;
        std::vector<IndexSet> peers;
        for (int i = 0; i < 3000; ++i) {
            std::uint32_t const piece = static_cast<std::uint32_t>(random() % kPieces);
            switch (random() % 5) {
                case 0: availability.offer(PieceIndex(piece)), offered.insert(piece); break;
                case 1: availability.withdraw(PieceIndex(piece)), offered.erase(piece); break;
                case 2: availability.add(PieceIndex(piece)), ++counts[piece]; break;
                case 3:
                    if (counts[piece] > 0) availability.remove(PieceIndex(piece)), --counts[piece];
                    break;
                default:
                    if (random() % 20 > 0) break;
                    IndexSet some(kPieces);
                    for (std::uint32_t p = 0; p < kPieces; ++p)
                        if (random() % 2 == 0) some.set(p), ++counts[p];
                    availability.add(some);
            }
            std::uint32_t lowest = ~0u;
            for (std::uint32_t const p : offered) lowest = std::min(lowest, counts[p]);
            auto const rarest = availability.rarest(nullptr);
            ASSERT_EQ(rarest.has_value(), !offered.empty());
            if (rarest) {
                ASSERT_TRUE(offered.contains(rarest->value()));
                ASSERT_EQ(counts[rarest->value()], lowest);
            }
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
