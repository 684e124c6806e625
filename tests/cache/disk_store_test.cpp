#include "cache/disk_store.h"

#include "tests/cache/store_fixture.h"
#include "tests/support/temp_dir.h"
#include "torrent/error.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::Errc;
using torrent::PieceIndex;

TEST(DiskStore, GivesAPieceAtOnceAfterPut) {
    tests::TempDir const directory;
    Content const content(1, 1'000'000, 65536);
    StoreFixture fixture(directory / "store");
    auto& pieces = fixture.open(content);

    pieces.put(PieceIndex(3), content.shared(3));

    EXPECT_TRUE(pieces.have().test(PieceIndex(3)));
    auto const bytes = pieces.try_read(PieceIndex(3), {100, 200});
    ASSERT_TRUE(bytes.has_value());
    EXPECT_TRUE(std::equal(bytes->bytes().begin(), bytes->bytes().end(), content.piece(3).begin() + 100));
}

TEST(DiskStore, HasEveryPieceAfterARestartAndReadsItFromDisk) {
    tests::TempDir const directory;
    Content const content(2, 1'000'001, 65536);
    StoreFixture fixture(directory / "store");
    fixture.open(content);
    fixture.put_all(content);

    fixture.restart();
    auto& pieces = fixture.open(content);

    EXPECT_TRUE(pieces.have().all());
    EXPECT_EQ(fixture.count_readable(content), content.pieces());
    EXPECT_TRUE(fixture.noted.lost.empty());
}

TEST(DiskStore, RecordsIdlePiecesByItself) {
    tests::TempDir const directory;
    Content const content(3, 300'000, 65536);
    StoreFixture fixture(directory / "store");
    auto& pieces = fixture.open(content);
    pieces.put(PieceIndex(0), content.shared(0));

    fixture.run_a_little(std::chrono::milliseconds(300));
    fixture.restart();
    auto& again = fixture.open(content);

    EXPECT_TRUE(again.have().test(PieceIndex(0)));
    EXPECT_EQ(again.have().count(), 1u);
}

TEST(DiskStore, IsRefusedToASecondProcess) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");

    try {
        StoreDirectory second(directory / "store");
        FAIL() << "two hold the same store";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::busy);
        EXPECT_EQ(torrent::sentence(e), "another rqfs uses the store " + (directory / "store"));
    }
}

TEST(DiskStore, MakesItsDirectoryForItsUserOnly) {
    tests::TempDir const directory;

    StoreFixture fixture(directory / "a/b/store");

    struct stat status{};
    ASSERT_EQ(::stat((directory / "a/b/store").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
}

}  // namespace
}  // namespace rqfs::cache
