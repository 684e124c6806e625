#include "torrent/swarm/index_set.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>

namespace rqfs::torrent {
namespace {

TEST(IndexSet, OfAllHasExactlyItsSize) {
    for (std::uint32_t const size : {0u, 1u, 63u, 64u, 65u, 128u, 1000u}) {
        IndexSet const all(size, true);

        EXPECT_EQ(all.count(), size);
        std::uint32_t seen = 0;
        for (std::uint32_t i = all.next(0); i < size; i = all.next(i + 1)) EXPECT_EQ(i, seen++);
        EXPECT_EQ(seen, size);
    }
}

TEST(IndexSet, AgreesWithAPlainSet) {
    std::mt19937 random(3);
    for (std::uint32_t const size : {1u, 64u, 130u, 257u}) {
        IndexSet set(size), other(size);
        std::set<std::uint32_t> plain, plain_other;
        for (int i = 0; i < 2000; ++i) {
            std::uint32_t const n = static_cast<std::uint32_t>(random() % size);
            bool const add = random() % 2 == 0;
            auto& target = random() % 2 == 0 ? set : other;
            auto& copy = &target == &set ? plain : plain_other;
            EXPECT_EQ(add ? target.set(n) : target.clear(n), add ? copy.insert(n).second : copy.erase(n) > 0);
            ASSERT_EQ(set.count(), plain.size());

            std::uint32_t const from = static_cast<std::uint32_t>(random() % (size + 1));
            auto const next = plain.lower_bound(from);
            EXPECT_EQ(set.next(from), next == plain.end() ? size : *next);
            EXPECT_EQ(set.previous(from), next == plain.begin() ? size : *std::prev(next));
            auto common = next;
            while (common != plain.end() && !plain_other.contains(*common)) ++common;
            EXPECT_EQ(set.next_common(other, from), common == plain.end() ? size : *common);
        }
    }
}

TEST(IndexSet, IsEmptyAfterReset) {
    IndexSet set(100, true);

    set.reset(70);

    EXPECT_EQ(set, IndexSet(70));
}

}  // namespace
}  // namespace rqfs::torrent
