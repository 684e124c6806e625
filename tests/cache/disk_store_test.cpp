#include "cache/disk_store.h"

#include "tests/cache/store_fixture.h"
#include "tests/support/temp_dir.h"
#include "torrent/error.h"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
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

TEST(DiskStore, WaitsForADaemonThatIsJustEnding) {
    tests::TempDir const directory;
    auto ending = std::make_unique<StoreDirectory>(directory / "store");
    std::thread end([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        ending.reset();
    });

    EXPECT_NO_THROW(StoreDirectory(directory / "store"));

    end.join();
}

TEST(DiskStore, SaysThatATorrentIsGoneWhoseDataCannotBeRemoved) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(41, 100, 100);
    fixture.run(fixture.store->save(content.record()));
    std::filesystem::create_directory(fixture.file(content));

    try {
        fixture.run(fixture.store->forget(content.info_hash, false));
        FAIL() << "a directory was removed like a file";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::io);
        EXPECT_TRUE(torrent::sentence(e).starts_with("the torrent was removed, but its data could not be: cannot remove "))
            << torrent::sentence(e);
    }

    fixture.restart();
    EXPECT_TRUE(fixture.loaded.empty());
}

TEST(DiskStore, CountsWhatIsKeptForRootAsUnused) {
    tests::TempDir const directory;

    auto const space = disk_space(directory / "");

    EXPECT_GT(space.total_bytes, 0u);
    EXPECT_GE(space.unused_bytes, space.free_bytes);
    EXPECT_LE(space.unused_bytes, space.total_bytes);
}

