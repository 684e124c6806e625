#include "torrent/peer/extension.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace rqfs::torrent {
namespace {

Result<ExtensionHandshake> parse(std::string const& text) {
    return ExtensionHandshake::parse(std::as_bytes(std::span(text)));
}

std::string text_of(std::vector<std::byte> const& bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

TEST(ExtensionHandshake, WritesItsKeysInOrder) {
    ExtensionHandshake ours;
    ours.ut_metadata = kOurMetadataId;
    ours.lt_donthave = kOurDontHaveId;
    ours.client = "rqfs";
    ours.port = 6881;
    ours.reqq = 500;
    ours.upload_only = true;
    ours.metadata_size = 1000;
    ours.your_address = Address::v4({1, 2, 3, 4});

    EXPECT_EQ(text_of(ours.encode()),
              "d1:md11:lt_donthavei2e11:ut_metadatai1ee13:metadata_sizei1000e1:pi6881e4:reqqi500e11:upload_onlyi1e"
              "1:v4:rqfs6:yourip4:\x01\x02\x03\x04"
              "e");
}

TEST(ExtensionHandshake, ReadsBackWhatItWrites) {
    ExtensionHandshake ours;
    ours.ut_metadata = 3;
    ours.lt_donthave = 255;
    ours.client = "some client";
    ours.port = 1;
    ours.reqq = 250;
    ours.upload_only = false;
    ours.metadata_size = 17'000;
    ours.your_address = Address::parse("fd00::1").value();

    auto const parsed = ExtensionHandshake::parse(ours.encode());

    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->ut_metadata, 3);
    EXPECT_EQ(parsed->lt_donthave, 255);
    EXPECT_EQ(parsed->client, "some client");
    EXPECT_EQ(parsed->port, 1);
    EXPECT_EQ(parsed->reqq, 250u);
    EXPECT_EQ(parsed->upload_only, false);
    EXPECT_EQ(parsed->metadata_size, 17'000u);
    EXPECT_EQ(parsed->your_address, ours.your_address);
}

TEST(ExtensionHandshake, NeedsNoKeyAtAll) {
    auto const parsed = parse("de");

    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->ut_metadata, 0);
    EXPECT_FALSE(parsed->ut_metadata_named);
    EXPECT_FALSE(parsed->port || parsed->reqq || parsed->upload_only || parsed->metadata_size || parsed->your_address);
}

TEST(ExtensionHandshake, IgnoresValuesOfAnotherTypeOrOutOfRange) {
    for (std::string const text :
         {"d1:mi5ee", "d1:md11:ut_metadata1:xee", "d1:md11:ut_metadatai256eee", "d1:md11:ut_metadatai-1eee", "d1:pi0ee",
          "d1:pi65536ee", "d1:pi-1ee", "d4:reqqi0ee", "d4:reqqi-5ee", "d6:yourip3:abce", "d6:youripi7ee",
          "d13:metadata_sizei0ee", "d13:metadata_sizei-1ee", "d13:metadata_sizei16777217ee",
          "d13:metadata_sizei2000000000ee", "d13:metadata_sizei1099511627776ee", "d11:upload_only1:1e", "d1:vi3ee"}) {
        auto const parsed = parse(text);

        ASSERT_TRUE(parsed) << text;
        EXPECT_FALSE(parsed->ut_metadata_named || parsed->port || parsed->reqq || parsed->upload_only ||
                     parsed->metadata_size || parsed->your_address)
            << text;
        EXPECT_TRUE(parsed->client.empty()) << text;
    }
}

TEST(ExtensionHandshake, AcceptsTheLargestMetadata) {
    EXPECT_EQ(parse("d13:metadata_sizei16777216ee")->metadata_size, 16'777'216u);
}

TEST(ExtensionHandshake, CutsLongClientNamesAndControlCharacters) {
    auto const parsed = parse("d1:v100:" + std::string(50, 'a') + "\n" + std::string(49, 'b') + "e");

    EXPECT_EQ(parsed->client, std::string(50, 'a') + "." + std::string(13, 'b'));
}

TEST(ExtensionHandshake, RefusesWhatIsNoDictionary) {
    for (std::string const text : {"", "i5e", "le", "4:abcd", "d", "d1:m", "xyz"}) EXPECT_FALSE(parse(text)) << text;
}

TEST(ExtensionHandshake, RefusesDeepNesting) {
    EXPECT_FALSE(parse("d1:x" + std::string(100'000, 'l') + std::string(100'000, 'e') + "e"));
}

TEST(ExtensionHandshake, ARepeatedOneAddsToTheOneBefore) {
    auto first = parse("d1:md11:lt_donthavei7e11:ut_metadatai3ee1:pi5000e1:v3:abce").value();

    first.merge(parse("d1:md11:lt_donthavei9ee11:upload_onlyi1ee").value());

    EXPECT_EQ(first.ut_metadata, 3);
    EXPECT_EQ(first.lt_donthave, 9);
    EXPECT_EQ(first.port, 5000);
    EXPECT_EQ(first.client, "abc");
    EXPECT_EQ(first.upload_only, true);
}

TEST(ExtensionHandshake, TellsOfPeerExchangeHolepunchingAndEncryption) {
    ExtensionHandshake ours;
    ours.ut_pex = kOurPexId;
    ours.ut_holepunch = kOurHolepunchId;
    ours.prefers_encryption = true;

    auto const text = text_of(ours.encode());
    auto const parsed = parse(text);

    EXPECT_EQ(text, "d1:ei1e1:md12:ut_holepunchi4e6:ut_pexi3eee");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->ut_pex, 3);
    EXPECT_EQ(parsed->ut_holepunch, 4);
    EXPECT_EQ(parsed->prefers_encryption, true);
}

