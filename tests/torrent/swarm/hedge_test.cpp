#include "torrent/swarm/hedge.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

TEST(HedgeBudget, StartsWithThirtyTwoBlocks) {
    HedgeBudget budget;

    for (int i = 0; i < 32; ++i) {
        EXPECT_TRUE(budget.affords(kBlockBytes));
        budget.spend(kBlockBytes);
    }

    EXPECT_FALSE(budget.affords(kBlockBytes));
}

TEST(HedgeBudget, GrowsByAFiftiethOfWhatArrivesUpToABurst) {
    HedgeBudget budget;
    for (int i = 0; i < 32; ++i) budget.spend(kBlockBytes);

    for (int i = 0; i < 49; ++i) budget.received(kBlockBytes);
    EXPECT_FALSE(budget.affords(kBlockBytes));
    budget.received(2 * kBlockBytes);
    EXPECT_TRUE(budget.affords(kBlockBytes));
    for (int i = 0; i < 100'000; ++i) budget.received(kBlockBytes);

    EXPECT_TRUE(budget.affords(64 * kBlockBytes));
    EXPECT_FALSE(budget.affords(64 * kBlockBytes + 1));
}

TEST(HedgeBudget, OwesNoMoreThanABurst) {
    HedgeBudget budget;
    for (int i = 0; i < 10'000; ++i) budget.spend(kBlockBytes);

    for (int i = 0; i < 65 * 50 + 1; ++i) budget.received(kBlockBytes);

    EXPECT_TRUE(budget.affords(kBlockBytes));
}

}  // namespace
}  // namespace rqfs::torrent
