#include "torrent/peer/peer_connection.h"

#include "tests/torrent/peer/connection_harness.h"
#include "torrent/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using tests::ConnectionHarness;
using tests::FakePeer;

ConnectionHarness::Setup without_fast() {
    ConnectionHarness::Setup setup;
    setup.fast = false;
    return setup;
}

ConnectionHarness::Setup hearing_all() {
    ConnectionHarness::Setup setup;
    setup.read_greeting = false;
    return setup;
}

void say_all(ConnectionHarness& h) {
    h.peer->say(MessageId::have_all);
    h.settle();
    h.owner.events.clear();
}

TEST(PeerConnection, GreetsWithHaveNoneAndTheExtensionHandshakeWhenItHasNothing) {
    ConnectionHarness h(hearing_all());

    auto const heard = h.peer->heard();

    ASSERT_EQ(heard.size(), 2u);
    EXPECT_TRUE(heard[0].is(MessageId::have_none));
    EXPECT_TRUE(heard[1].is(MessageId::extended));
    EXPECT_EQ(heard[1].message.extended_id, 0);
}

TEST(PeerConnection, TellsThePeerItsAddressInTheExtensionHandshake) {
    ConnectionHarness h(hearing_all());

    auto const heard = h.peer->heard(MessageId::extended);

    ASSERT_EQ(heard.size(), 1u);
    auto const parsed = ExtensionHandshake::parse(heard[0].message.bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->your_address, Address::v4({10, 0, 0, 2}));
}

TEST(PeerConnection, TellsWhereItsNodeIsToThoseWhoSpeakDht) {
    for (bool const speaks : {false, true}) {
        auto setup = hearing_all();
        setup.they_have_dht = speaks;
        setup.dht_port = 6881;
        ConnectionHarness h(std::move(setup));

        auto const heard = h.peer->heard(MessageId::port);

        ASSERT_EQ(heard.size(), speaks ? 1u : 0u);
        for (auto const& each : heard) EXPECT_EQ(each.message.port, 6881);
    }
}

TEST(PeerConnection, SaysNothingOfItsNodeForATorrentThatIsNotForTheDht) {
    auto setup = hearing_all();
    setup.they_have_dht = true;
    ConnectionHarness h(std::move(setup));

    EXPECT_TRUE(h.peer->heard(MessageId::port).empty());
}

TEST(PeerConnection, ReportsTheirNodeOnce) {
    ConnectionHarness::Setup setup;
    setup.dht_port = 6881;
    ConnectionHarness h(std::move(setup));
    std::vector<std::byte> ports;
    for (std::uint16_t const port : std::array<std::uint16_t, 4>{0, 7000, 7001, 7000}) append_port(ports, port);

    h.peer->say(ports);
    h.settle();

    EXPECT_EQ(h.owner.events, std::vector<std::string>{"dht port 7000"});
}

TEST(PeerConnection, DoesNotReportTheirNodeForATorrentThatIsNotForTheDht) {
    ConnectionHarness h;
    std::vector<std::byte> port;
    append_port(port, 7000);

    h.peer->say(port);
    h.settle();

    EXPECT_TRUE(h.owner.events.empty());
    EXPECT_TRUE(h.connection->reason().empty());
}

TEST(PeerConnection, GreetsWithHaveAllAsASeed) {
    auto setup = hearing_all();
    setup.have = Bitfield(10, true);
    ConnectionHarness h(std::move(setup));

    EXPECT_EQ(h.peer->heard(MessageId::have_all).size(), 1u);
}

TEST(PeerConnection, GreetsWithABitfieldWhenItHasSome) {
    auto setup = hearing_all();
    setup.have.set(PieceIndex(3));
    ConnectionHarness h(std::move(setup));

    auto const heard = h.peer->heard(MessageId::bitfield);

    ASSERT_EQ(heard.size(), 1u);
    EXPECT_THAT(heard[0].message.bytes, ElementsAre(std::byte{0x10}, std::byte{0}));
}

TEST(PeerConnection, SaysNothingOfPiecesItDoesNotHaveWithoutFast) {
    auto setup = without_fast();
    setup.read_greeting = false;
    setup.extensions = false;
    ConnectionHarness h(std::move(setup));

    EXPECT_TRUE(h.peer->heard().empty());
}