TEST(DiskStore, MakesItsDirectoryForItsUserOnly) {
    tests::TempDir const directory;

    StoreFixture fixture(directory / "a/b/store");

    struct stat status{};
    ASSERT_EQ(::stat((directory / "a/b/store").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST(DiskStore, KeepsTorrentsAndPeersOverARestart) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(4, 100, 100);
    auto record = content.record();
    record.paused = true;
    record.trackers = {{"http://a/"}, {"udp://b:1"}};
    std::vector<torrent::Endpoint> const peers{*torrent::Endpoint::parse("9.8.7.6:1"), *torrent::Endpoint::parse("[fd00::1]:2")};
    fixture.run(fixture.store->save(record));
    fixture.run(fixture.store->save_peers(content.info_hash, peers));

    fixture.restart();

    ASSERT_EQ(fixture.loaded.size(), 1u);
    EXPECT_EQ(fixture.loaded[0].display_name, record.display_name);
    EXPECT_EQ(fixture.loaded[0].trackers, record.trackers);
    EXPECT_TRUE(fixture.loaded[0].paused);
    EXPECT_EQ(fixture.run(fixture.store->load_peers(content.info_hash)), peers);
}

TEST(DiskStore, SavesInTheOrderOfTheCallsAlsoWhenTheyAreAwaitedInAnother) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(4, 100, 100);
    auto record = content.record();
    record.directory = "first";
    auto first = fixture.store->save(record);
    record.directory = "second";
    auto second = fixture.store->save(record);

    fixture.run(std::move(second));
    fixture.run(std::move(first));
    fixture.restart();

    EXPECT_EQ(fixture.loaded.at(0).directory, "second");
}

TEST(DiskStore, FindsKeptPiecesAgainWhenATorrentIsAddedAgain) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(5, 500'000, 65536);
    fixture.run(fixture.store->save(content.record()));
    fixture.open(content);
    fixture.put_all(content);
    fixture.close();

    fixture.run(fixture.store->forget(content.info_hash, true));
    auto& pieces = fixture.open(content);
    EXPECT_TRUE(pieces.have().all());
    fixture.restart();
    auto& again = fixture.open(content);

    EXPECT_TRUE(fixture.loaded.empty());
    EXPECT_TRUE(again.have().all());
    EXPECT_EQ(fixture.count_readable(content), content.pieces());
}

TEST(DiskStore, RemovesFileAndRecordsOfAForgottenTorrent) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(5, 500'000, 65536);
    fixture.run(fixture.store->save(content.record()));
    fixture.open(content);
    fixture.put_all(content);
    ASSERT_TRUE(std::filesystem::exists(fixture.file(content)));
    fixture.close();

    fixture.run(fixture.store->forget(content.info_hash, false));
    EXPECT_FALSE(std::filesystem::exists(fixture.file(content)));
    fixture.restart();
    auto& pieces = fixture.open(content);
    fixture.wait_for_check();

    EXPECT_TRUE(fixture.loaded.empty());
    EXPECT_TRUE(pieces.have().none());
}

TEST(DiskStore, DoesNotBelievePiecesOfOtherFacts) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(6, 500'000, 65536);
    Content const other(6, 500'000, 32768);
    fixture.open(content);
    fixture.put_all(content);
    fixture.close();

    auto& pieces = fixture.open(other);
    EXPECT_TRUE(pieces.have().none());

    EXPECT_TRUE(fixture.wait_for([&] { return pieces.have().all(); })) << "the bytes are the same, so hashing finds them";
    EXPECT_EQ(fixture.count_readable(other), other.pieces());
}

TEST(DiskStore, IgnoresAPieceThatIsThereAlready) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(7, 200'000, 65536);
    auto& pieces = fixture.open(content);
    pieces.put(PieceIndex(1), content.shared(1));

    pieces.put(PieceIndex(1), torrent::SharedBytes(std::vector<std::byte>(65536)));
    fixture.flush();

    EXPECT_TRUE(fixture.reads_right(content, 1));
}

TEST(DiskStore, TakesAPieceLargerThanItsMemory) {
    tests::TempDir const directory;
    auto settings = StoreFixture::quick();
    settings.memory_bytes = 4u << 20;
    StoreFixture fixture(directory / "store", settings);
    Content const content(8, 70u << 20, 32u << 20);
    auto& pieces = fixture.open(content);

    fixture.put_all(content);

    EXPECT_LE(fixture.store->memory_bytes(), settings.memory_bytes);
    EXPECT_TRUE(pieces.has_room());
    fixture.restart();
    fixture.open(content);
    auto const part = fixture.read(1, {20u << 20, (20u << 20) + 300'000});
    ASSERT_TRUE(part);
    EXPECT_TRUE(std::equal(part->begin(), part->end(), content.piece(1).begin() + (20 << 20)));
    EXPECT_LE(fixture.store->memory_bytes(), settings.memory_bytes);
    EXPECT_EQ(fixture.count_readable(content), content.pieces());
}

TEST(DiskStore, ReadsAnyRangeOfAnyPieceFromDiskRight) {
    tests::TempDir const directory;
    auto settings = StoreFixture::quick();
    settings.memory_bytes = 3u << 20;
    StoreFixture fixture(directory / "store", settings);
    Content const content(9, 13'000'001, 3u << 20);
    fixture.open(content);
    fixture.put_all(content);
    fixture.restart();
    fixture.open(content);
    std::mt19937 random(5);

    for (int round = 0; round < 400; ++round) {
        auto const piece = static_cast<std::uint32_t>(random() % content.pieces());
        auto const size = content.piece(piece).size();
        auto const begin = random() % size;
        auto const end = std::min<std::uint64_t>(size, begin + random() % (round % 3 == 0 ? 2'500'000 : 200'000));
        auto const bytes = fixture.read(piece, {begin, end});
        ASSERT_TRUE(bytes);
        ASSERT_TRUE(std::equal(bytes->begin(), bytes->end(), content.piece(piece).begin() + static_cast<std::ptrdiff_t>(begin))) << round;
    }
    EXPECT_LE(fixture.store->memory_bytes(), settings.memory_bytes);
}

TEST(DiskStore, HasWhatFollowsInMemoryForASequentialReader) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(10, 16u << 20, 2u << 20);
    fixture.open(content);
    fixture.put_all(content);
    fixture.restart();
    auto& pieces = fixture.open(content);
    int waited = 0;
    int reads = 0;

    for (std::uint64_t at = 0; at < content.bytes.size(); at += 131072, ++reads) {
        PieceIndex const piece(static_cast<std::uint32_t>(at >> 21));
        torrent::ByteRange const range{at % (2u << 20), at % (2u << 20) + 131072};
        if (pieces.try_read(piece, range)) continue;
        ++waited;
        ASSERT_TRUE(fixture.read(piece.value(), range));
        fixture.run_a_little(std::chrono::milliseconds(5));
    }

    EXPECT_LE(waited, reads / 8);
}

TEST(DiskStore, EndsReadingWithStoppingWhenItStops) {
    tests::TempDir const directory;
    StoreFixture fixture(directory / "store");
    Content const content(12, 8u << 20, 1u << 20);
    fixture.open(content);
    fixture.put_all(content);
    fixture.restart();
    auto& pieces = fixture.open(content);
    std::exception_ptr failure;
    bool ended = false;
    auto reading = pieces.read(PieceIndex(2), {0, 1000});
    boost::asio::co_spawn(fixture.engine, std::move(reading), [&](std::exception_ptr e, torrent::SharedBytes) {
        failure = e;
        ended = true;
    });
    fixture.engine.restart();
    fixture.engine.poll();

    fixture.close();

    EXPECT_TRUE(ended);
}

TEST(DiskStore, StartsWithAThousandTorrentsInTime) {
    tests::TempDir const directory(tests::TempDir::Where::memory);
    StoreFixture fixture(directory / "store");
    std::vector<std::unique_ptr<Content>> contents;
    std::vector<std::unique_ptr<torrent::PieceStore>> open;
    std::vector<boost::asio::awaitable<void>> saves;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        contents.push_back(std::make_unique<Content>(1000 + i, 200'000, 16384));
        auto record = contents.back()->record();
        if (i % 3 != 0) record.info = std::vector<std::byte>(20'000, static_cast<std::byte>(i));
        saves.push_back(fixture.store->save(record));
        open.push_back(fixture.store->open(contents.back()->info_hash, contents.back()->facts, fixture.noted));
        for (std::uint32_t p = 0; p < 4; ++p) open.back()->put(PieceIndex(p), contents.back()->shared(p));
    }
    for (auto& save : saves) fixture.run(std::move(save));
    for (auto& pieces : open) {
        fixture.run(pieces->flush());
        fixture.run(pieces->stop());
    }
    open.clear();
    fixture.stop();

    auto const begin = std::chrono::steady_clock::now();
    fixture.start();
    for (auto const& content : contents) open.push_back(fixture.store->open(content->info_hash, content->facts, fixture.noted));
    auto const loaded = std::chrono::steady_clock::now() - begin;
    std::uint64_t pieces_there = 0;
    for (auto const& pieces : open) pieces_there += pieces->have().count();

    EXPECT_EQ(fixture.loaded.size(), 1000u);
    EXPECT_EQ(pieces_there, 4000u);
    EXPECT_LT(loaded, std::chrono::seconds(2));
    std::printf("loaded in %lld ms\n", static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(loaded).count()));
    for (auto& pieces : open) fixture.run(pieces->stop());
}

}  // namespace
}  // namespace rqfs::cache
