#include "cache/lru.h"

#include <gtest/gtest.h>

#include <string>

namespace rqfs::cache {
namespace {

TEST(Lru, NamesTheLeastRecentlyUsedEntry) {
    Lru<int, std::string> lru;
    lru.put(1, "a", 10);
    lru.put(2, "b", 20);
    lru.put(3, "c", 30);

    lru.use(1);

    EXPECT_EQ(lru.oldest().key, 2);
    EXPECT_EQ(lru.bytes(), 60u);
}

TEST(Lru, ReplacesAnEntryOfTheSameKeyWithItsCharge) {
    Lru<int, std::string> lru;
    lru.put(1, "a", 10);

    lru.put(1, "b", 25);

    EXPECT_EQ(lru.size(), 1u);
    EXPECT_EQ(lru.bytes(), 25u);
    EXPECT_EQ(*lru.use(1), "b");
}

TEST(Lru, ErasesARangeOfKeysAndNoOthers) {
    Lru<int, int> lru;
    for (int i = 0; i < 10; ++i) lru.put(i, i, 1);

    lru.erase_between(3, 6);

    EXPECT_EQ(lru.size(), 6u);
    EXPECT_EQ(lru.bytes(), 6u);
    EXPECT_TRUE(lru.contains(2));
    EXPECT_FALSE(lru.contains(3));
    EXPECT_FALSE(lru.contains(6));
    EXPECT_TRUE(lru.contains(7));
}

TEST(Lru, HasNothingForAKeyThatIsNotThere) {
    Lru<int, int> lru;

    lru.erase(5);

    EXPECT_EQ(lru.use(5), nullptr);
    EXPECT_TRUE(lru.empty());
}

}  // namespace
}  // namespace rqfs::cache
