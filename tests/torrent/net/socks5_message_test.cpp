#include "torrent/net/socks5_message.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
    std::vector<std::byte> bytes;
    for (auto const value : values) bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

Address address(char const* text) { return Address::parse(text).value(); }

template <std::size_t N>
std::span<std::byte const, N> fixed(std::vector<std::byte> const& bytes) {
    return std::span<std::byte const>(bytes).first<N>();
}

TEST(Socks5, OffersALoginOnlyWhereThereIsOne) {
    EXPECT_EQ(socks5::encode_greeting(false), bytes_of({5, 1, 0}));
    EXPECT_EQ(socks5::encode_greeting(true), bytes_of({5, 2, 0, 2}));
}

TEST(Socks5, TakesAnyMethodThatWasOfferedAndNoOther) {
    for (unsigned version = 0; version < 256; ++version)
        for (unsigned method = 0; method < 256; ++method)
            for (bool const login : {false, true}) {
                auto const answer = bytes_of({version, method});

                auto const parsed = socks5::parse_method(fixed<2>(answer), login);

                EXPECT_EQ(parsed.has_value(), version == 5 && (method == 0 || (method == 2 && login)));
                if (parsed) {
                    EXPECT_EQ(static_cast<unsigned>(*parsed), method);
                }
            }
}

TEST(Socks5, SaysWhetherALoginIsMissingOrNotWanted) {
    auto const none = bytes_of({5, 0xff});

    EXPECT_EQ(socks5::parse_method(fixed<2>(none), false).error(), ProxyErrc::login_needed);
    EXPECT_EQ(socks5::parse_method(fixed<2>(none), true).error(), ProxyErrc::no_method);
}

TEST(Socks5, WritesALogin) {
    EXPECT_EQ(socks5::encode_login("ab", "c"), bytes_of({1, 2, 'a', 'b', 1, 'c'}));
    EXPECT_EQ(socks5::encode_login(std::string(255, 'u'), std::string(255, 'p')).size(), 513u);
}

TEST(Socks5, OnlyZeroLetsUsIn) {
    for (unsigned version = 0; version < 256; ++version)
        for (unsigned status = 0; status < 256; ++status) {
            auto const answer = bytes_of({version, status});

            auto const refusal = socks5::parse_login_reply(fixed<2>(answer));

            EXPECT_EQ(!refusal, version == 1 && status == 0);
            if (version == 1 && status != 0) {
                EXPECT_EQ(refusal, ProxyErrc::login_refused);
            }
        }
}

