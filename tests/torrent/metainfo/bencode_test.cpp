#include "torrent/metainfo/bencode.h"

#include "tests/torrent/metainfo/processor_time.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent::bencode {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr Limits kWide{128, 4'000'000};

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

Result<Document> parse(std::string_view text, Limits limits = kWide) { return Document::parse(bytes_of(text), limits); }

// The sentence of the refusal, or "accepted".
std::string refusal(std::string_view text, Limits limits = kWide) {
    auto const document = parse(text, limits);
    return document ? "accepted" : document.error().what;
}

TEST(Bencode, ReadsAnInteger) {
    auto const document = parse("i-42e");

    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().type(), Value::Type::integer);
    EXPECT_EQ(document->root().integer(), -42);
}

TEST(Bencode, ReadsAStringOfAnyBytes) {
    auto const document = parse("5:a\0e:\xff"sv);

    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().type(), Value::Type::string);
    EXPECT_EQ(document->root().text(), "a\0e:\xff"sv);
    EXPECT_EQ(text_of(document->root().bytes().value()), "a\0e:\xff"sv);
}

TEST(Bencode, ReadsAnEmptyString) {
    auto const document = parse("0:");

    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().text(), ""sv);
}

TEST(Bencode, ReadsAListInOrder) {
    auto const document = parse("li1e3:twoli3eedee");

    ASSERT_TRUE(document);
    auto const elements = document->root().elements();
    ASSERT_EQ(elements.size(), 4u);
    EXPECT_EQ(document->root().size(), 4u);
    EXPECT_EQ(elements[0].integer(), 1);
    EXPECT_EQ(elements[1].text(), "two"sv);
    EXPECT_EQ(elements[2].elements().at(0).integer(), 3);
    EXPECT_EQ(elements[3].type(), Value::Type::dictionary);
    EXPECT_EQ(elements[3].size(), 0u);
}

TEST(Bencode, FindsValuesByTheirKeys) {
    auto const document = parse("d1:ai1e2:bbd1:ci3ee0:4:none10:tenletterslee");

    ASSERT_TRUE(document);
    auto const root = document->root();
    EXPECT_EQ(root.size(), 4u);
    EXPECT_EQ(root.find("a")->integer(), 1);
    EXPECT_EQ(root.find("bb")->find("c")->integer(), 3);
    EXPECT_EQ(root.find("")->text(), "none"sv);
    EXPECT_EQ(root.find("tenletters")->type(), Value::Type::list);
    EXPECT_FALSE(root.find("c"));
    EXPECT_FALSE(root.find("b"));
    EXPECT_FALSE(root.find("1:a"));
}

TEST(Bencode, FindsTheFirstOfEqualKeys) {
    auto const document = parse("d1:ai1e1:ai2ee");

    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().find("a")->integer(), 1);
    EXPECT_TRUE(document->root().has_duplicate_keys());
}

TEST(Bencode, SeesEqualKeysThatAreApart) {
    EXPECT_TRUE(parse("d1:bi1e1:ai1e1:bi2ee")->root().has_duplicate_keys());
    EXPECT_FALSE(parse("d1:bi1e1:ai1e1:ci2ee")->root().has_duplicate_keys());
    EXPECT_FALSE(parse("d1:ad1:ai1eee")->root().has_duplicate_keys());
    EXPECT_FALSE(parse("de")->root().has_duplicate_keys());
    EXPECT_FALSE(parse("i1e")->root().has_duplicate_keys());
}

TEST(Bencode, GivesPairsInTheOrderOfTheInput) {
    auto const document = parse("d1:zi1e1:ai2ee");

    ASSERT_TRUE(document);
    auto const pairs = document->root().pairs();
    ASSERT_EQ(pairs.size(), 2u);
    EXPECT_EQ(pairs[0].key, "z");
    EXPECT_EQ(pairs[0].value.integer(), 1);
    EXPECT_EQ(pairs[1].key, "a");
    EXPECT_EQ(pairs[1].value.integer(), 2);
}

TEST(Bencode, GivesTheRawBytesOfAValue) {
    auto const document = parse("d4:infod1:bi1e1:ai2eee");

    ASSERT_TRUE(document);
    EXPECT_EQ(text_of(document->root().find("info")->raw()), "d1:bi1e1:ai2ee");
    EXPECT_EQ(text_of(document->root().find("info")->find("a")->raw()), "i2e");
}

