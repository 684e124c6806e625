#include "cache/record_codec.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::FileIndex;
using torrent::InfoHash;
using torrent::PieceIndex;

InfoHash hash(int value) {
    std::array<std::byte, 20> bytes{};
    bytes.fill(static_cast<std::byte>(value));
    return InfoHash(bytes);
}

torrent::TorrentRecord full_record() {
    torrent::TorrentRecord record;
    record.info_hash = hash(7);
    record.display_name = "A film\n\xff";
    record.trackers = {{"http://a/announce", "udp://b:1"}, {}, {"https://c/"}};
    record.web_seeds = {"http://seed/"};
    record.user_peers = {"1.2.3.4:5", "[::1]:6"};
    record.magnet_peers = {"peer.example:7"};
    record.created = std::chrono::sys_seconds(std::chrono::seconds(-5));
    record.added = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000));
    record.directory = "A film";
    record.paused = true;
    record.download = true;
    record.wanted_files = {FileIndex(3), FileIndex(0)};
    record.selected_files = {FileIndex(9)};
    record.user_trackers = {"udp://b:80"};
    record.downloaded_bytes = 1ull << 40;
    record.uploaded_bytes = 17;
    record.completed_announced = true;
    return record;
}

TEST(RecordCodec, KeepsEveryFieldOfATorrent) {
    auto const record = full_record();

    auto const read = decode_torrent(record.info_hash, encode_torrent(record));

    ASSERT_TRUE(read);
    EXPECT_EQ(read->info_hash, record.info_hash);
    EXPECT_EQ(read->display_name, record.display_name);
    EXPECT_EQ(read->trackers, record.trackers);
    EXPECT_EQ(read->web_seeds, record.web_seeds);
    EXPECT_EQ(read->user_peers, record.user_peers);
    EXPECT_EQ(read->magnet_peers, record.magnet_peers);
    EXPECT_EQ(read->created, record.created);
    EXPECT_EQ(read->added, record.added);
    EXPECT_EQ(read->directory, record.directory);
    EXPECT_TRUE(read->paused);
    EXPECT_TRUE(read->download);
    EXPECT_EQ(read->wanted_files, record.wanted_files);
    EXPECT_EQ(read->selected_files, record.selected_files);
    EXPECT_EQ(read->user_trackers, record.user_trackers);
    EXPECT_EQ(read->downloaded_bytes, record.downloaded_bytes);
    EXPECT_EQ(read->uploaded_bytes, record.uploaded_bytes);
    EXPECT_TRUE(read->completed_announced);
}

TEST(RecordCodec, KeepsAnEmptyTorrent) {
    torrent::TorrentRecord record;
    record.info_hash = hash(1);

    auto const read = decode_torrent(record.info_hash, encode_torrent(record));

    ASSERT_TRUE(read);
    EXPECT_FALSE(read->created);
    EXPECT_FALSE(read->paused);
    EXPECT_TRUE(read->trackers.empty());
}

TEST(RecordCodec, KeepsTheUsersTrackersWithoutAnyPeerOfAMagnet) {
    torrent::TorrentRecord record;
    record.info_hash = hash(1);
    record.user_trackers = {"udp://a:1"};

    auto const read = decode_torrent(record.info_hash, encode_torrent(record));

    ASSERT_TRUE(read);
    EXPECT_TRUE(read->magnet_peers.empty());
    EXPECT_EQ(read->user_trackers, record.user_trackers);
}

TEST(RecordCodec, NoticesEveryFlippedBitAndEveryCut) {
    auto const record = full_record();
    auto const row = encode_torrent(record);

    for (std::size_t bit = 0; bit < row.size() * 8; ++bit) {
        auto damaged = row;
        damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
        EXPECT_FALSE(decode_torrent(record.info_hash, damaged)) << bit;
    }
    for (std::size_t size = 0; size < row.size(); ++size)
        EXPECT_FALSE(decode_torrent(record.info_hash, std::span(row).first(size))) << size;
}

TEST(RecordCodec, RefusesARowOfAnotherTorrent) {
    StoredPieces const pieces{100, 10, torrent::Bitfield(10, true)};

    EXPECT_TRUE(decode_pieces(hash(1), encode_pieces(hash(1), pieces)));
    EXPECT_FALSE(decode_pieces(hash(2), encode_pieces(hash(1), pieces)));
}

TEST(RecordCodec, RefusesChecksumsOfAnotherPiece) {
    std::vector<std::uint32_t> const checksums{1, 2, 0xffffffff};
    auto const row = encode_checksums(hash(1), PieceIndex(5), checksums);

    EXPECT_EQ(decode_checksums(hash(1), PieceIndex(5), row), checksums);
    EXPECT_FALSE(decode_checksums(hash(1), PieceIndex(6), row));
    EXPECT_FALSE(decode_checksums(hash(2), PieceIndex(5), row));
}

TEST(RecordCodec, KeepsPiecesOfEveryCount) {
    for (std::uint32_t count = 0; count < 70; ++count) {
        StoredPieces pieces{count * 10ull, 10, torrent::Bitfield(count)};
        for (std::uint32_t i = 0; i < count; i += 3) pieces.recorded.set(PieceIndex(i));

        auto const read = decode_pieces(hash(1), encode_pieces(hash(1), pieces));

        ASSERT_TRUE(read) << count;
        EXPECT_EQ(read->recorded, pieces.recorded);
        EXPECT_EQ(read->total_bytes, pieces.total_bytes);
    }
}

TEST(RecordCodec, KeepsPeersInTheirOrder) {
    std::vector<torrent::Endpoint> const peers{*torrent::Endpoint::parse("9.8.7.6:1"), *torrent::Endpoint::parse("[fd00::1]:65535"),
                                               *torrent::Endpoint::parse("1.2.3.4:6881")};

    EXPECT_EQ(decode_peers(hash(1), encode_peers(hash(1), peers)), peers);
}

TEST(RecordCodec, KeepsTheStateOfTheDhtAndNoticesEveryFlippedBit) {
    Bytes const state{std::byte{1}, std::byte{2}, std::byte{3}};
    auto const row = encode_dht(state);

    EXPECT_EQ(decode_dht(row), state);
    for (std::size_t bit = 0; bit < row.size() * 8; ++bit) {
        auto damaged = row;
        damaged[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_FALSE(decode_dht(damaged)) << bit;
    }
}

TEST(RecordCodec, NeverBelievesRandomBytes) {
    std::mt19937 random(3);
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::byte> row(random() % 80);
        for (auto& byte : row) byte = static_cast<std::byte>(random());
        EXPECT_FALSE(decode_torrent(hash(1), row));
        EXPECT_FALSE(decode_pieces(hash(1), row));
        EXPECT_FALSE(decode_peers(hash(1), row));
        EXPECT_FALSE(decode_dht(row));
    }
}

}  // namespace
}  // namespace rqfs::cache
