#include "torrent/net/url.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

std::string host_of(std::string_view host) {
    auto const url = Url::parse("http://" + std::string(host) + "/");
    return url ? url->host : "refused";
}

std::string error_of(std::string_view text) {
    auto const url = Url::parse(text);
    return url ? "accepted" : url.error().what;
}

TEST(Url, SplitsAUrlIntoItsParts) {
    auto const url = Url::parse("HTTPS://me:p%40ss@Tracker.Example:8443/a/b?c=d&e=%2f#there").value();

    EXPECT_EQ(url.scheme, "https");
    EXPECT_EQ(url.host, "tracker.example");
    EXPECT_EQ(url.port, 8443);
    EXPECT_EQ(url.target, "/a/b?c=d&e=%2f");
    EXPECT_EQ(url.user_info, "me:p%40ss");
    EXPECT_EQ(url.text(), "https://tracker.example:8443/a/b?c=d&e=%2f");
    EXPECT_EQ(url.authority(), "tracker.example:8443");
}

TEST(Url, KnowsTheSchemesOwnPorts) {
    EXPECT_EQ(Url::parse("http://a")->port, 80);
    EXPECT_EQ(Url::parse("https://a:/x")->port, 443);
    EXPECT_EQ(Url::parse("http://a:443")->port, 443);
    EXPECT_EQ(Url::parse("http://a")->authority(), "a");
    EXPECT_EQ(Url::parse("udp://a:80")->authority(), "a:80");
    EXPECT_EQ(error_of("udp://a/announce"), "a udp URL needs a port");
}

TEST(Url, GivesEveryUrlATarget) {
    EXPECT_EQ(Url::parse("http://a")->target, "/");
    EXPECT_EQ(Url::parse("http://a?b")->target, "/?b");
    EXPECT_EQ(Url::parse("http://a#b")->target, "/");
    EXPECT_EQ(Url::parse("  http://a/b \n")->target, "/b");
}

TEST(Url, LetsNothingIntoARequestLineThatCouldEndIt) {
    EXPECT_EQ(Url::parse("http://a/b c\r\nX: y\x7f\xc3\xa9\\\"")->target, "/b%20c%0D%0AX:%20y%7F%C3%A9%5C%22");
    EXPECT_EQ(error_of("http://a\r\nb/"), "the host has a character that no host name has");
    EXPECT_EQ(error_of("http://me\r\n@a/"), "the URL's user name has a character that must be escaped");
}