TEST(Bencode, AnswersNothingWhenAskedForAnotherType) {
    auto const document = parse("li1e1:aledee");

    ASSERT_TRUE(document);
    auto const elements = document->root().elements();
    ASSERT_EQ(elements.size(), 4u);
    for (auto const& value : elements) {
        EXPECT_EQ(value.integer().has_value(), value.type() == Value::Type::integer);
        EXPECT_EQ(value.bytes().has_value(), value.type() == Value::Type::string);
        EXPECT_EQ(value.text().has_value(), value.type() == Value::Type::string);
        EXPECT_FALSE(value.find("a"));
        EXPECT_EQ(value.size(), 0u);
        EXPECT_TRUE(value.elements().empty());
        EXPECT_TRUE(value.pairs().empty());
    }
}

TEST(Bencode, StaysValidWhenTheDocumentIsMoved) {
    auto parsed = parse("d1:al1:bee");
    Document const moved = std::move(*parsed);

    EXPECT_EQ(moved.root().find("a")->elements().at(0).text(), "b"sv);
}

TEST(Bencode, ReadsIntegersAtTheEdgesOf64Bits) {
    struct Case {
        char const* text;
        std::int64_t value;
    };
    for (auto const& [text, value] :
         std::vector<Case>{{"i0e", 0},
                           {"i-1e", -1},
                           {"i2147483647e", 2147483647},
                           {"i2147483648e", 2147483648},
                           {"i4294967296e", 4294967296},
                           {"i9223372036854775807e", std::numeric_limits<std::int64_t>::max()},
                           {"i-9223372036854775808e", std::numeric_limits<std::int64_t>::min()}}) {
        auto const document = parse(text);
        ASSERT_TRUE(document) << text;
        EXPECT_EQ(document->root().integer(), value);
    }
}

TEST(Bencode, RefusesBrokenIntegersAndSaysWhere) {
    EXPECT_EQ(refusal("i9223372036854775808e"), "at byte 0: an integer beyond 64 bits");
    EXPECT_EQ(refusal("i-9223372036854775809e"), "at byte 0: an integer beyond 64 bits");
    EXPECT_EQ(refusal("i18446744073709551616e"), "at byte 0: an integer beyond 64 bits");
    EXPECT_EQ(refusal("i99999999999999999999e"), "at byte 0: an integer beyond 64 bits");
    EXPECT_EQ(refusal("li1ei01ee"), "at byte 4: an integer with a leading zero");
    EXPECT_EQ(refusal("i00e"), "at byte 0: an integer with a leading zero");
    EXPECT_EQ(refusal("i-01e"), "at byte 0: an integer with a leading zero");
    EXPECT_EQ(refusal("i-0e"), "at byte 0: an integer that is minus zero");
    EXPECT_EQ(refusal("ie"), "at byte 1: an integer without digits");
    EXPECT_EQ(refusal("i-e"), "at byte 2: an integer without digits");
    EXPECT_EQ(refusal("i--1e"), "at byte 2: an integer without digits");
    EXPECT_EQ(refusal("i+1e"), "at byte 1: an integer without digits");
    EXPECT_EQ(refusal("i 1e"), "at byte 1: an integer without digits");
    EXPECT_EQ(refusal("i1.5e"), "at byte 2: an integer must end in 'e'");
    EXPECT_EQ(refusal("i1"), "at byte 2: an integer must end in 'e'");
}

TEST(Bencode, RefusesBrokenStringsAndSaysWhere) {
    EXPECT_EQ(refusal("5:abc"), "at byte 0: a string of 5 bytes where 3 are left");
    EXPECT_EQ(refusal("l5:abce"), "at byte 1: a string of 5 bytes where 4 are left");
    EXPECT_EQ(refusal("9:abc"), "at byte 0: a string that is longer than the input");
    EXPECT_EQ(refusal("03:abc"), "at byte 0: a string's length with a leading zero");
    EXPECT_EQ(refusal("00:"), "at byte 0: a string's length with a leading zero");
    EXPECT_EQ(refusal("3abc"), "at byte 1: a string's length must be followed by ':'");
    EXPECT_EQ(refusal("1"), "at byte 1: a string's length must be followed by ':'");
    EXPECT_EQ(refusal("-1:a"), "at byte 0: a value must begin with 'i', 'l', 'd' or a digit");
    for (auto const* length : {"2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807",
                               "9223372036854775808", "18446744073709551615", "18446744073709551616",
                               "18446744073709551617", "99999999999999999999999999999999999999"})
        EXPECT_EQ(refusal(std::string(length) + ":abc"), "at byte 0: a string that is longer than the input");
}

