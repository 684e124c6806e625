// Every way a peer can break the rules ends its connection, each with a reason of its own, and nothing else happens.
#include "torrent/peer/peer_connection.h"

#include "tests/torrent/peer/connection_harness.h"
#include "torrent/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::ConnectionHarness;

std::vector<std::byte> message(std::uint32_t length, std::uint8_t id, std::size_t body) {
    std::vector<std::byte> bytes;
    append_be32(bytes, length);
    bytes.push_back(std::byte{id});
    bytes.resize(4 + std::max<std::size_t>(body, 1));
    return bytes;
}

std::string reason_after(std::vector<std::byte> const& bytes, ConnectionHarness::Setup setup = {}) {
    ConnectionHarness h(std::move(setup));
    h.peer->say(bytes);
    h.settle();
    return h.ended ? h.connection->reason() : "";
}

struct Lengths {
    MessageId id;
    std::uint32_t exact;
};

class FixedLength : public testing::TestWithParam<Lengths> {};

TEST_P(FixedLength, AnyOtherLengthEndsTheConnectionWithAReasonOfItsOwn) {
    auto const [id, exact] = GetParam();
    std::set<std::string> reasons;

    for (std::uint32_t const length : {exact - 1, exact + 1, 0x8000'0000u, 0xffff'ffffu}) {
        if (length == 0) continue;  // a keep-alive
        auto const reason = reason_after(message(length, static_cast<std::uint8_t>(id), std::min(length, 100u)));

        EXPECT_THAT(reason, testing::HasSubstr(std::to_string(length)));
        EXPECT_TRUE(reasons.insert(reason).second);
    }
}

INSTANTIATE_TEST_SUITE_P(Messages, FixedLength,
                         testing::Values(Lengths{MessageId::choke, 1}, Lengths{MessageId::unchoke, 1},
                                         Lengths{MessageId::interested, 1}, Lengths{MessageId::not_interested, 1},
                                         Lengths{MessageId::have, 5}, Lengths{MessageId::bitfield, 3},
                                         Lengths{MessageId::request, 13}, Lengths{MessageId::cancel, 13},
                                         Lengths{MessageId::port, 3}, Lengths{MessageId::suggest, 5},
                                         Lengths{MessageId::have_all, 1}, Lengths{MessageId::have_none, 1},
                                         Lengths{MessageId::reject, 13}, Lengths{MessageId::allowed_fast, 5}),
                         [](auto const& test) {
                             std::string text(name(test.param.id));
                             std::replace(text.begin(), text.end(), ' ', '_');
                             return text;
                         });

