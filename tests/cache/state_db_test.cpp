#include "cache/state_db.h"

#include "cache/block_checksums.h"
#include "tests/support/temp_dir.h"
#include "torrent/error.h"
#include "torrent/hash.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::Errc;
using torrent::InfoHash;
using torrent::PieceIndex;
using torrent::TorrentRecord;

constexpr std::uint32_t kPieces = 40;

std::vector<std::byte> info_of(int number) {
    std::mt19937 random(static_cast<unsigned>(number));
    std::vector<std::byte> info(static_cast<std::size_t>(500 + number * 700));
    for (auto& byte : info) byte = static_cast<std::byte>(random());
    return info;
}

TorrentRecord record_of(int number) {
    TorrentRecord record;
    record.info = info_of(number);
    record.info_hash = InfoHash(torrent::sha1(record.info));
    record.display_name = "torrent " + std::to_string(number);
    record.trackers = {{"http://tracker.example/announce"}};
    return record;
}

TorrentPlace place_of(TorrentRecord const& record) {
    return {TorrentKey(0), record.info_hash, "", kPieces * 32768ull, 32768, kPieces};
}

std::vector<PieceRecord> pieces_of(int number) {
    std::vector<PieceRecord> records;
    for (std::uint32_t i = 0; i < kPieces; ++i)
        if ((i + static_cast<std::uint32_t>(number)) % 3 != 0) records.push_back({PieceIndex(i), {i, i * 7 + static_cast<std::uint32_t>(number)}});
    return records;
}

void apply(StateDb& db, StateDb::Change change) { db.apply(std::span(&change, 1)); }

StoredState load(StateDb& db) {
    StoredState state;
    apply(db, [&](StateDb& d) { state = d.load(); });
    return state;
}

std::vector<PieceRecord> checksums(StateDb& db, InfoHash const& info_hash) {
    std::vector<PieceRecord> records;
    apply(db, [&](StateDb& d) { records = d.load_checksums(info_hash); });
    return records;
}

void fill(StateDb& db, int torrents) {
    for (int i = 0; i < torrents; ++i)
        apply(db, [&](StateDb& d) {
            d.save(record_of(i));
            d.record_pieces(place_of(record_of(i)), pieces_of(i));
        });
}