TEST(Bencode, RefusesBrokenListsAndDictionariesAndSaysWhere) {
    EXPECT_EQ(refusal(""), "at byte 0: the input ends where a value is expected");
    EXPECT_EQ(refusal("l"), "at byte 1: the input ends where a value is expected");
    EXPECT_EQ(refusal("li1e"), "at byte 4: the input ends where a value is expected");
    EXPECT_EQ(refusal("e"), "at byte 0: a value must begin with 'i', 'l', 'd' or a digit");
    EXPECT_EQ(refusal("d"), "at byte 1: the input ends where a string is expected");
    EXPECT_EQ(refusal("di1ei2ee"), "at byte 1: a dictionary's key must be a string");
    EXPECT_EQ(refusal("d1:ae"), "at byte 4: a dictionary's key without a value");
    EXPECT_EQ(refusal("d1:a"), "at byte 4: the input ends where a value is expected");
    EXPECT_EQ(refusal("lxe"), "at byte 1: a value must begin with 'i', 'l', 'd' or a digit");
}

TEST(Bencode, RefusesBytesBehindTheValue) {
    EXPECT_EQ(refusal("i1ei2e"), "at byte 3: bytes behind the end of the value");
    EXPECT_EQ(refusal("de\n"), "at byte 2: bytes behind the end of the value");
}

TEST(Bencode, ReadsAValueThatOtherBytesFollow) {
    std::size_t used = 0;

    auto const document = Document::parse_prefix(bytes_of("d8:msg_typei1eeRAWee"), kWide, used);

    ASSERT_TRUE(document);
    EXPECT_EQ(used, 15u);
    EXPECT_EQ(document->root().find("msg_type")->integer(), 1);
}

TEST(Bencode, LeavesTheLengthAloneWhenAPrefixIsBroken) {
    std::size_t used = 77;

    EXPECT_FALSE(Document::parse_prefix(bytes_of("d8:msg_type"), kWide, used));
    EXPECT_EQ(used, 77u);
}

TEST(Bencode, RefusesEveryBeginningOfAValue) {
    std::string const whole = "d1:ali-12e0:d3:keyi0eee4:infod6:lengthi9e4:name2:abee";
    ASSERT_TRUE(parse(whole));

    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(parse(std::string_view(whole).substr(0, length))) << length;
}

TEST(Bencode, CountsNestingUpToItsLimit) {
    auto const nested = [](std::size_t depth) { return std::string(depth, 'l') + std::string(depth, 'e'); };

    EXPECT_TRUE(parse(nested(16), {16, 100}));
    auto const refused = parse(nested(17), {16, 100});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::too_large);
    EXPECT_EQ(refused.error().what, "at byte 16: lists and dictionaries nested more than 16 deep");
}

TEST(Bencode, CountsOnlyWhatIsOpenAsNesting) {
    std::string text = "l";
    for (int i = 0; i < 100; ++i) text += "llee";

    EXPECT_TRUE(parse(text + "e", {3, 1'000}));
}

TEST(Bencode, CountsValuesButNotKeysUpToItsLimit) {
    EXPECT_TRUE(parse("d1:ai1e1:bi2ee", {16, 3}));
    auto const refused = parse("d1:ai1e1:bi2e1:ci3ee", {16, 3});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::too_large);
    EXPECT_EQ(refused.error().what, "at byte 16: more than 3 values");
}

TEST(Bencode, RefusesTenMillionNestedListsAtOnce) {
    for (char const* unit : {"l", "d1:a"}) {
        std::string bomb;
        for (int i = 0; i < 10'000'000; ++i) bomb += unit;

        bool refused = false;
        auto const took = tests::processor_time([&] { refused = !parse(bomb); });

        EXPECT_TRUE(refused);
        EXPECT_LT(took, 50ms);
    }
}

TEST(Bencode, NeedsNoStackForNesting) {
    std::string const nested = std::string(2'000'000, 'l') + std::string(2'000'000, 'e');

    auto const document = parse(nested, {3'000'000, 3'000'000});

    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().raw().size(), nested.size());
}

TEST(Bencode, RefusesFiveMillionValuesInATorrent) {
    std::string bomb = "l";
    for (int i = 0; i < 5'000'000; ++i) bomb += "le";
    bomb += 'e';

    auto const document = parse(bomb, {limit::kBencodeDepthTorrent, limit::kBencodeTokensTorrent});

    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code, Errc::too_large);
}

TEST(Bencode, SurvivesRandomChangesOfItsInput) {
    std::string const whole = "d1:ali-12e0:d3:keyi0eee4:infod6:lengthi9e4:name2:abee";
    for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
        std::mt19937_64 random(seed);
        std::string text = whole;
        for (auto changes = 1 + random() % 3; changes > 0; --changes)
            text[random() % text.size()] = "0123456789ilde:-\xff"[random() % 17];

        auto const document = parse(text);

        if (document) {
            ASSERT_EQ(text_of(document->root().raw()), text) << "seed " << seed;
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent::bencode
