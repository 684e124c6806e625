#include "tests/cache/store_fixture.h"
#include "tests/support/temp_dir.h"
#include "torrent/piece_store.h"
#include "torrent/units.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace rqfs::cache {
namespace {

using torrent::PieceIndex;

constexpr std::uint32_t kPieceBytes = 65536;

// Two torrents, and a directory where the file of the first should be.
class BadFile : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directory(fixture.file(bad_content));
        bad = fixture.store->open(bad_content.info_hash, bad_content.facts, bad_noted);
        fixture.open(good_content);
    }
    void TearDown() override { close_bad(); }

    void close_bad() {
        if (bad != nullptr) fixture.run(bad->stop());
        bad.reset();
    }
    void put_bad(std::uint32_t from, std::uint32_t to) {
        for (auto i = from; i < to; ++i) bad->put(PieceIndex(i), bad_content.shared(i));
    }
    bool bad_fails() {
        return fixture.wait_for([&] { return !bad->condition().failure.empty(); });
    }
    static CacheSettings small() {
        auto settings = StoreFixture::quick();
        settings.memory_bytes = 40 * kPieceBytes;
        return settings;
    }

    tests::TempDir directory;
    Content bad_content{51, 60 * kPieceBytes, kPieceBytes};
    Content good_content{52, 10 * kPieceBytes, kPieceBytes};
    Noted bad_noted;
    StoreFixture fixture{directory / "store", small()};
    std::unique_ptr<torrent::PieceStore> bad;
};

TEST_F(BadFile, IsTheTroubleOfItsTorrentOnly) {
    put_bad(0, 5);
    ASSERT_TRUE(bad_fails());

    fixture.put_all(good_content);

    EXPECT_TRUE(fixture.pieces->condition().failure.empty()) << fixture.pieces->condition().failure;
    EXPECT_FALSE(bad->condition().failure.empty());
    EXPECT_FALSE(bad->condition().disk_full);
    EXPECT_GT(bad_noted.changes, 0);
    close_bad();
    fixture.restart();
    EXPECT_TRUE(fixture.open(good_content).have().all());
}

TEST_F(BadFile, LetsTheOthersCommitOnTime) {
    put_bad(0, 5);
    ASSERT_TRUE(bad_fails());
    for (std::uint32_t i = 0; i < good_content.pieces(); ++i) fixture.pieces->put(PieceIndex(i), good_content.shared(i));

    fixture.run_a_little(std::chrono::milliseconds(500));

    close_bad();
    fixture.restart();
    EXPECT_TRUE(fixture.open(good_content).have().all());
}

TEST_F(BadFile, LeavesTheOthersTheirRoom) {
    put_bad(0, 30);
    ASSERT_FALSE(fixture.pieces->has_room());

    ASSERT_TRUE(bad_fails());

    EXPECT_TRUE(fixture.wait_for([&] { return fixture.pieces->has_room(); }));
    EXPECT_FALSE(bad->has_room());
    EXPECT_FALSE(bad_noted.lost.empty());
}

TEST_F(BadFile, IsTriedAgainUntilItTakesWhatWaits) {
    put_bad(0, 5);
    ASSERT_TRUE(bad_fails());
    fixture.put_all(good_content);
    std::filesystem::remove(fixture.file(bad_content));

    EXPECT_TRUE(fixture.wait_for([&] { return bad->condition().failure.empty(); }, std::chrono::seconds(5)));

    fixture.run(bad->flush());
    EXPECT_TRUE(bad->has_room());
    close_bad();
    fixture.restart();
    EXPECT_EQ(fixture.open(bad_content).have().count(), 5u);
    EXPECT_EQ(fixture.count_readable(bad_content), 5u);
}

TEST_F(BadFile, IsNotHealedByTheSuccessOfAnother) {
    put_bad(0, 5);
    ASSERT_TRUE(bad_fails());

    fixture.put_all(good_content);
    fixture.run_a_little();

    EXPECT_FALSE(bad->condition().failure.empty());
}

}  // namespace
}  // namespace rqfs::cache