void write_bytes(std::string const& path, std::uint64_t offset, std::string const& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void run_sql(std::string const& path, char const* sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
}

TEST(StateDb, GivesTorrentsInTheOrderTheyWereAdded) {
    tests::TempDir const directory;
    {
        StateDb db(directory / "state.db");
        for (int const i : {5, 1, 9, 3}) apply(db, [&](StateDb& d) { d.save(record_of(i)); });
        apply(db, [&](StateDb& d) { d.save(record_of(1)); });
    }

    StateDb db(directory / "state.db");
    auto const state = load(db);

    std::vector<std::string> names;
    for (auto const& record : state.torrents) names.push_back(record.display_name);
    EXPECT_EQ(names, (std::vector<std::string>{"torrent 5", "torrent 1", "torrent 9", "torrent 3"}));
    EXPECT_EQ(state.torrents[0].info, info_of(5));
}

TEST(StateDb, PutsATorrentLastThatWasForgottenAndAddedAgain) {
    tests::TempDir const directory;
    StateDb db(directory / "state.db");
    for (int const i : {1, 2}) apply(db, [&](StateDb& d) { d.save(record_of(i)); });

    apply(db, [&](StateDb& d) { d.forget(record_of(1).info_hash, false); });
    apply(db, [&](StateDb& d) { d.save(record_of(1)); });

    EXPECT_EQ(load(db).torrents.back().display_name, "torrent 1");
}

TEST(StateDb, KeepsTheStateOfTheDhtBesideThePeersOfTorrents) {
    tests::TempDir const directory;
    InfoHash const zeros;
    std::vector<torrent::Endpoint> const peers{*torrent::Endpoint::parse("9.8.7.6:1")};
    std::vector<std::byte> const state(5'000, std::byte{7});
    {
        StateDb db(directory / "state.db");
        apply(db, [&](StateDb& d) { EXPECT_TRUE(d.load_dht().empty()); });
        apply(db, [&](StateDb& d) { d.save_dht(std::vector<std::byte>(10)); });
        apply(db, [&](StateDb& d) { d.save_dht(state); });
        apply(db, [&](StateDb& d) { d.save_peers(zeros, peers); });
    }

    StateDb db(directory / "state.db");

    apply(db, [&](StateDb& d) { EXPECT_EQ(d.load_dht(), state); });
    apply(db, [&](StateDb& d) { EXPECT_EQ(d.load_peers(zeros), peers); });
    apply(db, [&](StateDb& d) { d.forget(zeros, false); });
    apply(db, [&](StateDb& d) { EXPECT_EQ(d.load_dht(), state); });
}

TEST(StateDb, KeepsPiecesOfAForgottenTorrentOnlyWhenAskedTo) {
    tests::TempDir const directory;
    StateDb db(directory / "state.db");
    fill(db, 2);

    apply(db, [&](StateDb& d) { d.forget(record_of(0).info_hash, true); });
    apply(db, [&](StateDb& d) { d.forget(record_of(1).info_hash, false); });
    auto const state = load(db);

    EXPECT_TRUE(state.torrents.empty());
    ASSERT_EQ(state.pieces.size(), 1u);
    EXPECT_EQ(state.pieces.begin()->first, record_of(0).info_hash);
    EXPECT_EQ(checksums(db, record_of(0).info_hash).size(), pieces_of(0).size());
    EXPECT_TRUE(checksums(db, record_of(1).info_hash).empty());
}

TEST(StateDb, AppliesAllChangesOfATransactionOrNone) {
    tests::TempDir const directory;
    StateDb db(directory / "state.db");
    std::vector<StateDb::Change> const changes{[](StateDb& d) { d.save(record_of(1)); },
                                               [](StateDb&) { torrent::throw_error(Errc::io, "no"); }};

    EXPECT_THROW(db.apply(changes), boost::system::system_error);

    EXPECT_TRUE(load(db).torrents.empty());
}

TEST(StateDb, ForgetsPiecesWhoseTorrentHasOtherFactsNow) {
    tests::TempDir const directory;
    StateDb db(directory / "state.db");
    fill(db, 1);
    auto place = place_of(record_of(0));
    place.piece_bytes = 65536;
    place.pieces = kPieces / 2;
    std::vector<PieceRecord> const one{{PieceIndex(3), {1, 2, 3, 4}}};

    apply(db, [&](StateDb& d) { d.record_pieces(place, one); });

    auto const state = load(db);
    EXPECT_EQ(state.pieces.at(place.info_hash).recorded.count(), 1u);
    EXPECT_EQ(checksums(db, place.info_hash).size(), 1u);
}

TEST(StateDb, RefusesTheDatabaseOfANewerVersionAndLeavesItAlone) {
    tests::TempDir const directory;
    { StateDb const db(directory / "state.db"); }
    run_sql(directory / "state.db", "PRAGMA user_version=2; UPDATE format SET version=2");

    try {
        StateDb const db(directory / "state.db");
        FAIL() << "opened";
    } catch (boost::system::system_error const& e) {
        EXPECT_EQ(e.code(), Errc::unsupported);
        EXPECT_NE(torrent::sentence(e).find("newer rqfs"), std::string::npos);
    }
    EXPECT_FALSE(std::filesystem::exists(directory / "state.db.damaged"));
}

TEST(StateDb, StartsWithGarbageAndSetsItAside) {
    tests::TempDir const directory;
    std::ofstream(directory / "state.db", std::ios::binary) << std::string(100'000, 'x');

    StateDb db(directory / "state.db");

    EXPECT_TRUE(load(db).torrents.empty());
    EXPECT_TRUE(std::filesystem::exists(directory / "state.db.damaged"));
    fill(db, 3);
    EXPECT_EQ(load(db).torrents.size(), 3u);
}

TEST(StateDb, StartsWithAForeignDatabase) {
    tests::TempDir const directory;
    run_sql(directory / "state.db", "CREATE TABLE torrents(x); INSERT INTO torrents VALUES(1)");

    StateDb db(directory / "state.db");

    EXPECT_TRUE(load(db).torrents.empty());
}

TEST(StateDb, SavesEverythingWhenOnlyTheFirstPageIsDestroyed) {
    tests::TempDir const directory;
    {
        StateDb db(directory / "state.db");
        fill(db, 20);
    }
    write_bytes(directory / "state.db", 0, std::string(4096, '\xee'));

    StateDb db(directory / "state.db");
    auto const state = load(db);

    EXPECT_EQ(state.torrents.size(), 20u);
    EXPECT_EQ(state.pieces.size(), 20u);
    EXPECT_EQ(checksums(db, record_of(19).info_hash).size(), pieces_of(19).size());
}

TEST(StateDb, EndsARescueThatDiedHalfWay) {
    tests::TempDir const directory;
    {
        StateDb db(directory / "state.db");
        fill(db, 3);
    }
    std::filesystem::rename(directory / "state.db", directory / "state.db.rebuilt");
    std::ofstream(directory / "state.db", std::ios::binary) << "damaged";

    StateDb db(directory / "state.db");

    EXPECT_EQ(load(db).torrents.size(), 3u);
}

// A database with a log, as a killed daemon leaves it, is damaged at random places. It must open, and whatever it then says must be
// what was once stored; what it does not say any more is found again by hashing.
TEST(StateDb, StartsWhateverIsDamagedAndNeverMakesAnythingUp) {
    constexpr int kTorrents = 12;
    tests::TempDir const directory(tests::TempDir::Where::memory);
    std::filesystem::create_directory(directory / "intact");
    {
        StateDb db(directory / "work.db");
        fill(db, kTorrents);
        std::filesystem::copy(directory / "work.db", directory / "intact/state.db");
        std::filesystem::copy(directory / "work.db-wal", directory / "intact/state.db-wal");
    }
    std::filesystem::create_directory(directory / "closed");
    std::filesystem::copy(directory / "work.db", directory / "closed/state.db");
    std::map<InfoHash, int> numbers;
    for (int i = 0; i < kTorrents; ++i) numbers.emplace(record_of(i).info_hash, i);
    auto const seed = 4711u;
    std::mt19937 random(seed);
    std::size_t torrents_kept = 0;
    int const rounds = 300;

    for (int round = 0; round < rounds; ++round) {
        SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round));
        auto const path = directory / "state.db";
        for (auto const* const suffix : {"", "-wal", ".damaged", ".damaged-wal"}) std::filesystem::remove(path + suffix);
        auto const logged = random() % 2 == 0;
        std::filesystem::copy(directory / (logged ? "intact/state.db" : "closed/state.db"), path);
        if (logged) std::filesystem::copy(directory / "intact/state.db-wal", path + "-wal");
        auto const victim = logged && random() % 4 != 0 ? path + "-wal" : path;
        auto const size = std::filesystem::file_size(victim);
        switch (random() % 4) {
            case 0: std::filesystem::resize_file(victim, random() % (size + 1)); break;
            case 1: write_bytes(victim, random() % size, std::string(1 + random() % 9000, static_cast<char>(random()))); break;
            default:
                for (auto count = 1 + random() % 40; count > 0; --count)
                    write_bytes(victim, random() % size, std::string(1, static_cast<char>(random())));
        }

        StateDb db(path);
        auto const state = load(db);

        torrents_kept += state.torrents.size();
        for (auto const& record : state.torrents) {
            ASSERT_TRUE(numbers.contains(record.info_hash));
            auto const number = numbers.at(record.info_hash);
            EXPECT_TRUE(record.info.empty() || record.info == info_of(number));
            EXPECT_TRUE(record.display_name.empty() || record.display_name == record_of(number).display_name);
        }
        for (auto const& [info_hash, stored] : state.pieces) {
            ASSERT_TRUE(numbers.contains(info_hash));
            auto const number = numbers.at(info_hash);
            EXPECT_EQ(stored.recorded.count(), pieces_of(number).size());
            auto const known = pieces_of(number);
            for (auto const& record : checksums(db, info_hash))
                EXPECT_TRUE(std::any_of(known.begin(), known.end(), [&](PieceRecord const& k) {
                    return k.piece == record.piece && k.checksums == record.checksums;
                }));
        }
        apply(db, [](StateDb& d) { d.save(record_of(77)); });
    }
    RecordProperty("torrents_kept_percent", static_cast<int>(torrents_kept * 100 / (static_cast<std::size_t>(rounds) * kTorrents)));
    std::printf("torrents kept: %zu of %d\n", torrents_kept, rounds * kTorrents);
}

}  // namespace
}  // namespace rqfs::cache
