#include "tests/cache/store_fixture.h"
#include "tests/support/temp_dir.h"
#include "torrent/error.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::Errc;
using torrent::PieceIndex;

constexpr std::uint32_t kPieceBytes = 65536;

// What happens to a stored file behind the store's back.
class Damage : public testing::Test {
protected:
    void SetUp() override {
        fixture.open(content);
        fixture.put_all(content);
        fixture.stop();
    }

    void write_at(std::uint64_t offset, std::string const& bytes) const {
        std::fstream file(fixture.file(content), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(offset));
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    std::string read_at(std::uint64_t offset, std::size_t size) const {
        std::string bytes(size, '\0');
        std::ifstream file(fixture.file(content), std::ios::binary);
        file.seekg(static_cast<std::streamoff>(offset));
        file.read(bytes.data(), static_cast<std::streamsize>(size));
        return bytes;
    }
    void flip(std::uint64_t offset, unsigned bit) const {
        auto byte = read_at(offset, 1);
        byte[0] = static_cast<char>(byte[0] ^ (1 << bit));
        write_at(offset, byte);
    }

    tests::TempDir directory;
    Content content{11, 40 * kPieceBytes + 777, kPieceBytes};
    StoreFixture fixture{directory / "store"};
};

TEST_F(Damage, OfOneBitAnywhereInAPieceIsNeverServed) {
    std::mt19937 random(1);
    std::set<std::uint32_t> damaged;
    for (std::uint32_t piece = 0; piece < content.pieces(); piece += 2) {
        flip(std::uint64_t{piece} * kPieceBytes + random() % content.piece(piece).size(), random() % 8);
        damaged.insert(piece);
    }

    fixture.start();
    auto& pieces = fixture.open(content);

    for (std::uint32_t piece = 0; piece < content.pieces(); ++piece)
        EXPECT_EQ(fixture.reads_right(content, piece), !damaged.contains(piece)) << piece;
    EXPECT_EQ(pieces.have().count(), content.pieces() - damaged.size());
    EXPECT_EQ(std::set<std::uint32_t>(fixture.noted.lost.begin(), fixture.noted.lost.end()), damaged);
}

TEST_F(Damage, IsForgottenOnceThePieceIsPutAgain) {
    flip(5 * kPieceBytes + 17, 3);
    fixture.start();
    auto& pieces = fixture.open(content);
    ASSERT_FALSE(fixture.reads_right(content, 5));
    ASSERT_EQ(fixture.last_error, Errc::corrupt);

    pieces.put(PieceIndex(5), content.shared(5));
    fixture.flush();
    fixture.restart();
    auto& again = fixture.open(content);

    EXPECT_TRUE(again.have().all());
    EXPECT_EQ(fixture.count_readable(content), content.pieces());
}

TEST_F(Damage, StaysKnownAfterARestart) {
    flip(5 * kPieceBytes + 17, 3);
    fixture.start();
    fixture.open(content);
    ASSERT_FALSE(fixture.reads_right(content, 5));

    fixture.restart();
    auto& again = fixture.open(content);

    EXPECT_FALSE(again.have().test(PieceIndex(5)));
    EXPECT_EQ(again.have().count(), content.pieces() - 1);
}

TEST_F(Damage, OfABlockTheReaderDoesNotAskForLeavesTheOthersReadable) {
    flip(5 * kPieceBytes + 50'000, 3);
    fixture.start();
    fixture.open(content);

    auto const bytes = fixture.read(5, {100, 200});

    ASSERT_TRUE(bytes);
    EXPECT_TRUE(std::equal(bytes->begin(), bytes->end(), content.piece(5).begin() + 100));
}

TEST_F(Damage, BySwappedBlocksIsNeverServed) {
    auto const first = read_at(3 * kPieceBytes, 16384);
    auto const second = read_at(9 * kPieceBytes + 16384, 16384);
    write_at(3 * kPieceBytes, second);
    write_at(9 * kPieceBytes + 16384, first);

    fixture.start();
    fixture.open(content);

    EXPECT_FALSE(fixture.reads_right(content, 3));
    EXPECT_FALSE(fixture.reads_right(content, 9));
    EXPECT_TRUE(fixture.reads_right(content, 4));
}

TEST_F(Damage, ByTruncationTakesWhatWasCutOff) {
    std::filesystem::resize_file(fixture.file(content), 20 * kPieceBytes + 100);

    fixture.start();
    auto& pieces = fixture.open(content);

    EXPECT_EQ(fixture.count_readable(content), 20u);
    fixture.wait_for_check();
    EXPECT_EQ(pieces.have().count(), 20u);
}

TEST_F(Damage, ByAPunchedHoleIsFoundInTheBackground) {
    int const file = ::open(fixture.file(content).c_str(), O_RDWR);
    ASSERT_EQ(::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 7 * kPieceBytes, 2 * kPieceBytes), 0);
    ::close(file);

    fixture.start();
    auto& pieces = fixture.open(content);
    EXPECT_TRUE(fixture.wait_for([&] { return fixture.noted.lost.size() == 2; }));

    EXPECT_FALSE(pieces.have().test(PieceIndex(7)));
    EXPECT_FALSE(pieces.have().test(PieceIndex(8)));
    EXPECT_EQ(fixture.count_readable(content), content.pieces() - 2);
}

TEST_F(Damage, ByADeletedFileLosesEverythingAndNothingElse) {
    std::filesystem::remove(fixture.file(content));

    fixture.start();
    auto& pieces = fixture.open(content);
    EXPECT_FALSE(fixture.reads_right(content, 0));
    EXPECT_TRUE(fixture.wait_for([&] { return pieces.have().none(); }));
    fixture.put_all(content);
    fixture.restart();
    fixture.open(content);

    EXPECT_EQ(fixture.count_readable(content), content.pieces());
}

TEST_F(Damage, ByTheWholeStoreGoneWhileRunningEndsNeitherReadingNorWriting) {
    fixture.start();
    auto& pieces = fixture.open(content);
    std::filesystem::remove_all(directory / "store/pieces");

    auto const readable = fixture.count_readable(content);

    EXPECT_EQ(readable + (content.pieces() - pieces.have().count()), content.pieces());
}

TEST_F(Damage, ByAFileOfZerosIsNeverServed) {
    auto const size = std::filesystem::file_size(fixture.file(content));
    std::ofstream(fixture.file(content), std::ios::binary | std::ios::trunc) << std::string(size, '\0');

    fixture.start();
    fixture.open(content);

    EXPECT_EQ(fixture.count_readable(content), 0u);
}

TEST_F(Damage, AtARandomPlaceOfRandomKindIsNeverServed) {
    auto const seed = static_cast<unsigned>(20'261'121);
    std::mt19937 random(seed);
    for (int round = 0; round < 15; ++round) {
        auto const offset = random() % content.bytes.size();
        auto const size = 1 + random() % 100'000;
        std::string garbage(std::min<std::size_t>(size, content.bytes.size() - offset), '\0');
        for (auto& byte : garbage) byte = static_cast<char>(random());
        write_at(offset, garbage);

        fixture.start();
        auto& pieces = fixture.open(content);
        auto const listed = pieces.have().count();
        auto const right = fixture.count_readable(content);

        EXPECT_LE(right, listed) << "seed " << seed << " round " << round;
        EXPECT_EQ(right, pieces.have().count());
        fixture.put_all(content);
        fixture.stop();
    }
}

}  // namespace
}  // namespace rqfs::cache
