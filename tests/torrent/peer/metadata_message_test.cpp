#include "torrent/peer/metadata_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace rqfs::torrent {
namespace {

using Type = MetadataMessage::Type;

Result<MetadataMessage> parse(std::string const& text) {
    return MetadataMessage::parse(std::as_bytes(std::span(text)));
}

std::string text_of(std::vector<std::byte> const& bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

TEST(MetadataMessage, WritesTheThreeMessagesOfBep9) {
    std::string const part = "xxxxxxxx";

    EXPECT_EQ(text_of(MetadataMessage{Type::request, 0, 0, {}}.encode()), "d8:msg_typei0e5:piecei0ee");
    EXPECT_EQ(text_of(MetadataMessage{Type::data, 0, 3425, std::as_bytes(std::span(part))}.encode()),
              "d8:msg_typei1e5:piecei0e10:total_sizei3425eexxxxxxxx");
    EXPECT_EQ(text_of(MetadataMessage{Type::reject, 4294967295, 0, {}}.encode()), "d8:msg_typei2e5:piecei4294967295ee");
}

TEST(MetadataMessage, FindsThePartBehindTheDictionaryWhateverItHolds) {
    std::string const text = "d8:msg_typei1e5:piecei2e10:total_sizei90000ee";
    std::string const part = "eeee\0d8:msg_typei0ee";

    auto const whole = text + part;
    auto const parsed = parse(whole);

    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->type, Type::data);
    EXPECT_EQ(parsed->piece, 2u);
    EXPECT_EQ(parsed->total_bytes, 90'000u);
    EXPECT_TRUE(std::ranges::equal(parsed->bytes, std::as_bytes(std::span(part))));
}

TEST(MetadataMessage, ReadsUnsortedDictionariesWithOtherKeys) {
    auto const parsed = parse("d5:piecei7e8:msg_typei2e3:abci1ee");

    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->type, Type::reject);
    EXPECT_EQ(parsed->piece, 7u);
}

TEST(MetadataMessage, TakesPieceNumbersOf32Bits) {
    EXPECT_EQ(parse("d8:msg_typei0e5:piecei2147483648ee")->piece, 2147483648u);
    EXPECT_EQ(parse("d8:msg_typei0e5:piecei4294967295ee")->piece, 4294967295u);
    EXPECT_FALSE(parse("d8:msg_typei0e5:piecei4294967296ee"));
    EXPECT_FALSE(parse("d8:msg_typei0e5:piecei-1ee"));
    EXPECT_FALSE(parse("d8:msg_typei0e5:piecei9223372036854775808ee"));
}

TEST(MetadataMessage, RefusesWhatLacksSomething) {
    for (std::string const text :
         {"", "de", "le", "d8:msg_typei0ee", "d5:piecei0ee", "d8:msg_typei3e5:piecei0ee", "d8:msg_typei-1e5:piecei0ee",
          "d8:msg_type1:05:piecei0ee", "d8:msg_typei1e5:piecei0eeabc", "d8:msg_typei1e5:piecei0e10:total_sizei0eeabc",
          "d8:msg_typei1e5:piecei0e10:total_sizei-1eeabc", "d8:msg_typei1e5:piecei0e10:total_sizei16777217eeabc",
          "d8:msg_typei1e5:piecei0e10:total_sizei100ee"})
        EXPECT_FALSE(parse(text)) << text;
}

TEST(MetadataMessage, APartHasAtMost16KiB) {
    std::string const head = "d8:msg_typei1e5:piecei0e10:total_sizei100000ee";

    EXPECT_TRUE(parse(head + std::string(16384, 'x')));
    EXPECT_FALSE(parse(head + std::string(16385, 'x')));
}

}  // namespace
}  // namespace rqfs::torrent