TEST(Socks5, WritesEveryKindOfTarget) {
    using socks5::Command;
    EXPECT_EQ(socks5::encode_request(Command::connect, {{}, address("1.2.3.4"), 0x1234}),
              bytes_of({5, 1, 0, 1, 1, 2, 3, 4, 0x12, 0x34}));
    EXPECT_EQ(socks5::encode_request(Command::connect, {"ab.c", {}, 80}),
              bytes_of({5, 1, 0, 3, 4, 'a', 'b', '.', 'c', 0, 80}));
    EXPECT_EQ(socks5::encode_request(Command::udp_associate, {}), bytes_of({5, 3, 0, 1, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(socks5::encode_request(Command::connect, {{}, address("fd77::1"), 1}),
              bytes_of({5, 1, 0, 4, 0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}));
    EXPECT_EQ(socks5::encode_request(Command::connect, {std::string(255, 'n'), {}, 1}).size(), 5u + 255 + 2);
}

TEST(Socks5, KnowsEveryRefusal) {
    for (unsigned version = 0; version < 256; ++version)
        for (unsigned code = 0; code < 256; ++code) {
            auto const head = bytes_of({version, code, 0, 1});

            auto const verdict = socks5::parse_verdict(fixed<4>(head));

            auto const expected = version != 5 ? ProxyErrc::malformed
                                  : code <= 8  ? static_cast<ProxyErrc>(code)
                                               : ProxyErrc::failure;
            EXPECT_EQ(!verdict, version == 5 && code == 0);
            EXPECT_TRUE(!verdict || verdict == expected) << verdict.message();
        }
}

TEST(Socks5, EveryRefusalHasItsOwnWords) {
    std::vector<std::string> words;
    for (int code = 1; code <= 8; ++code) words.push_back(make_error_code(static_cast<ProxyErrc>(code)).message());
    std::sort(words.begin(), words.end());

    EXPECT_EQ(std::unique(words.begin(), words.end()), words.end());
    EXPECT_EQ(make_error_code(ProxyErrc::not_allowed).message(), "not allowed by its rules");
}

TEST(Socks5, SaysHowLongAReplyIsForEveryKindOfAddress) {
    for (unsigned type = 0; type < 256; ++type)
        for (unsigned first = 0; first < 256; ++first) {
            auto const bytes = bytes_of({5, 0, 0, type, first});

            auto const head = socks5::parse_reply_head(fixed<5>(bytes));

            ASSERT_EQ(head.has_value(), type == 1 || type == 3 || type == 4);
            if (head) {
                EXPECT_EQ(head->rest_bytes, type == 1 ? 5u : type == 4 ? 17u : first + 2u);
            }
        }
}

TEST(Socks5, ReadsTheAddressOfAReply) {
    auto const reply = socks5::parse_reply(bytes_of({5, 0, 0, 1, 10, 0, 0, 1, 0x04, 0x38}));
    auto const six =
        socks5::parse_reply(bytes_of({5, 0, 0, 4, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2}));
    auto const name = socks5::parse_reply(bytes_of({5, 0, 0, 3, 2, 'a', 'b', 0, 7}));
    auto const no_name = socks5::parse_reply(bytes_of({5, 0, 0, 3, 0, 0, 0}));

    ASSERT_TRUE(reply && six && name && no_name);
    EXPECT_EQ(*reply, (ProxyTarget{{}, address("10.0.0.1"), 1080}));
    EXPECT_EQ(*six, (ProxyTarget{{}, address("fd00::9"), 258}));
    EXPECT_EQ(*name, (ProxyTarget{"ab", {}, 7}));
    EXPECT_EQ(*no_name, ProxyTarget());
}

TEST(Socks5, RefusesEveryReplyThatIsCutShortOrGoesOn) {
    for (auto const& whole : {bytes_of({5, 0, 0, 1, 10, 0, 0, 1, 4, 56}), bytes_of({5, 0, 0, 3, 2, 'a', 'b', 0, 7}),
                              bytes_of({5, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2})}) {
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_FALSE(socks5::parse_reply(std::span(whole).first(size)));
        auto longer = whole;
        longer.push_back({});
        EXPECT_FALSE(socks5::parse_reply(longer));
        EXPECT_TRUE(socks5::parse_reply(whole));
    }
}

TEST(Socks5, PutsWhomADatagramIsForBeforeIt) {
    EXPECT_EQ(socks5::encode_datagram_head({{}, address("1.2.3.4"), 0x1234}),
              bytes_of({0, 0, 0, 1, 1, 2, 3, 4, 0x12, 0x34}));
    EXPECT_EQ(socks5::encode_datagram_head({"ab", {}, 80}), bytes_of({0, 0, 0, 3, 2, 'a', 'b', 0, 80}));
}

TEST(Socks5, ReadsTheDatagramsThatItWrites) {
    for (auto const& target : {ProxyTarget{{}, address("1.2.3.4"), 80}, ProxyTarget{{}, address("fd77::1"), 65535},
                               ProxyTarget{std::string(255, 'n'), {}, 1}}) {
        auto datagram = socks5::encode_datagram_head(target);
        auto const head = datagram.size();
        datagram.push_back(std::byte{'x'});

        auto const parsed = socks5::parse_datagram(datagram);

        ASSERT_TRUE(parsed);
        EXPECT_EQ(parsed->from, target);
        ASSERT_EQ(parsed->bytes.size(), 1u);
        EXPECT_EQ(parsed->bytes.data(), datagram.data() + head);
    }
}

TEST(Socks5, DropsFragmentsAndWhatIsCutShort) {
    for (unsigned fragment = 0; fragment < 256; ++fragment)
        EXPECT_EQ(socks5::parse_datagram(bytes_of({0, 0, fragment, 1, 1, 2, 3, 4, 0, 80, 'x'})).has_value(),
                  fragment == 0);
    for (auto const& whole : {bytes_of({0, 0, 0, 1, 1, 2, 3, 4, 0, 80}), bytes_of({0, 0, 0, 3, 2, 'a', 'b', 0, 80})}) {
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_FALSE(socks5::parse_datagram(std::span(whole).first(size)));
        EXPECT_TRUE(socks5::parse_datagram(whole)) << "a datagram may be empty";
    }
    EXPECT_FALSE(socks5::parse_datagram(bytes_of({0, 0, 0, 3, 0, 0, 80, 'x'}))) << "from nobody";
    EXPECT_FALSE(socks5::parse_datagram(bytes_of({0, 0, 0, 2, 1, 2, 3, 4, 0, 80}))) << "no such address";
}

}  // namespace
}  // namespace rqfs::torrent