TEST(Url, TurnsEveryWayOfWritingAnIpv4AddressIntoItsDottedForm) {
    std::vector<std::pair<char const*, char const*>> const table{
        {"127.0.0.1", "127.0.0.1"},
        {"0x7f.1", "127.0.0.1"},
        {"2130706433", "127.0.0.1"},
        {"127.1", "127.0.0.1"},
        {"0177.0.0.1", "127.0.0.1"},
        {"017700000001", "127.0.0.1"},
        {"0x7F000001", "127.0.0.1"},
        {"127.0.1", "127.0.0.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"0x7f.0x0.0x0.0x1", "127.0.0.1"},
        {"0", "0.0.0.0"},
        {"0x", "0.0.0.0"},
        {"1.2.3.4", "1.2.3.4"},
        {"192.168.257", "192.168.1.1"},
        {"10.65537", "10.1.0.1"},
        {"4294967295", "255.255.255.255"},
        {"0xA9FEA9FE", "169.254.169.254"},
        {"00000000177.1", "127.0.0.1"},
    };

    for (auto const& [written, meant] : table) EXPECT_EQ(host_of(written), meant) << written;
}

TEST(Url, RefusesNumbersThatAreNoAddress) {
    for (auto const* const host :
         {"256.0.0.1", "1.2.3.256", "1.2.3.4.5", "4294967296", "99999999999999999999999", "1.2.65536", "1.16777216",
          "a.b.1", "example.0x1", "08.1", "0xg.1", "1..2", "1.2.3.0x100", "0x7f.0.0.0x1ff", "-1", "a.-1.1"})
        EXPECT_EQ(host_of(host), std::string_view(host) == "-1" ? "-1" : "refused") << host;
}

TEST(Url, TakesIpv6InBracketsAndUnwrapsMappedIpv4) {
    EXPECT_EQ(host_of("[::1]"), "::1");
    EXPECT_EQ(host_of("[2001:DB8:0:0::1]"), "2001:db8::1");
    EXPECT_EQ(host_of("[::ffff:127.0.0.1]"), "127.0.0.1");
    EXPECT_EQ(host_of("[::ffff:7f00:1]"), "127.0.0.1");
    EXPECT_EQ(Url::parse("udp://[::1]:80/a")->authority(), "[::1]:80");
    EXPECT_EQ(Url::parse("http://[::1]/")->port, 80);
    for (auto const* const host :
         {"[fe80::1%25eth0]", "[::1", "::1]", "[]", "[127.0.0.1]", "[::1]x", "[[::1]]", "[:::1]"})
        EXPECT_EQ(host_of(host), "refused") << host;
}

TEST(Url, RefusesHostsOutsideAsciiAndTakesTheirXnForm) {
    EXPECT_EQ(error_of("http://bt1.archiv\xef\xbd\x85.org/announce"),
              "the host has characters outside ASCII; write it in its xn-- form, like xn--bcher-kva.example");
    EXPECT_EQ(host_of("xn--bcher-kva.example"), "xn--bcher-kva.example");
    EXPECT_EQ(host_of("127\xe3\x80\x82"
                      "0.0.1"),
              "refused");
    EXPECT_EQ(host_of("%31%32%37.0.0.1"), "refused");
}

TEST(Url, RefusesHostsThatNoNameCanHave) {
    for (auto const& host :
         {std::string(""), std::string("a b"), std::string("a..b"), std::string("."), std::string(".a"),
          std::string("a,b"), std::string(64, 'a'), std::string("a\0b", 3), std::string("a<b"), std::string("a*b")})
        EXPECT_EQ(host_of(host), "refused") << host;
    EXPECT_EQ(host_of(std::string(63, 'a')), std::string(63, 'a'));
    EXPECT_EQ(host_of("under_score.example."), "under_score.example");
    std::string long_name;
    for (int i = 0; i < 64; ++i) long_name += "abc.";
    EXPECT_EQ(host_of(long_name), "refused");
}

TEST(Url, RefusesPortsThatAreNone) {
    for (auto const* const port : {"0", "65536", "-1", "80x", "0x50", " 80", "999999999999"})
        EXPECT_EQ(error_of("http://a:" + std::string(port) + "/"), "the URL's port is no number between 1 and 65535")
            << port;
    EXPECT_EQ(Url::parse("http://a:65535")->port, 65535);
}

TEST(Url, RefusesOtherSchemesByName) {
    EXPECT_EQ(error_of("wss://a/"), "URLs of the kind wss: are not supported; http, https and udp are");
    EXPECT_EQ(error_of("file:///etc/passwd"), "URLs of the kind file: are not supported; http, https and udp are");
    EXPECT_EQ(error_of("http:/a"), "the URL lacks // after http:");
    for (auto const* const text : {"", "a", "//a/b", "/etc/passwd", "://a", "1http://a", "ht tp://a"})
        EXPECT_EQ(error_of(text), "the URL does not begin with http://, https:// or udp://") << text;
}

TEST(Url, RefusesWhatIsTooLong) {
    EXPECT_EQ(error_of("http://a/" + std::string(limit::kUrlBytes, 'x')), "the URL is longer than 8 KiB");
}

TEST(Url, ResolvesRedirects) {
    auto const base = Url::parse("http://me@a.example:81/x/y/z?q=1").value();
    auto const to = [&](std::string_view location) {
        auto const url = base.resolve(location);
        return url ? url->text() : "refused";
    };

    EXPECT_EQ(to("https://b/c"), "https://b/c");
    EXPECT_EQ(to("//b/c"), "http://b/c");
    EXPECT_EQ(to("/c?d"), "http://a.example:81/c?d");
    EXPECT_EQ(to("c"), "http://a.example:81/x/y/c");
    EXPECT_EQ(to("./c/"), "http://a.example:81/x/y/c/");
    EXPECT_EQ(to("../c"), "http://a.example:81/x/c");
    EXPECT_EQ(to("../../../../c"), "http://a.example:81/c");
    EXPECT_EQ(to(".."), "http://a.example:81/x/");
    EXPECT_EQ(to("?r=2"), "http://a.example:81/x/y/z?r=2");
    EXPECT_EQ(to("#f"), "http://a.example:81/x/y/z?q=1");
    EXPECT_EQ(to("/../../?a=/../b"), "http://a.example:81/?a=/../b");
    EXPECT_EQ(to(""), "refused");
    EXPECT_EQ(to("javascript:alert(1)"), "refused");
    EXPECT_EQ(to("file:///etc/passwd"), "refused");
    EXPECT_EQ(to("//127.1/"), "http://127.0.0.1/");
    EXPECT_EQ(base.resolve("c")->user_info, "me");
    EXPECT_EQ(base.resolve("http://b/")->user_info, "");
}

TEST(Url, TextParsesToTheSameUrl) {
    for (auto const* const text :
         {"http://a/", "https://a.b:1/c?d", "udp://[::1]:6969/announce", "http://1.2.3.4:8080/%20"}) {
        auto const url = Url::parse(text).value();
        EXPECT_EQ(Url::parse(url.text()).value(), url) << text;
    }
}

TEST(PercentEncoding, EscapesAllButUnreservedCharactersAndComesBack) {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);

    auto const encoded = percent_encode(all);

    EXPECT_EQ(percent_decode(encoded).value(), all);
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode(" /?&=+\xff"), "%20%2F%3F%26%3D%2B%FF");
    for (auto const* const bad : {"%", "%4", "%g0", "a%0g", "%-1", "x%"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

}  // namespace
}  // namespace rqfs::torrent