TEST(PeerOffences, APieceMessageHoldsABlockOfAtMost16KiB) {
    EXPECT_EQ(reason_after(message(9, 7, 9)), "piece message of 9 bytes, not 9 and a block of at most 16 KiB");
    EXPECT_EQ(reason_after(message(9 + 16385, 7, 20)),
              "piece message of 16394 bytes, not 9 and a block of at most 16 KiB");
    EXPECT_EQ(reason_after(message(0x8000'0000u, 7, 20)), "message 7 of 2147483648 bytes is over the limit");
}

TEST(PeerOffences, AnExtendedMessageNamesItsKind) {
    EXPECT_EQ(reason_after(message(1, 20, 1)), "extended message of 1 bytes, not at least 2");
}

TEST(PeerOffences, AnExtensionHandshakeIsShort) {
    EXPECT_EQ(reason_after(message((64u << 10) + 3, 20, 2)), "extension handshake of 65539 bytes is over the limit");
}

TEST(PeerOffences, AMetadataMessageIsShort) {
    auto bytes = message(2 + (17u << 10) + 1, 20, 2);
    bytes[5] = std::byte{kOurMetadataId};
    EXPECT_EQ(reason_after(bytes), "extension message of 17411 bytes is over the limit");
}

TEST(PeerOffences, AnUnknownMessageIsNotLongerThanTheLimit) {
    EXPECT_EQ(reason_after(message((1u << 20) + 1, 99, 1)), "message 99 of 1048577 bytes is over the limit");
    EXPECT_EQ(reason_after(message(0xffff'ffffu, 99, 1)), "message 99 of 4294967295 bytes is over the limit");
}

TEST(PeerOffences, ABitfieldBeforeTheMetadataIsThatOfSomeTorrent) {
    ConnectionHarness::Setup setup;
    setup.metadata = false;
    EXPECT_EQ(reason_after(message(limit::kPieces / 8 + 2, 5, 1), std::move(setup)),
              "bitfield message of 262146 bytes, not that of any torrent");
}

class Offence : public testing::Test {
protected:
    void expect_reason(std::string const& reason) {
        h.settle();
        EXPECT_TRUE(h.ended);
        EXPECT_EQ(h.connection->reason(), reason);
    }
    ConnectionHarness h;
};

TEST_F(Offence, ABitfieldHasNoSpareBitsSet) {
    std::vector<std::byte> bytes;
    append_bitfield(bytes, std::vector<std::byte>{std::byte{0xff}, std::byte{0xff}});
    h.peer->say(bytes);
    expect_reason("bitfield with a spare bit set");
}

TEST_F(Offence, ALaterBitfieldHasNoSpareBitsSetEither) {
    std::vector<std::byte> bytes;
    append_bitfield(bytes, std::vector<std::byte>{std::byte{0xff}, std::byte{0xff}});
    h.peer->say(MessageId::unchoke);
    h.peer->say(bytes);
    expect_reason("bitfield with a spare bit set");
}

TEST_F(Offence, HaveAllIsTheFirstMessage) {
    h.peer->say(MessageId::have_none);
    h.peer->say(MessageId::have_all);
    expect_reason("have all message that is not the first");
}

TEST_F(Offence, HaveNoneIsTheFirstMessage) {
    h.peer->say(MessageId::interested);
    h.peer->say(MessageId::have_none);
    expect_reason("have none message that is not the first");
}

TEST_F(Offence, AHaveNamesAPieceThatExists) {
    h.peer->say(MessageId::have, 10);
    expect_reason("have message: piece 10 does not exist");
}

TEST_F(Offence, AnAllowedFastNamesAPieceThatExists) {
    h.peer->say(MessageId::allowed_fast, 10);
    expect_reason("allowed fast message: piece 10 does not exist");
}

TEST_F(Offence, ASuggestNamesAPieceThatExists) {
    h.peer->say(MessageId::suggest, 0xffff'ffff);
    expect_reason("suggest piece message: piece 4294967295 does not exist");
}

TEST_F(Offence, ABlockIsOneOfTheTorrent) {
    h.peer->say_block(9, 16384, std::vector<std::byte>(3617));
    expect_reason("piece message with a block that does not exist: piece 9 begin 16384 length 3617");
}

TEST_F(Offence, ABlockBeginsAtABlock) {
    h.peer->say_block(1, 1, std::vector<std::byte>(16384));
    expect_reason("piece message with a block that does not exist: piece 1 begin 1 length 16384");
}

TEST_F(Offence, ARejectNamesABlockOfTheTorrent) {
    h.peer->say(MessageId::reject, 10, 0, 16384);
    expect_reason("reject message for a block that does not exist: piece 10 begin 0 length 16384");
}

TEST_F(Offence, ARequestAsksForBytes) {
    h.peer->say(MessageId::request, 1, 0, 0);
    expect_reason("request of no bytes");
}

TEST_F(Offence, ARequestIsInsideItsPiece) {
    h.peer->say(MessageId::request, 1, 65536 - 16383, 16384);
    expect_reason("request outside the torrent: piece 1 begin 49153 length 16384");
}

TEST_F(Offence, ARequestIsInsideTheTorrent) {
    h.peer->say(MessageId::request, 10, 0, 16384);
    expect_reason("request outside the torrent: piece 10 begin 0 length 16384");
}

TEST_F(Offence, ARequestDoesNotWrapAround) {
    h.peer->say(MessageId::request, 1, 0xffff'ffff, 16384);
    expect_reason("request outside the torrent: piece 1 begin 4294967295 length 16384");
}

TEST_F(Offence, ARequestIsNotLongerThan128KiB) {
    h.peer->say(MessageId::request, 1, 0, (128 << 10) + 1);
    expect_reason("request too long: piece 1 begin 0 length 131073");
}

TEST_F(Offence, APeerDoesNotGoOnAskingWhileItIsChoked) {
    for (int i = 0; i < 301; ++i) h.peer->say(MessageId::request, 1, 0, 16384);
    expect_reason("too many requests while choked");
}

TEST_F(Offence, APeerDoesNotRejectRequestAfterRequest) {
    h.peer->say(MessageId::unchoke);
    for (int i = 0; i < 51; ++i) h.peer->say(MessageId::reject, 1, 0, 16384);
    expect_reason("rejects request after request");
}

TEST_F(Offence, AnExtensionHandshakeIsBencode) {
    h.peer->say_extended(0, std::vector<std::byte>(3, std::byte{'x'}));
    h.settle();
    EXPECT_TRUE(h.ended);
    EXPECT_THAT(h.connection->reason(), testing::StartsWith("extension handshake: "));
}

TEST_F(Offence, AnExtensionHandshakeIsADictionary) {
    h.peer->say_extended(0, std::vector<std::byte>{std::byte{'l'}, std::byte{'e'}});
    expect_reason("extension handshake that is no dictionary");
}

TEST_F(Offence, ADontHaveHasFourBytes) {
    h.peer->say_extended(kOurDontHaveId, std::vector<std::byte>(5));
    expect_reason("lt_donthave message of 5 bytes, not 4");
}

TEST_F(Offence, ADontHaveNamesAPieceThatExists) {
    h.peer->say_extended(kOurDontHaveId,
                         std::vector<std::byte>{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{10}});
    expect_reason("lt_donthave message: piece 10 does not exist");
}

TEST(PeerOffences, FastMessagesNeedTheFastExtension) {
    for (auto const id :
         {MessageId::suggest, MessageId::have_all, MessageId::have_none, MessageId::reject, MessageId::allowed_fast}) {
        ConnectionHarness::Setup setup;
        setup.fast = false;
        std::uint32_t const length = id == MessageId::reject                                   ? 13
                                     : id == MessageId::have_all || id == MessageId::have_none ? 1
                                                                                               : 5;

        EXPECT_EQ(reason_after(message(length, static_cast<std::uint8_t>(id), length), std::move(setup)),
                  std::string(name(id)) + " message without the fast extension");
    }
}

TEST(PeerOffences, ExtendedMessagesNeedTheExtensionProtocol) {
    ConnectionHarness::Setup setup;
    setup.extensions = false;
    EXPECT_EQ(reason_after(message(2, 20, 2), std::move(setup)), "extended message without the extension protocol");
}

TEST(PeerOffences, BlocksDoNotComeBeforeTheMetadata) {
    ConnectionHarness::Setup setup;
    setup.metadata = false;
    EXPECT_THAT(reason_after(message(9 + 100, 7, 109), std::move(setup)),
                testing::StartsWith("piece message with a block that does not exist"));
}

TEST(PeerOffences, AHaveBeforeTheMetadataIsBounded) {
    ConnectionHarness::Setup setup;
    setup.metadata = false;
    ConnectionHarness h(std::move(setup));

    h.peer->say(MessageId::have, limit::kPieces);
    h.settle();

    EXPECT_EQ(h.connection->reason(), "have message: piece 2097152 does not exist");
}

TEST(PeerOffences, AllowedFastBeforeTheMetadataIsCheckedWhenItIsKnown) {
    ConnectionHarness::Setup setup;
    setup.metadata = false;
    ConnectionHarness h(std::move(setup));
    h.peer->say(MessageId::have_none);
    h.peer->say(MessageId::allowed_fast, 10);
    h.settle();

    h.connection->metadata_known(tests::small_layout(), Bitfield(10));
    h.settle();

    EXPECT_EQ(h.connection->reason(), "allowed fast message: piece 10 does not exist");
}

TEST(PeerOffences, RejectsOfAChokingPeerAreNone) {
    ConnectionHarness h;
    h.peer->say(MessageId::unchoke);
    h.peer->say(MessageId::choke);

    for (int i = 0; i < 200; ++i) h.peer->say(MessageId::reject, 1, 0, 16384);
    h.settle();

    EXPECT_FALSE(h.ended);
}

TEST(PeerOffences, RejectsThatAnswerOurCancelsAreNone) {
    ConnectionHarness h;
    h.peer->say(MessageId::unchoke);
    h.settle();
    for (int i = 0; i < 100; ++i) h.connection->cancel({PieceIndex(1), BlockIndex(0)});

    for (int i = 0; i < 100; ++i) h.peer->say(MessageId::reject, 1, 0, 16384);
    h.settle();

    EXPECT_FALSE(h.ended);
}

TEST(PeerOffences, AFloodOfBlocksThatNobodyAskedForIsOne) {
    ConnectionHarness h;
    h.peer->say(MessageId::unchoke);
    h.settle();
    for (int i = 0; i < 100; ++i) h.connection->request({PieceIndex(1), BlockIndex(0)});

    for (std::uint32_t i = 0; i < 100 + limit::kUnaskedBlocks; ++i) h.peer->say_block(1, 0, std::vector<std::byte>(16384));
    h.settle();
    ASSERT_FALSE(h.ended);
    h.peer->say_block(1, 0, std::vector<std::byte>(16384));
    h.settle();

    EXPECT_EQ(h.connection->reason(), "sends blocks that nobody asked for");
}

TEST(PeerOffences, APieceBetweenRejectsForgivesThem) {
    ConnectionHarness h;
    h.peer->say(MessageId::unchoke);

    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 50; ++i) h.peer->say(MessageId::reject, 1, 0, 16384);
        h.peer->say_block(1, 0, std::vector<std::byte>(16384));
    }
    h.settle();

    EXPECT_FALSE(h.ended);
}

TEST(PeerOffences, RequestsOnTheirWayWhenWeChokedAreNone) {
    ConnectionHarness h;
    h.connection->set_choked(false);
    h.settle();
    h.connection->set_choked(true);

    for (int i = 0; i < 500; ++i) h.peer->say(MessageId::request, 1, 0, 16384);
    h.pass(5s);

    EXPECT_FALSE(h.ended);
}

TEST(PeerOffences, AnExchangeThatCannotBeReadEndsTheConnection) {
    ConnectionHarness h;

    h.peer->say_extended(kOurPexId, std::vector<std::byte>(3));
    h.settle();

    EXPECT_TRUE(h.connection->reason().starts_with("peer exchange message: ")) << h.connection->reason();
}

TEST(PeerOffences, AHolepunchMessageThatIsTooShortEndsTheConnection) {
    ConnectionHarness h;

    h.peer->say_extended(kOurHolepunchId, std::vector<std::byte>(3));
    h.settle();

    EXPECT_EQ(h.connection->reason(), "holepunch message of 3 bytes");
}

}  // namespace
}  // namespace rqfs::torrent
