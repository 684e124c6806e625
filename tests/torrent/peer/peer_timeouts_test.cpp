// How long a peer may be silent, slow or deaf, and how its reading is slowed down.
#include "tests/torrent/peer/connection_harness.h"
#include "torrent/peer/peer_connection.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::ConnectionHarness;

TEST(PeerTimeouts, SendsAKeepAliveAfterAMinuteOfSilence) {
    ConnectionHarness h;

    h.pass(50s);
    EXPECT_TRUE(h.peer->heard().empty());
    h.pass(15s);

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(heard[0].keep_alive);
}

TEST(PeerTimeouts, HangsUpOnAPeerThatIsSilentForTwoMinutes) {
    ConnectionHarness h;

    h.pass(119s);
    EXPECT_FALSE(h.ended);
    h.pass(7s);

    EXPECT_TRUE(h.ended);
    EXPECT_EQ(h.connection->reason(), "silent for too long");
}

TEST(PeerTimeouts, LivesOnKeepAlives) {
    ConnectionHarness h;

    for (int i = 0; i < 10; ++i) {
        h.peer->say(std::vector<std::byte>(4));
        h.pass(100s);
    }

    EXPECT_FALSE(h.ended);
}

TEST(PeerTimeouts, HangsUpOnAMessageThatStallsHalfWay) {
    ConnectionHarness h;
    h.peer->say(std::vector<std::byte>{std::byte{0}, std::byte{0}});

    h.pass(29s);
    EXPECT_FALSE(h.ended);
    h.pass(7s);

    EXPECT_TRUE(h.ended);
    EXPECT_EQ(h.connection->reason(), "stalled in the middle of a message");
}

TEST(PeerTimeouts, HangsUpOnAPeerThatDripsOneByteASecond) {
    ConnectionHarness h;
    h.peer->say({std::byte{0}, std::byte{0}, std::byte{0x40}, std::byte{9}, std::byte{7}});

    for (int second = 0; second < 130 && !h.ended; ++second) {
        h.peer->say(std::vector<std::byte>{std::byte{0}});
        h.pass(1s);
    }

    EXPECT_TRUE(h.ended);
    EXPECT_EQ(h.connection->reason(), "silent for too long");
}

TEST(PeerTimeouts, HangsUpOnAPeerThatDoesNotReadForTwoMinutes) {
    ConnectionHarness::Setup setup;
    setup.stream.buffered_bytes = 1000;
    ConnectionHarness h(std::move(setup));
    h.peer->pause_reading(true);
    h.settle();
    for (std::uint32_t i = 0; i < 200; ++i) h.connection->request({PieceIndex(i % 9), BlockIndex(0)});

    for (int i = 0; i < 13; ++i) {
        h.peer->say(MessageId::have, 1);
        h.pass(10s);
    }

    EXPECT_TRUE(h.ended);
    EXPECT_EQ(h.connection->reason(), "does not read what we send");
}

TEST(PeerTimeouts, PausesReadingAtTheDownloadLimitAndLosesNothing) {
    ConnectionHarness::Setup setup;
    setup.download_limit = 64 << 10;
    ConnectionHarness h(std::move(setup));
    h.peer->say(MessageId::have_all);
    for (int i = 0; i < 64; ++i) h.peer->say_block(2, 0, tests::content(tests::small_layout(), 2, 0, 16384));

    h.pass(4s);
    auto const after_four = h.connection->downloaded_bytes();
    h.pass(14s);

    EXPECT_GT(after_four, 200'000u);
    EXPECT_LT(after_four, 300'000u);
    EXPECT_EQ(h.connection->downloaded_bytes(), 64u * 16384);
    EXPECT_FALSE(h.ended);
}

TEST(PeerTimeouts, APauseAtTheDownloadLimitIsNotTakenForThePeersSilence) {
    ConnectionHarness::Setup setup;
    setup.download_limit = 100;
    ConnectionHarness h(std::move(setup));
    h.peer->say(MessageId::have_all);
    for (int i = 0; i < 8; ++i) h.peer->say_block(2, 0, tests::content(tests::small_layout(), 2, 0, 16384));

    h.pass(600s);

    EXPECT_FALSE(h.ended) << h.connection->reason();
}

}  // namespace
}  // namespace rqfs::torrent