TEST(PeerConnection, ReportsABitfield) {
    ConnectionHarness h;
    std::vector<std::byte> message;
    append_bitfield(message, std::vector<std::byte>{std::byte{0xff}, std::byte{0x80}});

    h.peer->say(message);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 9"));
    EXPECT_FALSE(h.connection->seed());
}

TEST(PeerConnection, ReportsHaveAllAsASeed) {
    ConnectionHarness h;

    h.peer->say(MessageId::have_all);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 10"));
    EXPECT_TRUE(h.connection->seed());
}

TEST(PeerConnection, TakesAPeerThatStartsWithAnotherMessageForOneWithoutPieces) {
    ConnectionHarness h;

    h.peer->say(MessageId::have, 4);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 0", "have 4"));
}

TEST(PeerConnection, AcceptsTheExtensionHandshakeBeforeTheBitfield) {
    ConnectionHarness h;

    h.peer->say_extended(0, ExtensionHandshake{}.encode());
    h.peer->say(MessageId::have_all);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("extensions", "pieces 10"));
}

TEST(PeerConnection, ReportsAHaveOnlyOnce) {
    ConnectionHarness h;

    h.peer->say(MessageId::have_none);
    h.peer->say(MessageId::have, 4);
    h.peer->say(MessageId::have, 4);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 0", "have 4"));
}

TEST(PeerConnection, ReportsChokeAndInterestOnlyWhenTheyChange) {
    ConnectionHarness h;
    say_all(h);

    for (auto const id : {MessageId::choke, MessageId::unchoke, MessageId::unchoke, MessageId::choke,
                          MessageId::interested, MessageId::interested, MessageId::not_interested})
        h.peer->say(id);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("unchoke", "choke", "interested", "not interested"));
}

TEST(PeerConnection, TellsSinceWhenABlocksBytesCame) {
    ConnectionHarness h;
    say_all(h);
    auto const header = piece_header(PieceIndex(2), 0, 16384);
    auto const block = tests::content(tests::small_layout(), 2, 0, 16384);

    h.peer->say(header);
    h.pass(std::chrono::milliseconds(30));
    h.peer->say(std::span(block).first(9000));
    h.pass(std::chrono::milliseconds(40));
    h.peer->say(std::span(block).subspan(9000));
    h.peer->say_block(2, 16384, tests::content(tests::small_layout(), 2, 16384, 16384));
    h.settle();

    EXPECT_THAT(h.owner.transfers, ElementsAre(std::chrono::milliseconds(70), Duration::zero()));
}

TEST(PeerConnection, GivesBlocksAsTheyComeAndEndsTheBatchOnce) {
    ConnectionHarness h;
    say_all(h);
    auto const before = h.owner.batches;

    for (std::uint32_t begin : {0u, 16384u, 32768u})
        h.peer->say_block(2, begin, tests::content(tests::small_layout(), 2, begin, 16384));
    h.peer->say_block(9, 16384, tests::content(tests::small_layout(), 9, 16384, 3616));
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("block 2.0", "block 2.1", "block 2.2", "block 9.1"));
    EXPECT_EQ(h.owner.blocks[1], tests::content(tests::small_layout(), 2, 16384, 16384));
    EXPECT_EQ(h.owner.blocks[3], tests::content(tests::small_layout(), 9, 16384, 3616));
    EXPECT_EQ(h.owner.batches, before + 1);
    EXPECT_EQ(h.connection->downloaded_bytes(), 3 * 16384 + 3616u);
}

TEST(PeerConnection, UnderstandsAStreamThatArrivesByteByByte) {
    ConnectionHarness::Setup setup;
    setup.stream.most_bytes_a_read = 1;
    ConnectionHarness h(std::move(setup));

    h.peer->say(MessageId::have_all);
    h.peer->say(MessageId::unchoke);
    h.peer->say_block(9, 16384, tests::content(tests::small_layout(), 9, 16384, 3616));
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 10", "unchoke", "block 9.1"));
    EXPECT_EQ(h.owner.blocks[0], tests::content(tests::small_layout(), 9, 16384, 3616));
}

