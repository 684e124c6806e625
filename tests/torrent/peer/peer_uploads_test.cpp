#include "tests/torrent/peer/connection_harness.h"
#include "torrent/peer/peer_connection.h"
#include "torrent/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;
using tests::ConnectionHarness;

ConnectionHarness::Setup without_fast() {
    ConnectionHarness::Setup setup;
    setup.fast = false;
    return setup;
}

void unchoke(ConnectionHarness& h) {
    h.connection->set_choked(false);
    h.settle();
    h.peer->heard();
}

TEST(PeerUploads, AnswersARequestWithItsBytes) {
    ConnectionHarness h;
    unchoke(h);

    h.peer->say(MessageId::request, 9, 16384, 3616);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(heard[0].is(MessageId::piece));
    EXPECT_EQ(heard[0].message.piece, 9u);
    EXPECT_EQ(heard[0].message.begin, 16384u);
    EXPECT_TRUE(std::ranges::equal(heard[0].message.bytes, tests::content(tests::small_layout(), 9, 16384, 3616)));
    EXPECT_EQ(h.connection->uploaded_bytes(), 3616u);
    EXPECT_EQ(h.connection->requests_queued(), 0u);
}

TEST(PeerUploads, ServesARequestThatIsNoWholeBlock) {
    ConnectionHarness h;
    unchoke(h);

    h.peer->say(MessageId::request, 2, 100, 777);
    h.settle();

    auto const heard = h.peer->heard(MessageId::piece);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(std::ranges::equal(heard[0].message.bytes, tests::content(tests::small_layout(), 2, 100, 777)));
}

TEST(PeerUploads, ReadsConsecutiveRequestsOfAPieceInOneGo) {
    ConnectionHarness h;
    unchoke(h);

    for (std::uint32_t const begin : {0u, 16384u, 32768u}) h.peer->say(MessageId::request, 3, begin, 16384);
    h.peer->say(MessageId::request, 5, 16384, 16384);
    h.settle();

    EXPECT_THAT(h.owner.reads, ElementsAre(Pair(3, ByteRange{0, 49152}), Pair(5, ByteRange{16384, 32768})));
    EXPECT_EQ(h.peer->heard(MessageId::piece).size(), 4u);
}

TEST(PeerUploads, RejectsRequestsWhileChoked) {
    ConnectionHarness h;

    h.peer->say(MessageId::request, 1, 16384, 16384);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(heard[0].is(MessageId::reject));
    EXPECT_EQ(std::tuple(heard[0].message.piece, heard[0].message.begin, heard[0].message.length),
              std::tuple(1u, 16384u, 16384u));
}

TEST(PeerUploads, IgnoresRequestsWhileChokedWithoutFast) {
    ConnectionHarness h(without_fast());

    h.peer->say(MessageId::request, 1, 16384, 16384);
    h.settle();

    EXPECT_TRUE(h.peer->heard().empty());
}

TEST(PeerUploads, ServesAllowedFastPiecesWhileChoked) {
    ConnectionHarness h;
    h.connection->allow_fast(PieceIndex(4));
    h.connection->allow_fast(PieceIndex(4));

    h.peer->say(MessageId::request, 4, 0, 16384);
    h.peer->say(MessageId::request, 5, 0, 16384);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 3u);
    EXPECT_TRUE(heard[0].is(MessageId::allowed_fast));
    EXPECT_TRUE(heard[1].is(MessageId::reject));
    EXPECT_TRUE(heard[2].is(MessageId::piece));
}

TEST(PeerUploads, RejectsRequestsOfMoreThan16KiB) {
    ConnectionHarness h;
    unchoke(h);

    h.peer->say(MessageId::request, 1, 0, 16385);
    h.settle();

    EXPECT_EQ(h.peer->heard(MessageId::reject).size(), 1u);
    EXPECT_FALSE(h.ended);
}

TEST(PeerUploads, RejectsWhatCannotBeRead) {
    ConnectionHarness h;
    unchoke(h);
    h.owner.reads_fail = true;

    h.peer->say(MessageId::request, 1, 0, 16384);
    h.peer->say(MessageId::request, 1, 16384, 16384);
    h.settle();

    EXPECT_EQ(h.peer->heard(MessageId::reject).size(), 2u);
    EXPECT_EQ(h.connection->requests_queued(), 0u);
    EXPECT_FALSE(h.ended);
}

