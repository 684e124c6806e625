#include "torrent/swarm/piece_assembly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using Stored = PieceAssembly::Stored;

constexpr std::uint32_t kPieceBytes = 512u << 10;  // 32 blocks
constexpr std::uint64_t kTotalBytes =
    3 * kPieceBytes + 2 * kBlockBytes + 100;  // the last piece has 3 blocks, the last of 100 bytes

PeerHandle const kAlice(1);
PeerHandle const kBob(2);
PieceIndex const kFirst(0);
PieceIndex const kLast(3);

PieceLayout layout() { return {kTotalBytes, kPieceBytes}; }

std::vector<std::byte> const& content(PieceIndex piece) {
    static std::map<PieceIndex, std::vector<std::byte>> contents;
    auto& bytes = contents[piece];
    if (!bytes.empty()) return bytes;
    std::mt19937 random(piece.value() + 1);
    bytes.resize(layout().bytes(piece));
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
}

std::vector<std::byte> block_of(BlockAddress block) {
    auto const& piece = content(block.piece);
    auto const begin = piece.begin() + layout().begin(block);
    return {begin, begin + layout().bytes(block)};
}

BlockAddress block(PieceIndex piece, std::uint32_t number) { return {piece, BlockIndex(number)}; }

Stored add(PieceAssembly& assembly, BlockAddress address, PeerHandle sender = kAlice) {
    return assembly.add(sender, address, block_of(address));
}

void add_all(PieceAssembly& assembly, PieceIndex piece, PeerHandle sender = kAlice) {
    for (std::uint32_t i = 0; i < layout().blocks(piece); ++i) add(assembly, block(piece, i), sender);
}

void hash_what_is_ready(PieceAssembly& assembly, PieceIndex piece, bool flush = false) {
    while (auto run = assembly.next_run(piece, flush)) assembly.run_hashed(hash_run(*std::move(run)));
}

TEST(PieceAssembly, KnowsNothingAtFirst) {
    PieceAssembly assembly(layout());

    EXPECT_FALSE(assembly.contains(kFirst));
    EXPECT_FALSE(assembly.contains(block(kFirst, 0)));
    EXPECT_FALSE(assembly.complete(kFirst));
    EXPECT_FALSE(assembly.finished(kFirst));
    EXPECT_FALSE(assembly.next_run(kFirst, true));
    EXPECT_FALSE(assembly.sender(block(kFirst, 0)));
    EXPECT_TRUE(assembly.pieces().empty());
    EXPECT_EQ(assembly.bytes_held(), 0u);
    EXPECT_EQ(assembly.bytes_received(kFirst), 0u);
}

TEST(PieceAssembly, StoresABlockAndItsSender) {
    PieceAssembly assembly(layout());

    EXPECT_EQ(add(assembly, block(kFirst, 5), kBob), Stored::stored);

    EXPECT_TRUE(assembly.contains(kFirst));
    EXPECT_TRUE(assembly.contains(block(kFirst, 5)));
    EXPECT_FALSE(assembly.contains(block(kFirst, 4)));
    EXPECT_EQ(assembly.sender(block(kFirst, 5)), kBob);
    auto const expected = block_of(block(kFirst, 5));
    EXPECT_TRUE(std::ranges::equal(assembly.bytes(block(kFirst, 5)), expected));
}

TEST(PieceAssembly, TellsEqualDuplicatesFromDifferentOnesAndKeepsTheFirst) {
    PieceAssembly assembly(layout());
    add(assembly, block(kFirst, 0), kAlice);
    auto bad = block_of(block(kFirst, 0));
    bad.back() ^= std::byte{1};

    EXPECT_EQ(assembly.add(kBob, block(kFirst, 0), block_of(block(kFirst, 0))), Stored::same);
    EXPECT_EQ(assembly.add(kBob, block(kFirst, 0), bad), Stored::different);

    EXPECT_EQ(assembly.sender(block(kFirst, 0)), kAlice);
    EXPECT_TRUE(std::ranges::equal(assembly.bytes(block(kFirst, 0)), block_of(block(kFirst, 0))));
}

