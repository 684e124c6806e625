#include "tests/cache/store_fixture.h"
#include "tests/support/temp_dir.h"
#include "torrent/error.h"

#include <gtest/gtest.h>

#include <sys/mount.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace rqfs::cache {
namespace {

using torrent::Errc;
using torrent::PieceIndex;

constexpr std::uint32_t kPieceBytes = 1u << 20;

// A store on a small filesystem of its own.
class FullDisk : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directory(mount_point());
        if (::mount("rqfs-test", mount_point().c_str(), "tmpfs", 0, "size=24m") != 0)
            GTEST_SKIP() << "a small filesystem can be mounted by root only: " << std::strerror(errno);
        mounted = true;
        settings.memory_bytes = 32u << 20;
        fixture = std::make_unique<StoreFixture>(mount_point() + "/store", settings);
    }
    void TearDown() override {
        fixture.reset();
        if (mounted) {
            EXPECT_EQ(::umount(mount_point().c_str()), 0);
        }
    }
    std::string mount_point() const { return directory / "disk"; }

    void fill() const {
        std::ofstream file(mount_point() + "/ballast", std::ios::binary | std::ios::app);
        std::string const block(65536, 'b');
        while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
        }
    }
    void make_room() const { std::filesystem::remove(mount_point() + "/ballast"); }

    tests::TempDir directory;
    bool mounted = false;
    CacheSettings settings = StoreFixture::quick();
    Content content{31, 20 * kPieceBytes, kPieceBytes};
    std::unique_ptr<StoreFixture> fixture;
};

TEST_F(FullDisk, IsSaidAndPiecesStayReadableAndAreWrittenWithinFiveSecondsOfSpaceBeingThere) {
    auto& pieces = fixture->open(content);
    fixture->flush();
    fill();

    for (std::uint32_t i = 0; i < 10; ++i) pieces.put(PieceIndex(i), content.shared(i));
    EXPECT_TRUE(fixture->wait_for([&] { return pieces.condition().disk_full; }));
    EXPECT_EQ(fixture->count_readable(content), 10u);
    EXPECT_GT(fixture->noted.changes, 0);
    fixture->flush();
    EXPECT_TRUE(pieces.condition().disk_full);

    make_room();
    EXPECT_TRUE(fixture->wait_for([&] { return !pieces.condition().disk_full; }, std::chrono::seconds(5)));
    fixture->flush();
    fixture->restart();
    fixture->open(content);
    EXPECT_EQ(fixture->count_readable(content), 10u);
}

TEST_F(FullDisk, IsTriedAgainAtOnceOnDemand) {
    auto& pieces = fixture->open(content);
    fill();
    pieces.put(PieceIndex(0), content.shared(0));
    ASSERT_TRUE(fixture->wait_for([&] { return pieces.condition().disk_full; }));
    make_room();

    pieces.retry_now();

    EXPECT_TRUE(fixture->wait_for([&] { return !pieces.condition().disk_full; }, std::chrono::milliseconds(500)));
}

TEST_F(FullDisk, LeavesNoRoomForMoreThanHalfOfMemory) {
    auto& pieces = fixture->open(content);
    fill();
    for (std::uint32_t i = 0; i < 15; ++i) pieces.put(PieceIndex(i), content.shared(i));
    EXPECT_TRUE(pieces.has_room());

    pieces.put(PieceIndex(15), content.shared(15));
    EXPECT_FALSE(pieces.has_room());

    make_room();
    pieces.retry_now();
    EXPECT_TRUE(fixture->wait_for([&] { return pieces.has_room(); }));
}

TEST_F(FullDisk, GivesUpTheOldestPiecesRatherThanAllMemory) {
    Content const large(32, 60 * kPieceBytes, kPieceBytes);
    auto& pieces = fixture->open(large);
    fill();
    for (std::uint32_t i = 0; i < 60; ++i) {
        pieces.put(PieceIndex(i), large.shared(i));
        fixture->run_a_little(std::chrono::milliseconds(10));
    }

    EXPECT_TRUE(fixture->wait_for([&] { return fixture->store->memory_bytes() <= settings.memory_bytes; }));

    EXPECT_TRUE(pieces.have().test(PieceIndex(59)));
    EXPECT_FALSE(pieces.have().test(PieceIndex(0)));
    EXPECT_FALSE(fixture->noted.lost.empty());
    EXPECT_EQ(fixture->count_readable(large), pieces.have().count());
}

TEST_F(FullDisk, NeverLosesTheOldStateOfATorrent) {
    auto record = content.record();
    record.directory = "old";
    fixture->run(fixture->store->save(record));
    fill();
    record.directory = "new";
    record.display_name = std::string(300'000, 'n');

    boost::system::error_code code;
    try {
        fixture->run(fixture->store->save(record));
    } catch (boost::system::system_error const& e) {
        code = e.code();
    }
    EXPECT_EQ(code, Errc::no_space);

    fixture->restart();
    ASSERT_EQ(fixture->loaded.size(), 1u);
    EXPECT_EQ(fixture->loaded[0].directory, "old");
    make_room();
    fixture->run(fixture->store->save(record));
    fixture->restart();
    EXPECT_EQ(fixture->loaded[0].directory, "new");
}

TEST_F(FullDisk, IsSaidBeforeTheReserveIsTouched) {
    fixture->stop();
    settings.reserved_percent = 10;
    fixture = std::make_unique<StoreFixture>(mount_point() + "/store", settings);
    Content const large(33, 30 * kPieceBytes, kPieceBytes);
    auto& pieces = fixture->open(large);
    for (std::uint32_t i = 0; i < 30; ++i) pieces.put(PieceIndex(i), large.shared(i));

    EXPECT_TRUE(fixture->wait_for([&] { return pieces.condition().disk_full; }));

    EXPECT_GE(std::filesystem::space(mount_point()).available, 24u * kPieceBytes / 10);
    EXPECT_EQ(fixture->count_readable(large), 30u);
}

}  // namespace
}  // namespace rqfs::cache
