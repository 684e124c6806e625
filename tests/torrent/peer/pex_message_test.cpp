#include "torrent/peer/pex_message.h"

#include "torrent/metainfo/bencode.h"
#include "torrent/peer/settings.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::string_literals;

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

Result<PexMessage> parse(std::string_view text) { return PexMessage::parse(std::as_bytes(std::span(text))); }

std::string text_of(std::vector<std::byte> const& bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

TEST(PexMessage, WhatIsWrittenIsRead) {
    PexMessage message;
    message.added = {{at("1.2.3.4:5000"), PexPeer::kSeed},
                     {at("[2a00::1]:6000"), PexPeer::kReachable | PexPeer::kPrefersEncryption},
                     {at("5.6.7.8:7000"), 0}};
    message.dropped = {at("[2a00::2]:1"), at("9.9.9.9:65535")};

    auto const read = PexMessage::parse(message.encode());

    ASSERT_TRUE(read);
    std::vector<PexPeer> const by_family{message.added[0], message.added[2], message.added[1]};
    EXPECT_EQ(read->added, by_family);
    EXPECT_EQ(read->dropped, (std::vector{at("9.9.9.9:65535"), at("[2a00::2]:1")}));
}

TEST(PexMessage, IsWrittenAsTheBepSays) {
    PexMessage message;
    message.added = {{at("1.2.3.4:258"), 0x12}};
    message.dropped = {at("[::2]:3")};

    auto const text = text_of(message.encode());

    EXPECT_EQ(text,
              "d5:added6:\x01\x02\x03\x04\x01\x02"
              "7:added.f1:\x12"
              "6:added60:8:added6.f0:7:dropped0:8:dropped618:\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\3"
              "e"s);
}

TEST(PexMessage, AnyKeyMayBeMissing) {
    auto const nothing = parse("de");
    auto const only_dropped = parse("d7:dropped6:\1\2\3\4\0\5e"s);

    ASSERT_TRUE(nothing && only_dropped);
    EXPECT_TRUE(nothing->empty());
    EXPECT_TRUE(only_dropped->added.empty());
    EXPECT_EQ(only_dropped->dropped, (std::vector{at("1.2.3.4:5")}));
}

TEST(PexMessage, FlagsThatAreMissingAreNone) {
    auto const read = parse(
        "d5:added12:\1\2\3\4\0\5\1\2\3\4\0\6"
        "7:added.f1:\2e"s);

    ASSERT_TRUE(read);
    EXPECT_EQ(read->added, (std::vector<PexPeer>{{at("1.2.3.4:5"), 2}, {at("1.2.3.4:6"), 0}}));
}

TEST(PexMessage, ValuesOfOtherTypesAndUnknownKeysAreLeftOut) {
    auto const read = parse("d5:addedi7e7:added.fle7:droppedd1:a1:be1:xi1ee");

    ASSERT_TRUE(read);
    EXPECT_TRUE(read->empty());
}

TEST(PexMessage, AnIncompleteTailIsLeftOut) {
    auto const read = parse("d5:added8:\1\2\3\4\0\5\1\2e"s);

    ASSERT_TRUE(read);
    EXPECT_EQ(read->added.size(), 1u);
}

TEST(PexMessage, BytesBehindTheMessageAreIgnored) { EXPECT_TRUE(parse("dexyz")); }

TEST(PexMessage, AddressesWithoutPortAndThoseSaidBeforeAreLeftOut) {
    auto const read = parse(
        "d5:added18:\1\2\3\4\0\0\1\2\3\4\0\5\1\2\3\4\0\5"
        "7:dropped6:\1\2\3\4\0\5e"s);

    ASSERT_TRUE(read);
    EXPECT_EQ(read->added, (std::vector<PexPeer>{{at("1.2.3.4:5"), 0}}));
    EXPECT_TRUE(read->dropped.empty());
}

TEST(PexMessage, FlagsStayWithTheirAddressWhereAnotherIsLeftOut) {
    auto const read = parse(
        "d5:added12:\1\2\3\4\0\0\1\2\3\4\0\5"
        "7:added.f2:\1\2e"s);

    ASSERT_TRUE(read);
    EXPECT_EQ(read->added, (std::vector<PexPeer>{{at("1.2.3.4:5"), 2}}));
}

TEST(PexMessage, MappedAddressesAreOfTheirFamily) {
    auto const read = parse("d6:added618:\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4\0\5e"s);

    ASSERT_TRUE(read);
    EXPECT_EQ(read->added, (std::vector<PexPeer>{{at("1.2.3.4:5"), 0}}));
}

TEST(PexMessage, AThousandAddressesAreReadUpToTheLimit) {
    PexMessage message;
    for (int i = 0; i < 1000; ++i) {
        auto const host = std::to_string(i / 250) + "." + std::to_string(i % 250);
        message.added.push_back({at("1.2." + host + ":80"), 0});
        message.added.push_back({at("[2a00::" + std::to_string(i) + "]:80"), 0});
        message.dropped.push_back(at("1.3." + host + ":80"));
    }

    auto const read = PexMessage::parse(message.encode());

    ASSERT_TRUE(read);
    EXPECT_EQ(read->added.size(), 2 * limit::kPexPeersRead);
    EXPECT_EQ(read->dropped.size(), limit::kPexPeersRead);
}

TEST(PexMessage, WhatIsNoDictionaryIsRefused) {
    for (auto const* const text : {"", "le", "i1e", "4:abcd", "d", "d5:added", "d5:added9:abce"})
        EXPECT_FALSE(parse(text)) << text;
}

}  // namespace
}  // namespace rqfs::torrent