TEST(PieceAssembly, IsCompleteWithItsLastBlockInAnyOrder) {
    for (auto const piece : {kFirst, kLast}) {
        PieceAssembly assembly(layout());
        for (auto i = layout().blocks(piece); i-- > 0;) {
            EXPECT_FALSE(assembly.complete(piece));
            add(assembly, block(piece, i));
        }

        EXPECT_TRUE(assembly.complete(piece));
        EXPECT_TRUE(std::ranges::equal(assembly.bytes(piece).bytes(), content(piece)));
        EXPECT_EQ(assembly.contributors(piece), std::vector<PeerHandle>(layout().blocks(piece), kAlice));
    }
}

TEST(PieceAssembly, NamesTheSenderOfEachBlock) {
    PieceAssembly assembly(layout());
    add(assembly, block(kLast, 0), kAlice);
    add(assembly, block(kLast, 1), kBob);
    add(assembly, block(kLast, 2), kAlice);

    EXPECT_EQ(assembly.contributors(kLast), (std::vector{kAlice, kBob, kAlice}));
}

TEST(PieceAssembly, CountsBuffersAndReceivedBytes) {
    PieceAssembly assembly(layout());
    add(assembly, block(kFirst, 3));
    add(assembly, block(kLast, 2));

    EXPECT_EQ(assembly.bytes_held(), kPieceBytes + layout().bytes(kLast));
    EXPECT_EQ(assembly.bytes_received(kFirst), kBlockBytes);
    EXPECT_EQ(assembly.bytes_received(kLast), 100u);
    add(assembly, block(kLast, 0));
    EXPECT_EQ(assembly.bytes_received(kLast), kBlockBytes + 100u);

    assembly.drop(kFirst);
    EXPECT_EQ(assembly.bytes_held(), layout().bytes(kLast));
    EXPECT_EQ(assembly.pieces(), std::vector{kLast});
}

TEST(PieceAssembly, GivesNoRunBelow256KiB) {
    PieceAssembly assembly(layout());
    for (std::uint32_t i = 0; i < 15; ++i) add(assembly, block(kFirst, i));

    EXPECT_FALSE(assembly.next_run(kFirst));
    add(assembly, block(kFirst, 15));

    auto const run = assembly.next_run(kFirst);
    ASSERT_TRUE(run);
    EXPECT_EQ(run->bytes.size(), 262144u);
    EXPECT_EQ(run->piece, kFirst);
}

TEST(PieceAssembly, AFlushGivesWhatThereIs) {
    PieceAssembly assembly(layout());
    add(assembly, block(kFirst, 0));

    auto const run = assembly.next_run(kFirst, true);

    ASSERT_TRUE(run);
    EXPECT_EQ(run->bytes.size(), kBlockBytes);
}

TEST(PieceAssembly, ARunEndsAtAGap) {
    PieceAssembly assembly(layout());
    for (std::uint32_t i = 0; i < 20; ++i)
        if (i != 17) add(assembly, block(kFirst, i));

    auto const run = assembly.next_run(kFirst);

    ASSERT_TRUE(run);
    EXPECT_EQ(run->bytes.size(), 17 * kBlockBytes);
}

TEST(PieceAssembly, WithoutTheFirstBlockThereIsNoRun) {
    PieceAssembly assembly(layout());
    for (std::uint32_t i = 1; i < 32; ++i) add(assembly, block(kFirst, i));

    EXPECT_FALSE(assembly.next_run(kFirst, true));
    add(assembly, block(kFirst, 0));

    auto const run = assembly.next_run(kFirst);
    ASSERT_TRUE(run);
    EXPECT_EQ(run->bytes.size(), kPieceBytes);
}

TEST(PieceAssembly, TheEndOfAPieceIsARunHoweverShort) {
    PieceAssembly assembly(layout());
    for (std::uint32_t i = 0; i < 31; ++i) add(assembly, block(kFirst, i));
    hash_what_is_ready(assembly, kFirst);

    add(assembly, block(kFirst, 31));

    auto const run = assembly.next_run(kFirst);
    ASSERT_TRUE(run);
    EXPECT_EQ(run->bytes.size(), kBlockBytes);
}

TEST(PieceAssembly, OneRunOfAPieceIsOutAtATime) {
    PieceAssembly assembly(layout());
    for (std::uint32_t i = 0; i < 16; ++i) add(assembly, block(kFirst, i));
    add_all(assembly, kLast);
    auto run = assembly.next_run(kFirst);
    for (std::uint32_t i = 16; i < 32; ++i) add(assembly, block(kFirst, i));

    EXPECT_FALSE(assembly.next_run(kFirst));
    EXPECT_TRUE(assembly.next_run(kLast));
    EXPECT_TRUE(assembly.run_hashed(hash_run(*std::move(run))));

    EXPECT_TRUE(assembly.next_run(kFirst));
}