TEST(PeerConnection, IgnoresMessagesItDoesNotKnow) {
    ConnectionHarness h;
    std::vector<std::byte> unknown;
    append_be32(unknown, 100'000);
    unknown.resize(4 + 100'000, std::byte{200});

    h.peer->say(unknown);
    h.peer->say(MessageId::have_all);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 10"));
}

TEST(PeerConnection, IgnoresExtendedMessagesItDidNotOffer) {
    ConnectionHarness h;

    h.peer->say_extended(77, std::vector<std::byte>(200'000));
    h.peer->say(MessageId::have_all);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 10"));
}

TEST(PeerConnection, SendsRequestsAndCancelsInOneGoBetweenTwoTurnsOfTheLoop) {
    ConnectionHarness h;
    say_all(h);

    h.connection->request({PieceIndex(1), BlockIndex(2)});
    h.connection->request({PieceIndex(9), BlockIndex(1)});
    h.connection->cancel({PieceIndex(1), BlockIndex(2)});
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 3u);
    EXPECT_TRUE(heard[0].is(MessageId::request));
    EXPECT_EQ(heard[0].message.piece, 1u);
    EXPECT_EQ(heard[0].message.begin, 32768u);
    EXPECT_EQ(heard[0].message.length, 16384u);
    EXPECT_EQ(heard[1].message.length, 3616u);
    EXPECT_TRUE(heard[2].is(MessageId::cancel));
}

TEST(PeerConnection, SaysInterestOnlyWhenItChanges) {
    ConnectionHarness h;

    h.connection->set_interested(false);
    h.connection->set_interested(true);
    h.connection->set_interested(true);
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_TRUE(heard[0].is(MessageId::interested));
}

TEST(PeerConnection, KeepsHavesFromPeersThatHaveThePiece) {
    ConnectionHarness h;
    h.peer->say(MessageId::have, 3);
    h.settle();

    h.connection->have(PieceIndex(3));
    h.connection->have(PieceIndex(4));
    h.settle();

    auto const heard = h.peer->heard(MessageId::have);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].message.piece, 4u);
}

TEST(PeerConnection, EndsWithTheReasonItWasClosedFor) {
    ConnectionHarness h;

    h.connection->close("no longer needed");
    h.connection->close("another reason");
    h.settle();

    EXPECT_TRUE(h.ended);
    EXPECT_EQ(h.connection->reason(), "no longer needed");
    EXPECT_TRUE(h.peer->ended());
}

TEST(PeerConnection, EndsWhenThePeerHangsUp) {
    ConnectionHarness h;

    h.peer->close();
    h.settle();

    EXPECT_TRUE(h.ended);
    EXPECT_EQ(h.connection->reason(), "closed by the peer");
}

TEST(PeerConnection, MayBeClosedFromInsideACallback) {
    ConnectionHarness h;
    h.owner.on_event = [&](std::string const&) { h.connection->close("told so"); };

    h.peer->say(MessageId::have_all);
    h.peer->say(MessageId::unchoke);
    h.settle();

    EXPECT_TRUE(h.ended);
    EXPECT_THAT(h.owner.events, ElementsAre("pieces 10"));
}

TEST(PeerConnection, ReportsWhereAnIncomingPeerListensOnceItSaysSo) {
    ConnectionHarness::Setup setup;
    setup.incoming = true;
    ConnectionHarness h(std::move(setup));
    EXPECT_EQ(h.connection->listening_at().port, 0);
    ExtensionHandshake hello;
    hello.port = 5000;

    h.peer->say_extended(0, hello.encode());
    h.settle();

    EXPECT_EQ(h.connection->listening_at().text(), "10.0.0.2:5000");
}

TEST(PeerConnection, SendsDontHaveOnlyToPeersThatSpeakIt) {
    ConnectionHarness h;
    h.connection->dont_have(PieceIndex(3));
    h.settle();
    EXPECT_TRUE(h.peer->heard().empty());
    ExtensionHandshake hello;
    hello.lt_donthave = 9;
    h.peer->say_extended(0, hello.encode());
    h.settle();

    h.connection->dont_have(PieceIndex(3));
    h.settle();

    auto const heard = h.peer->heard();
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].message.extended_id, 9);
    EXPECT_EQ(read_be32(heard[0].message.bytes), 3u);
}