TEST(PeerUploads, RejectsRequestsBeyondFiveHundred) {
    ConnectionHarness h;
    unchoke(h);
    h.owner.hold_reads(true);

    for (std::uint32_t i = 0; i < 501; ++i) h.peer->say(MessageId::request, 1, i, 100);
    h.settle();

    auto const rejects = h.peer->heard(MessageId::reject);
    ASSERT_EQ(rejects.size(), 1u);
    EXPECT_EQ(rejects[0].message.begin, 500u);
    EXPECT_EQ(h.connection->requests_queued(), 500u);
}

TEST(PeerUploads, ForgetsTheOldestOfTooManyRequestsWithoutFast) {
    ConnectionHarness h(without_fast());
    unchoke(h);
    h.owner.hold_reads(true);
    for (std::uint32_t i = 0; i < 502; ++i) h.peer->say(MessageId::request, 1, i, 100);
    h.settle();
    EXPECT_EQ(h.connection->requests_queued(), 500u);

    h.owner.hold_reads(false);
    h.settle();

    auto const pieces = h.peer->heard(MessageId::piece);
    ASSERT_EQ(pieces.size(), 500u);
    EXPECT_EQ(pieces.front().message.begin, 2u);
    EXPECT_EQ(pieces.back().message.begin, 501u);
}

TEST(PeerUploads, AChokeIsSaidFirstAndThenRejectsAllButAllowedFast) {
    ConnectionHarness h;
    unchoke(h);
    h.connection->allow_fast(PieceIndex(4));
    h.owner.hold_reads(true);
    h.peer->say(MessageId::request, 1, 0, 16384);
    h.peer->say(MessageId::request, 4, 0, 16384);
    h.peer->say(MessageId::request, 2, 0, 16384);
    h.settle();
    h.peer->heard();

    h.connection->set_choked(true);
    h.owner.hold_reads(false);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 4u);
    EXPECT_TRUE(heard[0].is(MessageId::choke));
    EXPECT_TRUE(heard[1].is(MessageId::reject));
    EXPECT_TRUE(heard[2].is(MessageId::reject));
    EXPECT_TRUE(heard[3].is(MessageId::piece));
    EXPECT_EQ(heard[3].message.piece, 4u);
}

TEST(PeerUploads, AChokeWithoutFastDropsWhatWasAsked) {
    ConnectionHarness h(without_fast());
    unchoke(h);
    h.owner.hold_reads(true);
    h.peer->say(MessageId::request, 1, 0, 16384);
    h.settle();

    h.connection->set_choked(true);
    h.owner.hold_reads(false);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(heard[0].is(MessageId::choke));
    EXPECT_EQ(h.connection->requests_queued(), 0u);
}

TEST(PeerUploads, ACancelledRequestIsRejectedOnceAndNotServed) {
    ConnectionHarness h;
    unchoke(h);
    h.owner.hold_reads(true);
    h.peer->say(MessageId::request, 1, 0, 16384);
    h.peer->say(MessageId::request, 2, 0, 16384);
    h.settle();

    h.peer->say(MessageId::cancel, 1, 0, 16384);
    h.peer->say(MessageId::cancel, 1, 0, 16384);
    h.peer->say(MessageId::cancel, 2, 0, 16384);
    h.settle();
    h.owner.hold_reads(false);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_TRUE(heard[0].is(MessageId::reject));
    EXPECT_TRUE(heard[1].is(MessageId::reject));
}

TEST(PeerUploads, RejectsWhatWasAskedOfAPieceThatIsLost) {
    ConnectionHarness h;
    unchoke(h);
    h.owner.hold_reads(true);
    h.peer->say(MessageId::request, 1, 0, 16384);
    h.peer->say(MessageId::request, 2, 0, 16384);
    h.settle();

    h.connection->dont_have(PieceIndex(2));
    h.owner.hold_reads(false);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_TRUE(heard[0].is(MessageId::reject));
    EXPECT_EQ(heard[0].message.piece, 2u);
    EXPECT_TRUE(heard[1].is(MessageId::piece));
}

TEST(PeerUploads, KeepsToTheUploadLimit) {
    ConnectionHarness::Setup setup;
    setup.upload_limit = 64 << 10;
    ConnectionHarness h(std::move(setup));
    unchoke(h);

    for (std::uint32_t i = 0; i < 36; ++i) h.peer->say(MessageId::request, i / 4, i % 4 * 16384, 16384);
    h.pass(4s);

    EXPECT_GE(h.connection->uploaded_bytes(), 240u << 10);
    EXPECT_LE(h.connection->uploaded_bytes(), 290u << 10);
}

