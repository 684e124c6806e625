// A connection that begins before the metadata is known.
#include "tests/torrent/peer/connection_harness.h"
#include "torrent/peer/peer_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using testing::ElementsAre;
using tests::ConnectionHarness;

TEST(PeerMagnet, KeepsABitfieldUntilTheMetadataIsKnown) {
    ConnectionHarness::Setup setup;
    setup.metadata = false;
    ConnectionHarness h(std::move(setup));
    std::vector<std::byte> message;
    append_bitfield(message, std::vector<std::byte>{std::byte{0x80}, std::byte{0x00}});
    h.peer->say(message);
    h.peer->say(MessageId::have, 9);
    h.peer->say(MessageId::allowed_fast, 5);
    h.settle();
    EXPECT_TRUE(h.owner.events.empty());

    Bitfield ours(10);
    ours.set(PieceIndex(0));
    ours.set(PieceIndex(1));
    h.connection->metadata_known(tests::small_layout(), ours);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 2", "allowed 5"));
    auto const heard = h.peer->heard(MessageId::have);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].message.piece, 1u);
}

TEST(PeerMagnet, HangsUpWhenABitfieldProvesWrongOnceTheMetadataIsKnown) {
    ConnectionHarness::Setup setup;
    setup.metadata = false;
    ConnectionHarness h(std::move(setup));
    std::vector<std::byte> message;
    append_bitfield(message, std::vector<std::byte>(3));
    h.peer->say(message);
    h.settle();

    h.connection->metadata_known(tests::small_layout(), Bitfield(10));
    h.settle();

    EXPECT_TRUE(h.ended);
    EXPECT_EQ(h.connection->reason(), "bitfield of 3 bytes for 10 pieces");
}

}  // namespace
}  // namespace rqfs::torrent
