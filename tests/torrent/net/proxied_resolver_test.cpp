#include "torrent/net/proxied_resolver.h"

#include "tests/support/run_engine.h"
#include "torrent/limits.h"
#include "torrent/net/address_policy.h"
#include "torrent/net/placeholder_address.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using tests::run_engine;

class ProxiedResolverTest : public ::testing::Test {
protected:
    Address resolve(std::string const& host) {
        auto const all = run_engine(engine, resolver.resolve(host));
        EXPECT_EQ(all.size(), 1u);
        return all.at(0);
    }
    std::string name_of(Address const& address) {
        auto const target = resolver.target({address, 80});
        return target ? target->text() : "forgotten";
    }

    boost::asio::io_context engine{1};
    ProxiedResolver resolver;
};

TEST_F(ProxiedResolverTest, GivesEveryNameAPlaceholderAndTakesItBack) {
    auto const one = resolve("One.Example");
    auto const two = resolve("two.example");

    EXPECT_NE(one, two);
    EXPECT_TRUE(is_placeholder(one));
    EXPECT_EQ(resolve("one.example"), one);
    EXPECT_EQ(name_of(one), "one.example:80");
    EXPECT_EQ(name_of(two), "two.example:80");
}

TEST_F(ProxiedResolverTest, LiteralsAnswerThemselves) {
    for (auto const* const text : {"1.2.3.4", "fd77::1", "127.0.0.1"}) {
        auto const address = resolve(text);

        EXPECT_EQ(address.text(), text);
        EXPECT_FALSE(resolver.stands_for_name(address));
        EXPECT_EQ(resolver.target({address, 80}), (ProxyTarget{{}, address, 80}));
    }
}

TEST_F(ProxiedResolverTest, NobodyButItselfHandsOutPlaceholders) {
    auto const placeholder = resolve("one.example");

    EXPECT_THROW(resolve(placeholder.text()), boost::system::system_error);
    EXPECT_TRUE(resolver.stands_for_name(placeholder));
    EXPECT_FALSE(may_fetch_from(placeholder, true));
    for (auto const source : {AddressSource::user, AddressSource::tracker, AddressSource::pex, AddressSource::dht})
        EXPECT_FALSE(may_dial({placeholder, 6881}, source, true));
}

TEST_F(ProxiedResolverTest, TheProxysOwnMachineIsNoName) {
    EXPECT_EQ(resolve("localhost").text(), "127.0.0.1");
    EXPECT_EQ(resolve("LOCALHOST.").text(), "127.0.0.1");
    EXPECT_EQ(resolve("a.localhost").text(), "127.0.0.1");
    EXPECT_TRUE(is_placeholder(resolve("notlocalhost")));
}

TEST_F(ProxiedResolverTest, RefusesWhatWouldNotFitIntoARequest) {
    for (auto const& name : {std::string(), std::string(256, 'a'), std::string("a b"), std::string("a\r\nb"),
                             std::string("a\0b", 3), std::string("a:b"), std::string("\xc3\xa4")})
        EXPECT_THROW(resolve(name), boost::system::system_error) << name;
    EXPECT_TRUE(is_placeholder(resolve(std::string(255, 'a'))));
}

TEST_F(ProxiedResolverTest, ForgetsTheNameThatWasLongestUnused) {
    auto const used = resolve("used.example");
    auto const forgotten = resolve("unused.example");
    for (std::size_t i = 2; i < limit::kProxyNames; ++i) resolve(std::to_string(i) + ".example");
    EXPECT_EQ(name_of(used), "used.example:80");

    auto const fresh = resolve("one.more.example");

    EXPECT_EQ(name_of(used), "used.example:80");
    EXPECT_EQ(name_of(forgotten), "forgotten");
    EXPECT_FALSE(resolver.stands_for_name(forgotten));
    EXPECT_EQ(name_of(fresh), "one.more.example:80");
    EXPECT_NE(resolve("unused.example"), forgotten) << "an old placeholder never gets another meaning";
}

TEST(PlaceholderAddress, AnswersForItsPortAlone) {
    auto const of = [](char const* text) { return Endpoint::parse(text).value(); };

    EXPECT_TRUE(may_answer_for(of("1.2.3.4:80"), of("0.0.0.1:80")));
    EXPECT_TRUE(may_answer_for(of("[fd77::1]:80"), of("0.0.0.1:80")));
    EXPECT_FALSE(may_answer_for(of("1.2.3.4:81"), of("0.0.0.1:80")));
    EXPECT_TRUE(may_answer_for(of("1.2.3.4:80"), of("1.2.3.4:80")));
    EXPECT_FALSE(may_answer_for(of("1.2.3.5:80"), of("1.2.3.4:80")));
    EXPECT_FALSE(may_answer_for(of("1.2.3.4:80"), of("0.0.0.0:80"))) << "nobody's placeholder";
}

}  // namespace
}  // namespace rqfs::torrent
