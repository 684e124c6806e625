#include "torrent/net/proxy_address.h"

#include <gtest/gtest.h>

#include <string>

namespace rqfs::torrent {
namespace {

TEST(ProxyAddress, ReadsBothKinds) {
    auto const socks = ProxyAddress::parse("socks5://proxy.example:1080");
    auto const http = ProxyAddress::parse("http://10.0.0.1:3128/");

    ASSERT_TRUE(socks && http);
    EXPECT_EQ(socks->kind, ProxyAddress::Kind::socks5);
    EXPECT_EQ(socks->place(), "proxy.example:1080");
    EXPECT_FALSE(socks->has_login());
    EXPECT_EQ(http->kind, ProxyAddress::Kind::http);
    EXPECT_EQ(http->text(), "http://10.0.0.1:3128");
}

TEST(ProxyAddress, ReadsAnIPv6Address) {
    auto const proxy = ProxyAddress::parse("socks5://[fd77::1]:1080");

    ASSERT_TRUE(proxy);
    EXPECT_EQ(proxy->host, "fd77::1");
    EXPECT_EQ(proxy->text(), "socks5://[fd77::1]:1080");
}

TEST(ProxyAddress, KeepsTheLoginToItself) {
    auto const proxy = ProxyAddress::parse("socks5://anna:p%40ss:word@proxy.example:1080");

    ASSERT_TRUE(proxy);
    EXPECT_EQ(proxy->user, "anna");
    EXPECT_EQ(proxy->password, "p@ss:word");
    EXPECT_EQ(proxy->text(), "socks5://proxy.example:1080");
}

TEST(ProxyAddress, TakesLoginsOfUpTo255Bytes) {
    std::string const most(255, 'x');

    EXPECT_TRUE(ProxyAddress::parse("socks5://" + most + ":" + most + "@a:1"));
    EXPECT_FALSE(ProxyAddress::parse("socks5://" + most + "x:y@a:1"));
    EXPECT_FALSE(ProxyAddress::parse("socks5://x:" + most + "y@a:1"));
}

TEST(ProxyAddress, RefusesWhatIsNoneWithoutRepeatingIt) {
    for (auto const* const text : {"",
                                   "proxy:1080",
                                   "socks4://proxy:1080",
                                   "https://proxy:1",
                                   "socks5://",
                                   "socks5://proxy",
                                   "socks5://proxy:",
                                   "socks5://proxy:0",
                                   "socks5://proxy:65536",
                                   "socks5://proxy:1080x",
                                   "socks5://:1080",
                                   "socks5://[fd77::1]",
                                   "socks5://[fd77::1:1080",
                                   "socks5://secret@proxy:1",
                                   "socks5://:secret@proxy:1",
                                   "socks5://secret:@proxy:1",
                                   "socks5://secret%:x@proxy:1",
                                   "socks5://u:secret@pro xy:1",
                                   "http://se%3acret:x@proxy:1",
                                   "socks5://u:secret@proxy",
                                   "socks5://proxy:1080/secret",
                                   "SOCKS5:secret"}) {
        auto const proxy = ProxyAddress::parse(text);

        ASSERT_FALSE(proxy) << text;
        EXPECT_FALSE(proxy.error().what.empty());
        EXPECT_EQ(proxy.error().what.find("secret"), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace rqfs::torrent