TEST(PieceAssembly, IsFinishedWhenEveryByteIsHashed) {
    for (auto const piece : {kFirst, kLast}) {
        PieceAssembly assembly(layout());
        add_all(assembly, piece);
        auto run = assembly.next_run(piece);
        ASSERT_TRUE(run);
        EXPECT_FALSE(assembly.finished(piece));

        assembly.run_hashed(hash_run(*std::move(run)));

        EXPECT_EQ(assembly.finished(piece), sha1(content(piece)));
        EXPECT_FALSE(assembly.next_run(piece, true));
    }
}

TEST(PieceAssembly, ATakenPieceIsWholeAndForgotten) {
    PieceAssembly assembly(layout());
    add_all(assembly, kFirst);
    hash_what_is_ready(assembly, kFirst);

    auto const whole = assembly.take(kFirst);

    EXPECT_TRUE(std::ranges::equal(whole.bytes(), content(kFirst)));
    EXPECT_FALSE(assembly.contains(kFirst));
    EXPECT_EQ(assembly.bytes_held(), 0u);
}

TEST(PieceAssembly, AnOldRunDoesNotDisturbAPieceBegunAnew) {
    PieceAssembly assembly(layout());
    add_all(assembly, kFirst);
    auto old = assembly.next_run(kFirst);
    assembly.drop(kFirst);
    EXPECT_TRUE(std::ranges::equal(old->bytes.bytes(), content(kFirst)));
    add_all(assembly, kFirst);
    auto fresh = assembly.next_run(kFirst);

    EXPECT_FALSE(assembly.run_hashed(hash_run(*std::move(old))));
    EXPECT_FALSE(assembly.finished(kFirst));
    EXPECT_TRUE(assembly.run_hashed(hash_run(*std::move(fresh))));

    EXPECT_EQ(assembly.finished(kFirst), sha1(content(kFirst)));
}

TEST(PieceAssembly, ARunOfADroppedPieceIsOfNoUse) {
    PieceAssembly assembly(layout());
    add_all(assembly, kFirst);
    auto run = assembly.next_run(kFirst);
    assembly.drop(kFirst);
    assembly.drop(kFirst);

    EXPECT_FALSE(assembly.run_hashed(hash_run(*std::move(run))));
    EXPECT_FALSE(assembly.contains(kFirst));
}

// Any order of blocks, flushes and results: the hash is the piece's, runs are handed out once and in order, and their
// bytes stay.
TEST(PieceAssembly, HashesEveryPieceInAnyOrderOfArrival) {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random(seed);
        PieceAssembly assembly(layout());
        std::vector<BlockAddress> blocks;
        for (PieceIndex piece(0); piece.value() < layout().pieces(); ++piece)
            for (std::uint32_t i = 0; i < layout().blocks(piece); ++i) blocks.push_back(block(piece, i));
        std::shuffle(blocks.begin(), blocks.end(), random);
        std::map<PieceIndex, HashRun> out;
        std::map<PieceIndex, std::vector<std::byte>> hashed;

        auto const give_back = [&](PieceIndex piece) {
            auto const run = out.find(piece);
            if (run == out.end()) return;
            auto done = hash_run(std::move(run->second));
            auto& so_far = hashed[piece];
            so_far.insert(so_far.end(), done.bytes.bytes().begin(), done.bytes.bytes().end());
            out.erase(run);
            ASSERT_TRUE(assembly.run_hashed(std::move(done)));
        };
        for (auto const address : blocks) {
            ASSERT_EQ(add(assembly, address, PeerHandle(static_cast<std::uint32_t>(random() % 7))), Stored::stored);
            PieceIndex const piece(static_cast<std::uint32_t>(random() % layout().pieces()));
            if (random() % 2 == 0) give_back(piece);
            if (auto run = assembly.next_run(piece, random() % 4 == 0)) out.emplace(piece, *std::move(run));
        }
        for (PieceIndex piece(0); piece.value() < layout().pieces(); ++piece) {
            give_back(piece);
            if (auto run = assembly.next_run(piece)) out.emplace(piece, *std::move(run));
            give_back(piece);

            ASSERT_EQ(assembly.finished(piece), sha1(content(piece)));
            ASSERT_EQ(hashed[piece], content(piece));
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
