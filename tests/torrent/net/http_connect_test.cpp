#include "torrent/net/http_connect.h"

#include "torrent/net/proxy_error.h"

#include <gtest/gtest.h>
#include <boost/system/error_code.hpp>

#include <string>

namespace rqfs::torrent {
namespace {

using boost::system::error_code;

TEST(HttpConnect, AsksForANameAndForAnAddress) {
    auto const proxy = ProxyAddress::parse("http://proxy:3128").value();

    EXPECT_EQ(encode_http_connect(proxy, {"tracker.example", {}, 80}),
              "CONNECT tracker.example:80 HTTP/1.1\r\nHost: tracker.example:80\r\n\r\n");
    EXPECT_EQ(encode_http_connect(proxy, {{}, Address::parse("fd77::1").value(), 443}),
              "CONNECT [fd77::1]:443 HTTP/1.1\r\nHost: [fd77::1]:443\r\n\r\n");
}

TEST(HttpConnect, LogsIn) {
    auto const proxy = ProxyAddress::parse("http://Aladdin:open%20sesame@proxy:3128").value();

    auto const text = encode_http_connect(proxy, {"a", {}, 1});

    EXPECT_NE(text.find("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"), std::string::npos) << text;
}

TEST(HttpConnect, FindsTheEndOfTheHead) {
    EXPECT_EQ(http_connect_head_bytes("HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest"), 25u);
    EXPECT_EQ(http_connect_head_bytes("HTTP/1.0 200 OK\n\nrest"), 17u);
    EXPECT_EQ(http_connect_head_bytes("HTTP/1.1 200 OK\r\nA: b\r\n"), std::nullopt);
    EXPECT_EQ(http_connect_head_bytes(""), std::nullopt);
}

TEST(HttpConnect, KnowsWhatAStatusMeans) {
    auto const of = [](std::string const& status) {
        return parse_http_connect_reply("HTTP/1.1 " + status + " some words\r\n\r\n", false);
    };

    for (auto const* const success : {"200", "204", "299"}) EXPECT_FALSE(of(success));
    EXPECT_EQ(of("403"), ProxyErrc::not_allowed);
    EXPECT_EQ(of("405"), ProxyErrc::no_command);
    EXPECT_EQ(of("407"), ProxyErrc::login_needed);
    EXPECT_EQ(of("500"), ProxyErrc::host_unreachable);
    EXPECT_EQ(of("502"), ProxyErrc::host_unreachable);
    EXPECT_EQ(of("504"), ProxyErrc::host_unreachable);
    EXPECT_EQ(of("302"), ProxyErrc::answer);
    EXPECT_EQ(of("418"), ProxyErrc::answer);
    EXPECT_EQ(of("100"), ProxyErrc::malformed);
}

TEST(HttpConnect, KnowsARefusedLoginFromAMissingOne) {
    EXPECT_EQ(parse_http_connect_reply("HTTP/1.1 407 x\r\n\r\n", true), ProxyErrc::login_refused);
    EXPECT_EQ(parse_http_connect_reply("HTTP/1.1 407 x\r\n\r\n", false), ProxyErrc::login_needed);
}

TEST(HttpConnect, TakesAStatusWithoutWords) {
    EXPECT_FALSE(parse_http_connect_reply("HTTP/1.1 200\r\n\r\n", false));
    EXPECT_FALSE(parse_http_connect_reply("HTTP/1.0 200\n\n", false));
}

TEST(HttpConnect, RefusesWhatIsNoStatusLine) {
    for (auto const* const head : {"", "\r\n\r\n", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 200", "HTTP/2.0 200 x\r\n\r\n",
                                   "HTTP/1.2 200 x\r\n\r\n", "HTTP/1.1_200 x\r\n\r\n", "HTTP/1.1 2x0 x\r\n\r\n",
                                   "HTTP/1.1 2000 x\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 -20 x\r\n\r\n"})
        EXPECT_EQ(parse_http_connect_reply(head, false), ProxyErrc::malformed) << head;
}

}  // namespace
}  // namespace rqfs::torrent
