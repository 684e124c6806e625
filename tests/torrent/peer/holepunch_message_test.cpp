#include "torrent/peer/holepunch_message.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::string_literals;
using Type = HolepunchMessage::Type;
using Failure = HolepunchMessage::Failure;

Result<HolepunchMessage> parse(std::string_view text) {
    return HolepunchMessage::parse(std::as_bytes(std::span(text)));
}

TEST(HolepunchMessage, WhatIsWrittenIsRead) {
    for (auto const type : {Type::rendezvous, Type::connect, Type::error}) {
        for (auto const* const endpoint : {"1.2.3.4:258", "[2a00::7]:65535"}) {
            HolepunchMessage const message{type, Endpoint::parse(endpoint).value(),
                                           type == Type::error ? Failure::no_support : Failure::none};

            auto const read = HolepunchMessage::parse(message.encode());

            ASSERT_TRUE(read);
            EXPECT_EQ(*read, message);
        }
    }
}

TEST(HolepunchMessage, IsWrittenAsTheBepSays) {
    HolepunchMessage const message{Type::error, Endpoint::parse("1.2.3.4:258").value(), Failure::no_self};

    auto const bytes = message.encode();

    EXPECT_EQ(std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size()), "\2\0\1\2\3\4\1\2\0\0\0\4"s);
}

TEST(HolepunchMessage, OnlyAnErrorNeedsItsCode) {
    EXPECT_TRUE(parse("\0\0\1\2\3\4\1\2"s));
    EXPECT_TRUE(parse("\1\0\1\2\3\4\1\2\0\0"s));
    EXPECT_FALSE(parse("\2\0\1\2\3\4\1\2\0\0\0"s));
}

TEST(HolepunchMessage, UnknownErrorsAreErrors) {
    EXPECT_EQ(parse("\2\0\1\2\3\4\1\2\0\0\0\7"s)->failure, Failure::no_such_peer);
}

TEST(HolepunchMessage, WhatIsTooShortOrUnknownIsRefused) {
    for (auto const& text :
         {""s, "\0"s, "\0\0\1\2\3\4\1"s, "\0\1\1\2\3\4\1\2"s, "\3\0\1\2\3\4\1\2\0\0\0\0"s, "\0\2\1\2\3\4\1\2\0\0\0\0"s})
        EXPECT_FALSE(parse(text));
}

}  // namespace
}  // namespace rqfs::torrent
