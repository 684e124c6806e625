#include "torrent/connection_budget.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000h};

// Dials as often as it is allowed to at one moment; the attempts go on.
std::vector<ConnectionBudget::Slot> dial_all(ConnectionBudget& budget, TimePoint now, bool hurried = true) {
    std::vector<ConnectionBudget::Slot> slots;
    while (budget.may_dial(now, hurried) && slots.size() < 1000) slots.push_back(budget.take_dial(now));
    return slots;
}

TEST(ConnectionBudget, LetsABurstOfDialsGoThenSoManyASecond) {
    ConnectionBudget budget(400);

    EXPECT_EQ(dial_all(budget, kStart).size(), limit::kDialsPerSecond);
    EXPECT_EQ(dial_all(budget, kStart).size(), 0u);
    EXPECT_EQ(dial_all(budget, kStart + 500ms).size(), limit::kDialsPerSecond / 2);
    EXPECT_EQ(dial_all(budget, kStart + 1h).size(), limit::kDialsPerSecond) << "a long rest saves up no more";
}

TEST(ConnectionBudget, KeepsTheHalfOpenOnesBelowTheirLimit) {
    ConnectionBudget budget(400);
    std::vector<ConnectionBudget::Slot> open;

    for (int second = 0; second < 10; ++second)
        for (auto& slot : dial_all(budget, kStart + 1s * second)) open.push_back(std::move(slot));
    EXPECT_EQ(open.size(), limit::kHalfOpen);
    open.pop_back();

    EXPECT_EQ(dial_all(budget, kStart + 20s).size(), 1u);
}

// A thousand torrents that nobody uses dial dead peers all the time.
TEST(ConnectionBudget, KeepsDialsAndHalfOpenOnesForThoseSomebodyWaitsFor) {
    ConnectionBudget budget(400);
    std::vector<ConnectionBudget::Slot> open;
    for (int second = 0; second < 10; ++second)
        for (auto& slot : dial_all(budget, kStart + 1s * second, false)) open.push_back(std::move(slot));

    EXPECT_EQ(open.size(), limit::kHalfOpen * 3 / 4);
    EXPECT_GE(dial_all(budget, kStart + 9s, true).size(), limit::kDialsPerSecond / 2);
}

TEST(ConnectionBudget, CountsWhatIsConnectedAndWhatIsDialledTogether) {
    ConnectionBudget budget(10);
    std::vector<ConnectionBudget::Slot> connected;
    for (int i = 0; i < 7; ++i) connected.push_back(budget.take_connection());

    EXPECT_EQ(dial_all(budget, kStart).size(), 3u);
    EXPECT_EQ(budget.connected(), 7u);
    EXPECT_FALSE(budget.full());
}

TEST(ConnectionBudget, ASlotIsGivenBackOnceWhereverItWasMoved) {
    ConnectionBudget budget(1);
    {
        auto first = budget.take_connection();
        EXPECT_TRUE(budget.full());
        auto second = std::move(first);
        ConnectionBudget::Slot third;
        third = std::move(second);
        EXPECT_EQ(budget.connected(), 1u);
    }

    EXPECT_EQ(budget.connected(), 0u);
    EXPECT_FALSE(budget.full());
}

TEST(ConnectionBudget, ALowerLimitHoldsAtOnceThoughNobodyIsCutOff) {
    ConnectionBudget budget(10);
    std::vector<ConnectionBudget::Slot> connected;
    for (int i = 0; i < 7; ++i) connected.push_back(budget.take_connection());

    budget.set_limit(5);

    EXPECT_TRUE(budget.full());
    EXPECT_FALSE(budget.may_dial(kStart, true));
    EXPECT_EQ(budget.connected(), 7u);
}

}  // namespace
}  // namespace rqfs::torrent
