#include "tools/control/request_target.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace {

using namespace rqfs::tools;

TEST(RequestTarget, SplitsPathAndQuery) {
    auto const target = RequestTarget::parse("/v1/torrents/a%20b%2Fc/?paused=true&name=x%3dy&flag").value();

    EXPECT_EQ(target.path, (std::vector<std::string>{"v1", "torrents", "a b/c"}));
    EXPECT_EQ(target.query, (std::map<std::string, std::string>{{"paused", "true"}, {"name", "x=y"}, {"flag", ""}}));
}

TEST(RequestTarget, RefusesBrokenEscapes) {
    for (std::string const text : {"", "v1", "http://x/", "/v1/%", "/v1/%4", "/v1/%zz", "/v1?a=%1"})
        EXPECT_FALSE(RequestTarget::parse(text)) << text;
}

TEST(RequestTarget, ReadsBackEveryByte) {
    std::string all;
    for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));

    auto const target = RequestTarget::parse("/" + percent_encode(all)).value();

    EXPECT_EQ(target.path, std::vector<std::string>{all});
}

}  // namespace
