#include "torrent/swarm/seek_budget.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1000h};

TEST(SeekBudget, IsNotSpentByTheSeeksOfAPerson) {
    SeekBudget budget;

    for (int seek = 0; seek < 8; ++seek) {
        EXPECT_FALSE(budget.spent(kNow + seek * 100ms));
        budget.cancelled(500, kNow + seek * 100ms);
    }

    EXPECT_FALSE(budget.spent(kNow + 800ms));
}

TEST(SeekBudget, LetsAProgramThatSeeksAllTheTimeCancelSoMuchASecond) {
    SeekBudget budget;
    double cancelled = 0;

    for (auto passed = 0ms; passed < 20s; passed += 1ms) {
        if (budget.spent(kNow + passed)) continue;
        budget.cancelled(60, kNow + passed);
        cancelled += 60;
    }

    EXPECT_LE(cancelled, SeekBudget::kAtOnce + 20 * SeekBudget::kPerSecond + 60);
    EXPECT_GE(cancelled, 20 * SeekBudget::kPerSecond);
}

TEST(SeekBudget, KeepsNobodyWaitingLongHoweverMuchWasTakenBack) {
    SeekBudget budget;

    budget.cancelled(1'000'000, kNow);

    EXPECT_TRUE(budget.spent(kNow + SeekBudget::kLongestWait - 1ms));
    EXPECT_FALSE(budget.spent(kNow + SeekBudget::kLongestWait));
}

}  // namespace
}  // namespace rqfs::torrent