TEST(PeerUploads, ControlMessagesPassBlocksThatWaitForTheUploadLimit) {
    ConnectionHarness::Setup setup;
    setup.upload_limit = 1000;
    ConnectionHarness h(std::move(setup));
    unchoke(h);
    for (std::uint32_t i = 0; i < 8; ++i) h.peer->say(MessageId::request, i, 0, 16384);
    h.pass(1s);
    h.peer->heard();

    h.connection->request({PieceIndex(1), BlockIndex(0)});
    h.settle();

    EXPECT_EQ(h.peer->heard(MessageId::request).size(), 1u);
}

TEST(PeerUploads, ControlMessagesPassQueuedBlocks) {
    ConnectionHarness::Setup setup;
    setup.stream.buffered_bytes = 20'000;
    ConnectionHarness h(std::move(setup));
    unchoke(h);
    h.peer->pause_reading(true);
    for (std::uint32_t i = 0; i < 8; ++i) h.peer->say(MessageId::request, i, 0, 16384);
    h.settle();

    h.connection->request({PieceIndex(1), BlockIndex(0)});
    h.peer->pause_reading(false);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 9u);
    auto const at = std::find_if(heard.begin(), heard.end(), [](auto const& m) { return m.is(MessageId::request); });
    EXPECT_LE(at - heard.begin(), 3);
}

TEST(PeerUploads, ReadsNoMoreThanFitsIntoTheQueueOfAPeerThatDoesNotTakeIt) {
    ConnectionHarness::Setup setup;
    setup.stream.buffered_bytes = 1000;
    ConnectionHarness h(std::move(setup));
    unchoke(h);
    h.peer->pause_reading(true);

    for (std::uint32_t i = 0; i < 36; ++i) h.peer->say(MessageId::request, i / 4, i % 4 * 16384, 16384);
    h.pass(20s);

    std::uint64_t read = 0;
    for (auto const& [piece, range] : h.owner.reads) read += range.size();
    EXPECT_LE(read, 256u << 10);
}

TEST(PeerUploads, AFloodOfRequestsIsNotReadFasterThanItsAnswersAre) {
    ConnectionHarness::Setup setup;
    setup.stream.buffered_bytes = 64 << 10;
    ConnectionHarness h(std::move(setup));
    unchoke(h);
    h.peer->pause_reading(true);
    h.owner.hold_reads(true);

    for (std::uint32_t i = 0; i < 1'000'000; ++i) h.peer->say(MessageId::request, 1, 0, 16384);
    h.pass(1s);
    EXPECT_FALSE(h.ended);
    h.peer->pause_reading(false);
    h.pass(1s);

    EXPECT_EQ(h.peer->heard(MessageId::reject).size(), 1'000'000u - 500);
}

// Whatever happens between, each request of a peer that speaks BEP 6 gets exactly one piece or reject.
TEST(PeerUploads, EveryRequestIsAnsweredExactlyOnce) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        ConnectionHarness::Setup setup;
        setup.stream.buffered_bytes = 40'000;
        setup.upload_limit = seed % 2 == 0 ? 500'000 : 0;
        ConnectionHarness h(std::move(setup));
        h.connection->allow_fast(PieceIndex(0));
        h.settle();
        h.peer->heard();
        std::map<std::pair<std::uint32_t, std::uint32_t>, int> open;

        for (int step = 0; step < 600; ++step) {
            auto const piece = static_cast<std::uint32_t>(random() % 9);
            auto const begin = static_cast<std::uint32_t>(random() % 4 * 16384);
            switch (random() % 12) {
                case 0: h.connection->set_choked(random() % 4 == 0); break;
                case 1: h.peer->say(MessageId::cancel, piece, begin, 16384); break;
                case 2: h.owner.hold_reads(random() % 2 == 0); break;
                case 3: h.owner.reads_fail = random() % 4 == 0; break;
                case 4: h.peer->pause_reading(random() % 2 == 0); break;
                case 5: h.pass(std::chrono::milliseconds(random() % 100)); break;
                case 6: h.connection->dont_have(PieceIndex(piece)); break;
                default: h.peer->say(MessageId::request, piece, begin, 16384); ++open[{piece, begin}];
            }
        }
        h.owner.hold_reads(false);
        h.peer->pause_reading(false);
        h.pass(60s);

        for (auto const& heard : h.peer->heard())
            if (heard.is(MessageId::piece) || heard.is(MessageId::reject))
                --open[{heard.message.piece, heard.message.begin}];
        for (auto const& [block, count] : open) EXPECT_EQ(count, 0) << block.first << " " << block.second;
        ASSERT_FALSE(h.ended) << h.connection->reason();
    }
}

}  // namespace
}  // namespace rqfs::torrent
