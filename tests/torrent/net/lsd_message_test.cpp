#include "torrent/net/lsd_message.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
namespace {

InfoHash hash(int number) {
    std::array<std::byte, InfoHash::kBytes> bytes{};
    bytes[0] = static_cast<std::byte>(number);
    return InfoHash(bytes);
}

Result<LsdMessage> parse(std::string_view text) { return LsdMessage::parse(std::as_bytes(std::span(text))); }

constexpr std::string_view kHash = "0102030405060708090a0b0c0d0e0f1011121314";

TEST(LsdMessage, IsWrittenAsTheBepSays) {
    LsdMessage message;
    message.port = 6881;
    message.info_hashes = {InfoHash::parse(kHash).value(), hash(1)};
    message.cookie = "abc";

    EXPECT_EQ(message.encode(LsdMessage::groups()[0]),
              "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n"
              "Infohash: 0102030405060708090a0b0c0d0e0f1011121314\r\n"
              "Infohash: 0100000000000000000000000000000000000000\r\ncookie: abc\r\n\r\n\r\n");
    EXPECT_NE(message.encode(LsdMessage::groups()[1]).find("Host: [ff15::efc0:988f]:6771\r\n"), std::string::npos);
}

TEST(LsdMessage, WhatIsWrittenIsRead) {
    LsdMessage message;
    message.port = 65535;
    message.cookie = "0123456789abcdef";
    for (int i = 0; i < static_cast<int>(LsdMessage::kInfoHashes); ++i) message.info_hashes.push_back(hash(i));

    for (auto const& group : LsdMessage::groups()) {
        auto const text = message.encode(group);
        auto const read = parse(text);

        EXPECT_LE(text.size(), LsdMessage::kBytes);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->port, message.port);
        EXPECT_EQ(read->info_hashes, message.info_hashes);
        EXPECT_EQ(read->cookie, message.cookie);
    }
}

TEST(LsdMessage, NamesOfAnyCaseBareLineEndsAndUnknownLinesAreRead) {
    auto const read = parse("BT-SEARCH * HTTP/1.1\nhost: x\nPORT:80\nnonsense\n: \nX-Other: 1\ninfoHASH:\t" +
                            std::string(kHash) + " \n");

    ASSERT_TRUE(read);
    EXPECT_EQ(read->port, 80);
    EXPECT_EQ(read->info_hashes.size(), 1u);
    EXPECT_EQ(read->cookie, "");
}

TEST(LsdMessage, WhatFollowsTheEmptyLineIsNotRead) {
    auto const read =
        parse("BT-SEARCH * HTTP/1.1\r\nPort: 80\r\nInfohash: " + std::string(kHash) + "\r\n\r\nPort: 90\r\n");

    ASSERT_TRUE(read);
    EXPECT_EQ(read->port, 80);
}

TEST(LsdMessage, WrongInfoHashesAndRepeatedOnesAreLeftOut) {
    auto const h = std::string(kHash);
    auto const read = parse("BT-SEARCH * HTTP/1.1\r\nPort: 80\r\nInfohash: " + h + "\r\nInfohash: " + h.substr(1) +
                            "\r\nInfohash: " + h + "\r\nInfohash: x" + h.substr(1) +
                            "\r\nInfohash: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\r\n");

    ASSERT_TRUE(read);
    EXPECT_EQ(read->info_hashes.size(), 1u);
}

TEST(LsdMessage, WhatIsNoAnnounceIsRefused) {
    auto const h = "Infohash: " + std::string(kHash) + "\r\n";
    for (auto const& text : {std::string(), std::string("NOTIFY * HTTP/1.1\r\nPort: 1\r\n") + h,
                             "BT-SEARCH * HTTP/1.1\r\n" + h, std::string("BT-SEARCH * HTTP/1.1\r\nPort: 1\r\n"),
                             "BT-SEARCH * HTTP/1.1\r\nPort: 0\r\n" + h, "BT-SEARCH * HTTP/1.1\r\nPort: 65536\r\n" + h,
                             "BT-SEARCH * HTTP/1.1\r\nPort: -1\r\n" + h, "BT-SEARCH * HTTP/1.1\r\nPort: 12x\r\n" + h,
                             "BT-SEARCH * HTTP/1.1\r\nPort: 1\r\n" + h + std::string(1400, ' ')})
        EXPECT_FALSE(parse(text)) << text;
}

TEST(LsdMessage, ALongCookieIsNone) {
    auto const read = parse("BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: " + std::string(kHash) +
                            "\r\ncookie: " + std::string(65, 'a') + "\r\n\r\n");

    ASSERT_TRUE(read);
    EXPECT_TRUE(read->cookie.empty());
}

TEST(LsdMessage, SurvivesEveryChangeOfAByte) {
    auto const good =
        "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: " + std::string(kHash) +
        "\r\ncookie: a\r\n\r\n\r\n";
    for (std::size_t at = 0; at < good.size(); ++at)
        for (int value = 0; value < 256; ++value) {
            auto text = good;
            text[at] = static_cast<char>(value);
            auto const read = parse(text);
            if (read) {
                EXPECT_TRUE(read->port != 0 && read->info_hashes.size() == 1);
            }
        }
}

}  // namespace
}  // namespace rqfs::torrent