TEST(PeerConnection, ALaterBitfieldTellsOfWhatIsNew) {
    ConnectionHarness h;
    h.peer->say(MessageId::have_none);
    h.peer->say(MessageId::have, 4);
    std::vector<std::byte> bytes;
    append_bitfield(bytes, std::vector<std::byte>{std::byte{0x88}, std::byte{0x40}});

    h.peer->say(bytes);
    h.peer->say(bytes);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 0", "have 4", "have 0", "have 9"));
    EXPECT_FALSE(h.ended);
}

TEST(PeerConnection, TakesAPieceBackOnDontHave) {
    ConnectionHarness h;
    say_all(h);
    std::vector<std::byte> payload;
    append_be32(payload, 4);

    h.peer->say_extended(kOurDontHaveId, payload);
    h.peer->say_extended(kOurDontHaveId, payload);
    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("dont_have 4"));
    EXPECT_FALSE(h.connection->pieces().test(PieceIndex(4)));
}

TEST(PeerConnection, ExchangesMetadataMessages) {
    ConnectionHarness h;
    ExtensionHandshake hello;
    hello.ut_metadata = 7;
    h.peer->say_extended(0, hello.encode());
    h.peer->say_extended(kOurMetadataId, MetadataMessage{MetadataMessage::Type::request, 5, 0, {}}.encode());
    h.settle();

    h.connection->send_metadata(MetadataMessage{MetadataMessage::Type::reject, 5, 0, {}});
    h.settle();

    EXPECT_TRUE(h.owner.told("metadata 0 5"));
    auto const heard = h.peer->heard(MessageId::extended);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(heard[0].message.extended_id, 7);
}

TEST(PeerConnection, StaysConnectedAfterMetadataMessagesThatMakeNoSense) {
    ConnectionHarness h;
    for (std::string const text : {"d8:msg_typei0e5:piecei-1ee", "d8:msg_typei0e5:piecei9223372036854775807ee",
                                   "d8:msg_typei9e5:piecei0ee", "le", "", "d8:msg_typei1e5:piecei0e10:total_sizei0ee"})
        h.peer->say_extended(kOurMetadataId, std::as_bytes(std::span(text)));
    h.peer->say(MessageId::have_all);

    h.settle();

    EXPECT_THAT(h.owner.events, ElementsAre("pieces 10"));
    EXPECT_FALSE(h.ended);
}

TEST(PeerConnection, RunIsEndedByCancellation) {
    ConnectionHarness h;

    tests::run_engine(h.engine, h.tasks.stop());

    EXPECT_FALSE(h.ended);
    EXPECT_EQ(h.connection->reason(), "stopped");
}

TEST(PeerConnection, PeerExchangeAndHolepunchingAreToldAndSentUnderTheirIds) {
    ConnectionHarness h;
    ExtensionHandshake hello;
    hello.ut_pex = 33;
    h.peer->say_extended(0, hello.encode());
    PexMessage exchange;
    exchange.added.push_back({Endpoint::parse("1.2.3.4:5").value(), 0});
    HolepunchMessage const meet{HolepunchMessage::Type::rendezvous, Endpoint::parse("1.2.3.4:5").value(),
                                HolepunchMessage::Failure::none};
    h.peer->say_extended(kOurPexId, exchange.encode());
    h.peer->say_extended(kOurHolepunchId, meet.encode());
    h.settle();
    h.peer->heard();

    h.connection->send_exchange(exchange);
    h.connection->send_holepunch(meet);
    h.settle();

    EXPECT_TRUE(h.owner.told("exchange +1 -0"));
    EXPECT_TRUE(h.owner.told("holepunch 0 1.2.3.4:5"));
    auto const heard = h.peer->heard(MessageId::extended);
    ASSERT_EQ(heard.size(), 1u) << "it does not speak the other";
    EXPECT_EQ(heard.front().message.extended_id, 33);
}

}  // namespace
}  // namespace rqfs::torrent
