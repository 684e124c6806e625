#include "torrent/peer/message.h"

#include "torrent/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rqfs::torrent {
namespace {

// The body of the only message in the bytes.
std::span<std::byte const> body(std::vector<std::byte> const& bytes) {
    EXPECT_EQ(read_be32(bytes), bytes.size() - 4);
    return std::span(bytes).subspan(4);
}

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
    std::vector<std::byte> bytes;
    for (int const value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

TEST(Message, AKeepAliveIsFourZeros) {
    std::vector<std::byte> out;

    append_keep_alive(out);

    EXPECT_EQ(out, bytes_of({0, 0, 0, 0}));
}

TEST(Message, WritesARequestAsBep3SaysIt) {
    std::vector<std::byte> out;

    append_message(out, MessageId::request, PieceIndex(0x01020304), 0x00014000, 16384);

    EXPECT_EQ(out, bytes_of({0, 0, 0, 13, 6, 1, 2, 3, 4, 0, 1, 0x40, 0, 0, 0, 0x40, 0}));
}

TEST(Message, ReadsBackMessagesWithoutArguments) {
    for (auto const id : {MessageId::choke, MessageId::unchoke, MessageId::interested, MessageId::not_interested,
                          MessageId::have_all, MessageId::have_none}) {
        std::vector<std::byte> out;

        append_message(out, id);
        auto const message = parse_message(body(out));

        ASSERT_TRUE(message);
        EXPECT_EQ(message->id, id);
    }
}

TEST(Message, ReadsBackMessagesThatNameAPiece) {
    for (auto const id : {MessageId::have, MessageId::suggest, MessageId::allowed_fast}) {
        std::vector<std::byte> out;

        append_message(out, id, PieceIndex(0xfffffffe));
        auto const message = parse_message(body(out));

        ASSERT_TRUE(message);
        EXPECT_EQ(message->id, id);
        EXPECT_EQ(message->piece, 0xfffffffeu);
    }
}

TEST(Message, WritesAndReadsAPortAsBep5SaysIt) {
    std::vector<std::byte> out;

    append_port(out, 0x1ae1);
    auto const message = parse_message(body(out));

    EXPECT_EQ(out, bytes_of({0, 0, 0, 3, 9, 0x1a, 0xe1}));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->port, 0x1ae1);
}

TEST(Message, ReadsBackMessagesThatNameARange) {
    for (auto const id : {MessageId::request, MessageId::cancel, MessageId::reject}) {
        std::vector<std::byte> out;

        append_message(out, id, PieceIndex(7), 8, 9);
        auto const message = parse_message(body(out));

        ASSERT_TRUE(message);
        EXPECT_EQ(message->id, id);
        EXPECT_EQ(message->piece, 7u);
        EXPECT_EQ(message->begin, 8u);
        EXPECT_EQ(message->length, 9u);
    }
}

TEST(Message, APieceIsAViewOfItsBlock) {
    std::vector<std::byte> block(100, std::byte{7});
    auto const header = piece_header(PieceIndex(3), 16384, 100);
    std::vector<std::byte> bytes(header.begin(), header.end());
    bytes.insert(bytes.end(), block.begin(), block.end());

    auto const message = parse_message(body(bytes));

    ASSERT_TRUE(message);
    EXPECT_EQ(message->piece, 3u);
    EXPECT_EQ(message->begin, 16384u);
    EXPECT_EQ(message->length, 100u);
    EXPECT_EQ(message->bytes.data(), bytes.data() + kPieceHeaderBytes);
}

TEST(Message, ReadsBackBitfieldsAndExtendedMessages) {
    auto const payload = bytes_of({1, 2, 3});
    std::vector<std::byte> bitfield;
    std::vector<std::byte> extended;

    append_bitfield(bitfield, payload);
    append_extended(extended, 9, payload);

    EXPECT_TRUE(std::ranges::equal(parse_message(body(bitfield))->bytes, payload));
    EXPECT_TRUE(std::ranges::equal(parse_message(body(extended))->bytes, payload));
    EXPECT_EQ(parse_message(body(extended))->extended_id, 9);
}

TEST(Message, KnowsTheIdsOfBep3And5And6And10) {
    std::vector<int> ids;
    for (int id = 0; id < 256; ++id)
        if (known(static_cast<std::uint8_t>(id))) ids.push_back(id);

    EXPECT_THAT(ids, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 20));
}

TEST(Message, AcceptsExactlyOneLengthForEachFixedMessage) {
    for (int id = 0; id < 256; ++id) {
        auto const message = static_cast<std::uint8_t>(id);
        if (!known(message) || id == 5 || id == 7 || id == 20) continue;
        int accepted = 0;

        for (std::uint32_t length = 1; length < 70'000; ++length) accepted += check_length(length, message, 10) ? 1 : 0;

        EXPECT_EQ(accepted, 1) << id;
    }
}

TEST(Message, ABitfieldHasOneLengthOncePiecesAreKnown) {
    EXPECT_TRUE(check_length(3, 5, 10));
    EXPECT_FALSE(check_length(2, 5, 10));
    EXPECT_FALSE(check_length(4, 5, 10));
    EXPECT_TRUE(check_length(2, 5, 8));
    EXPECT_FALSE(check_length(3, 5, 8));
    EXPECT_TRUE(check_length(1 + limit::kPieces / 8, 5, limit::kPieces));
}

TEST(Message, ABitfieldBeforeTheMetadataHasAnyLengthATorrentMayHave) {
    EXPECT_FALSE(check_length(1, 5, std::nullopt));
    EXPECT_TRUE(check_length(2, 5, std::nullopt));
    EXPECT_TRUE(check_length(1 + limit::kPieces / 8, 5, std::nullopt));
    EXPECT_FALSE(check_length(2 + limit::kPieces / 8, 5, std::nullopt));
}

TEST(Message, APieceHoldsOneToSixteenKiB) {
    EXPECT_FALSE(check_length(9, 7, 10));
    EXPECT_TRUE(check_length(10, 7, 10));
    EXPECT_TRUE(check_length(9 + 16384, 7, 10));
    EXPECT_FALSE(check_length(9 + 16385, 7, 10));
}

TEST(Message, UnknownIdsMayBeAsLongAsTheLimit) {
    EXPECT_TRUE(check_length(1, 99, 10));
    EXPECT_TRUE(check_length(limit::kMessageBytes, 99, 10));
    EXPECT_FALSE(check_length(limit::kMessageBytes + 1, 99, 10));
}

TEST(Message, ABodyOfAnotherLengthThanItsIdSaysIsAnError) {
    for (auto const id : {MessageId::choke, MessageId::have, MessageId::request, MessageId::port, MessageId::piece,
                          MessageId::extended}) {
        std::vector<std::byte> bytes(id == MessageId::choke ? 2 : 1);
        bytes[0] = static_cast<std::byte>(id);

        EXPECT_FALSE(parse_message(bytes)) << name(id);
    }
}

TEST(Message, EveryKnownIdHasAName) {
    for (int id = 0; id < 256; ++id)
        EXPECT_EQ(known(static_cast<std::uint8_t>(id)), name(static_cast<MessageId>(id)) != "unknown") << id;
}

}  // namespace
}  // namespace rqfs::torrent