TEST(ExtensionHandshake, TellsOfAnAddressInEachFamily) {
    ExtensionHandshake ours;
    ours.ipv4 = Address::parse("1.2.3.4").value();
    ours.ipv6 = Address::parse("2600::1").value();

    auto const parsed = parse(text_of(ours.encode()));
    auto const mixed_up = parse("d4:ipv416:aaaaaaaaaaaaaaaa4:ipv64:aaaa1:mdee");
    ExtensionHandshake merged;
    merged.merge(parsed.value());

    EXPECT_EQ(parsed->ipv4, ours.ipv4);
    EXPECT_EQ(parsed->ipv6, ours.ipv6);
    EXPECT_EQ(merged.ipv4, ours.ipv4);
    ASSERT_TRUE(mixed_up);
    EXPECT_FALSE(mixed_up->ipv4);
    EXPECT_FALSE(mixed_up->ipv6);
}

TEST(ExtensionHandshake, PeerExchangeIsEndedByARepeatedOneAlone) {
    ExtensionHandshake ours;
    ours.ut_pex_named = ours.ut_holepunch_named = true;
    auto theirs = parse("d1:ei1e1:md12:ut_holepunchi4e6:ut_pexi3eee").value();

    theirs.merge(parse("de").value());
    EXPECT_EQ(theirs.ut_pex, 3);
    EXPECT_EQ(theirs.prefers_encryption, true);
    theirs.merge(parse(text_of(ours.encode())).value());

    EXPECT_EQ(theirs.ut_pex, 0);
    EXPECT_EQ(theirs.ut_holepunch, 0);
}

TEST(ExtensionHandshake, IdZeroInARepeatedOneDisables) {
    auto first = parse("d1:md11:ut_metadatai3eee").value();

    first.merge(parse("d1:md11:ut_metadatai0eee").value());

    EXPECT_EQ(first.ut_metadata, 0);
}

TEST(ExtensionHandshake, SurvivesEveryChangeOfAByte) {
    auto const good = text_of([] {
        ExtensionHandshake ours;
        ours.ut_metadata = 1;
        ours.client = "rqfs";
        ours.metadata_size = 1000;
        return ours.encode();
    }());

    for (std::size_t at = 0; at < good.size(); ++at)
        for (int value = 0; value < 256; ++value) {
            auto text = good;
            text[at] = static_cast<char>(value);
            auto const parsed = parse(text);
            if (parsed && parsed->metadata_size) {
                EXPECT_LE(*parsed->metadata_size, limit::kMetadataBytes);
            }
        }
}

}  // namespace
}  // namespace rqfs::torrent
