#include "cache/log.h"
#include "tests/cache/store_fixture.h"
#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace rqfs::cache {
namespace {

using torrent::PieceIndex;

constexpr std::uint32_t kPieceBytes = 65536;

// What the cache logs while this lives; made before any store works and gone after the last.
class LogText {
public:
    LogText() {
        sink_->set_pattern("%v");
        log().sinks().push_back(sink_);
    }
    ~LogText() { std::erase(log().sinks(), sink_); }
    std::string take() {
        auto all = text_.str();
        text_.str("");
        return all;
    }

private:
    std::ostringstream text_;
    spdlog::sink_ptr sink_ = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_, true);
};

class Check : public testing::Test {
protected:
    void spoil(std::uint64_t at) {
        std::fstream file(fixture.file(content), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(at));
        file.put('x').put('y').put('z');
    }
    std::string verify(torrent::PieceStore& pieces) {
        pieces.start_check();
        fixture.wait_for_check();
        return logged.take();
    }
    void write_file(std::uint64_t from, std::uint64_t to) {
        std::fstream file(fixture.file(content), std::ios::binary | std::ios::in | std::ios::out);
        if (!file) file.open(fixture.file(content), std::ios::binary | std::ios::out);
        file.seekp(static_cast<std::streamoff>(from));
        file.write(reinterpret_cast<char const*>(content.bytes.data()) + from, static_cast<std::streamsize>(to - from));
    }

    LogText logged;
    tests::TempDir directory;
    Content content{21, 50 * kPieceBytes + 777, kPieceBytes};
    StoreFixture fixture{directory / "store"};
};

TEST_F(Check, FindsDataThatNobodyRecorded) {
    write_file(10 * kPieceBytes, 20 * kPieceBytes + 5);
    auto& pieces = fixture.open(content);

    EXPECT_TRUE(fixture.wait_for([&] { return fixture.noted.found.size() == 10; }));

    for (std::uint32_t i = 10; i < 20; ++i) EXPECT_TRUE(pieces.have().test(PieceIndex(i))) << i;
    EXPECT_EQ(fixture.count_readable(content), 10u);
    EXPECT_TRUE(fixture.noted.lost.empty());
}

TEST_F(Check, RecordsWhatItFound) {
    write_file(0, content.bytes.size());
    fixture.open(content);
    ASSERT_TRUE(fixture.wait_for([&] { return fixture.noted.found.size() == content.pieces(); }));
    fixture.flush();

    fixture.restart();
    auto& pieces = fixture.open(content);

    EXPECT_TRUE(pieces.have().all());
}

TEST_F(Check, DoesNotFindWhatItsHashDenies) {
    write_file(0, 10 * kPieceBytes);
    spoil(4 * kPieceBytes + 5);
    auto& pieces = fixture.open(content);

    EXPECT_TRUE(fixture.wait_for([&] { return fixture.noted.found.size() == 9; }));
    fixture.wait_for_check();

    EXPECT_FALSE(pieces.have().test(PieceIndex(4)));
}

TEST_F(Check, OnDemandFindsDamageThatNobodyHasRead) {
    auto& pieces = fixture.open(content);
    fixture.put_all(content);
    spoil(4 * kPieceBytes + 5);

    pieces.start_check();
    EXPECT_TRUE(pieces.check_progress().running);
    fixture.wait_for_check();

    EXPECT_EQ(fixture.noted.lost, std::vector<std::uint32_t>{4});
    EXPECT_EQ(pieces.have().count(), content.pieces() - 1);
}

TEST_F(Check, OnDemandSaysHowManyPiecesWereBadThisTime) {
    auto& pieces = fixture.open(content);
    fixture.put_all(content);
    auto const line = "data verified torrent=" + content.info_hash.short_hex() + " pieces=51 bad=";
    spoil(4 * kPieceBytes + 5);
    spoil(7 * kPieceBytes);

    auto const damaged = verify(pieces);
    auto const again = verify(pieces);

    EXPECT_NE(damaged.find(line + "2\n"), std::string::npos) << damaged;
    EXPECT_NE(again.find(line + "0\n"), std::string::npos) << again;
}

TEST_F(Check, OnDemandKeepsEverythingThatIsRight) {
    auto& pieces = fixture.open(content);
    fixture.put_all(content);

    pieces.start_check();
    fixture.wait_for_check();

    EXPECT_TRUE(pieces.have().all());
    EXPECT_TRUE(fixture.noted.lost.empty());
    EXPECT_TRUE(fixture.noted.found.empty());
}

TEST_F(Check, OnDemandNoticesThatTheFileIsGone) {
    auto& pieces = fixture.open(content);
    fixture.put_all(content);
    std::filesystem::remove(fixture.file(content));

    pieces.start_check();
    fixture.wait_for_check();

    EXPECT_TRUE(pieces.have().none());
}

TEST_F(Check, CanBeCancelled) {
    auto& pieces = fixture.open(content);
    fixture.put_all(content);
    pieces.start_check();

    pieces.cancel_check();

    EXPECT_FALSE(pieces.check_progress().running);
    fixture.run_a_little();
    EXPECT_TRUE(pieces.have().all());
}

TEST_F(Check, LeavesPiecesAloneThatArriveMeanwhile) {
    write_file(0, content.bytes.size());
    {
        std::fstream file(fixture.file(content), std::ios::binary | std::ios::in | std::ios::out);
        for (std::uint32_t i = 0; i < content.pieces(); i += 2) {
            file.seekp(i * kPieceBytes + 5);
            file.put('x').put('y').put('z');
        }
    }
    auto& pieces = fixture.open(content);

    for (std::uint32_t i = 0; i < content.pieces(); i += 2) pieces.put(PieceIndex(i), content.shared(i));
    fixture.wait_for_check();
    fixture.flush();

    EXPECT_TRUE(fixture.wait_for([&] { return pieces.have().all(); }));
    EXPECT_EQ(fixture.count_readable(content), content.pieces());
    EXPECT_TRUE(fixture.noted.lost.empty());
}

TEST_F(Check, TellsHowFarItIs) {
    auto& pieces = fixture.open(content);
    fixture.put_all(content);

    pieces.start_check();
    double last = 0;
    while (pieces.check_progress().running) {
        EXPECT_GE(pieces.check_progress().fraction, last);
        last = pieces.check_progress().fraction;
        EXPECT_LE(last, 1.0);
        fixture.engine.restart();
        fixture.engine.run_one_for(std::chrono::milliseconds(50));
    }

    EXPECT_TRUE(pieces.have().all());
}

}  // namespace
}  // namespace rqfs::cache
