#include "torrent/net/proxied_connector.h"

#include "tests/support/debug_log.h"
#include "tests/support/run_virtual.h"
#include "tests/support/scripted_proxy.h"
#include "tests/support/virtual_clock.h"
#include "torrent/error.h"
#include "torrent/net/proxy_error.h"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using boost::system::system_error;
using std::chrono::seconds;
using tests::ScriptedProxy;
using Afterwards = ScriptedProxy::Afterwards;

std::string const kNoLogin("\x05\x00", 2);
std::string const kDone("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10);
constexpr Duration kLimit = seconds(8);

// A name, and what it is now.
class Names final : public Resolver {
public:
    asio::awaitable<std::vector<Address>> resolve(std::string host) override {
        asked.push_back(host);
        if (answer.empty()) throw system_error(asio::error::host_not_found, "the name " + host + " is not known");
        co_return answer;
    }
    std::vector<Address> answer{Address::parse("10.0.0.1").value()};
    std::vector<std::string> asked;
};

std::size_t times(std::string const& text, std::string const& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

class ProxiedConnectorTest : public ::testing::Test {
protected:
    ~ProxiedConnectorTest() override {
        stream.reset();
        tests::run_virtual(engine, clock, network.stop());
    }

    void use(std::string const& text) {
        proxy = ProxyAddress::parse(text).value();
        dialer.emplace(clock, network, lookup, proxy);
        connector.emplace(clock, *dialer, names);
    }
    void speak_socks5(std::string const& answer, std::size_t request_bytes = 10) {
        use("socks5://10.0.0.1:1080");
        network.script = {{3, kNoLogin}, {request_bytes, answer}};
    }
    void speak_http(std::string const& answer) {
        use("http://10.0.0.1:3128");
        network.script = {{std::string("CONNECT 1.2.3.4:80 HTTP/1.1\r\nHost: 1.2.3.4:80\r\n\r\n").size(), answer}};
    }
    void connect(std::string const& to = "1.2.3.4:80") {
        stream = tests::run_virtual(engine, clock, connector->connect(Endpoint::parse(to).value(), kLimit));
    }
    // What is said when it does not come to a connection.
    boost::system::error_code fail() {
        try {
            connect();
        } catch (system_error const& e) {
            failure = sentence(e);
            EXPECT_NE(failure.find("the proxy 10.0.0.1:"), std::string::npos) << failure;
            EXPECT_FALSE(e.code().category() == torrent_category()) << "the target was not reached";
            return e.code();
        }
        ADD_FAILURE() << "connected";
        return {};
    }
    std::string read(std::size_t most = 100) {
        std::string bytes(most, '\0');
        auto const buffer = asio::buffer(bytes);
        bytes.resize(tests::run_virtual(engine, clock, stream->read_some(buffer)));
        return bytes;
    }
    void write(std::string const& text) {
        std::array<asio::const_buffer, 1> const one{asio::buffer(text)};
        std::span<asio::const_buffer const> const view(one);
        tests::run_virtual(engine, clock, stream->write(view));
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    ScriptedProxy network{engine.get_executor()};
    Names lookup;
    ProxiedResolver names;
    ProxyAddress proxy;
    std::optional<ProxyDialer> dialer;
    std::optional<ProxiedConnector> connector;
    std::unique_ptr<StreamSocket> stream;
    std::string failure;
};

TEST_F(ProxiedConnectorTest, ReachesAnAddressThroughSocks5) {
    speak_socks5(kDone);

    connect();

    EXPECT_EQ(network.dialled, std::vector<Endpoint>{Endpoint::parse("10.0.0.1:1080").value()});
    EXPECT_EQ(network.received.at(0), std::string("\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50", 13));
    EXPECT_EQ(stream->remote().text(), "1.2.3.4:80");
    EXPECT_EQ(stream->local(), Endpoint());
    write("hello");
    EXPECT_EQ(read(), "hello");
}

TEST_F(ProxiedConnectorTest, ReachesAnAddressThroughHttp) {
    speak_http("HTTP/1.1 200 Connection established\r\n\r\n");

    connect();

    EXPECT_EQ(stream->remote().text(), "1.2.3.4:80");
    write("hello");
    EXPECT_EQ(read(), "hello");
}

TEST_F(ProxiedConnectorTest, TheProxyLooksUpNames) {
    speak_socks5(kDone, 17);
    auto const placeholder = tests::run_virtual(engine, clock, names.resolve("tracker.ab")).at(0);

    connect(Endpoint{placeholder, 80}.text());

    EXPECT_EQ(network.received.at(0).substr(3), std::string("\x05\x01\x00\x03\x0atracker.ab\x00\x50", 17));
    EXPECT_EQ(lookup.asked, std::vector<std::string>{"10.0.0.1"});
}

TEST_F(ProxiedConnectorTest, APlaceholderThatWasForgottenLeadsNowhere) {
    speak_socks5(kDone);

    EXPECT_THROW(connect("0.0.0.9:80"), system_error);
    EXPECT_TRUE(network.dialled.empty());
}

TEST_F(ProxiedConnectorTest, LogsInToSocks5) {
    use("socks5://ab:c@10.0.0.1:1080");
    network.script = {{4, std::string("\x05\x02", 2)}, {6, std::string("\x01\x00", 2)}, {10, kDone}};

    connect();

    EXPECT_EQ(network.received.at(0).substr(0, 10), std::string("\x05\x02\x00\x02\x01\x02"
                                                                "ab\x01"
                                                                "c",
                                                                10));
}

TEST_F(ProxiedConnectorTest, DoesNotLogInWhereNobodyAsks) {
    use("socks5://ab:c@10.0.0.1:1080");
    network.script = {{4, kNoLogin}, {10, kDone}};

    connect();

    EXPECT_EQ(network.received.at(0).find("ab"), std::string::npos);
}

TEST_F(ProxiedConnectorTest, SaysThatALoginIsNotAccepted) {
    use("socks5://ab:c@10.0.0.1:1080");
    network.script = {{4, std::string("\x05\x02", 2)}, {6, std::string("\x01\x01", 2)}};

    EXPECT_EQ(fail(), ProxyErrc::login_refused);
    EXPECT_EQ(failure, "the proxy 10.0.0.1:1080 refused 1.2.3.4:80: it does not accept the user and password");
}

TEST_F(ProxiedConnectorTest, SaysThatALoginIsMissing) {
    use("socks5://10.0.0.1:1080");
    network.script = {{3, "\x05\xff"}};
    EXPECT_EQ(fail(), ProxyErrc::login_needed);

    speak_http("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
    EXPECT_EQ(fail(), ProxyErrc::login_needed);
}

TEST_F(ProxiedConnectorTest, SaysWhyItWasRefused) {
    for (char code = 1; code <= 8; ++code) {
        auto answer = kDone;
        answer[1] = code;
        speak_socks5(answer);

        EXPECT_EQ(fail(), static_cast<ProxyErrc>(code));
    }
    speak_socks5(std::string("\x05\x02\x00\x01", 4));
    EXPECT_EQ(fail(), ProxyErrc::not_allowed) << "though it is cut short";
    EXPECT_EQ(failure, "the proxy 10.0.0.1:1080 refused 1.2.3.4:80: not allowed by its rules");
    speak_http("HTTP/1.0 403 Filtered\r\n\r\n<html>");
    EXPECT_EQ(fail(), ProxyErrc::not_allowed);
}

TEST_F(ProxiedConnectorTest, KnowsWhatIsNoProxy) {
    for (std::string const& greeting : {std::string("\x04\x5a", 2), std::string("HT"), std::string("\x05\x01", 2)}) {
        use("socks5://10.0.0.1:1080");
        network.script = {{3, greeting}};
        EXPECT_EQ(fail(), ProxyErrc::malformed);
    }
    speak_socks5(std::string("\x05\x00\x00\x07\x00\x00\x00\x00\x00\x00", 10));
    EXPECT_EQ(fail(), ProxyErrc::malformed);
    speak_http("220 mail.example ESMTP\r\n\r\n");
    EXPECT_EQ(fail(), ProxyErrc::malformed);
    speak_http(std::string(20'000, 'x'));
    EXPECT_EQ(fail(), ProxyErrc::malformed) << "a head without an end";
}

TEST_F(ProxiedConnectorTest, AProxyThatHangsUpOrFallsSilentAnywhereIsAFailure) {
    std::string const http = "HTTP/1.1 200 OK\r\n\r\n";
    for (auto const afterwards : {Afterwards::close, Afterwards::fall_silent}) {
        network.afterwards = afterwards;
        bool const closes = afterwards == Afterwards::close;
        auto const expected = closes ? make_error_code(ProxyErrc::closed) : make_error_code(asio::error::timed_out);
        for (std::size_t size = 0; size < kDone.size(); ++size) {
            speak_socks5(kDone.substr(0, size));
            EXPECT_EQ(fail(), expected) << size;
        }
        for (std::size_t size = 0; size < kNoLogin.size(); ++size) {
            use("socks5://10.0.0.1:1080");
            network.script = {{3, kNoLogin.substr(0, size)}};
            EXPECT_EQ(fail(), closes ? ProxyErrc::closed : ProxyErrc::silent) << size;
        }
        for (std::size_t size = 0; size < http.size(); ++size) {
            speak_http(http.substr(0, size));
            EXPECT_EQ(fail(), expected) << size;
        }
    }
}

TEST_F(ProxiedConnectorTest, AProxyThatDoesNotEvenLogUsInIsInTroubleItselfUntilItDoes) {
    use("socks5://10.0.0.1:1080");
    network.script = {{3, ""}};
    network.afterwards = Afterwards::fall_silent;
    auto const begin = clock.now();

    EXPECT_EQ(fail(), ProxyErrc::silent);

    EXPECT_LT(clock.now() - begin, kLimit);
    EXPECT_EQ(dialer->trouble(), "the proxy 10.0.0.1:1080: it does not answer");
    network.script = {{3, kNoLogin}, {10, ""}};
    EXPECT_EQ(fail(), asio::error::timed_out);
    EXPECT_EQ(dialer->trouble(), "");
}

TEST_F(ProxiedConnectorTest, ThatItIsInTroubleIsLoggedWhenItBeginsAndWhenItIsOver) {
    tests::DebugLog const log;
    speak_socks5(kDone);
    auto const good = network.script;
    network.afterwards = Afterwards::close;
    for (int dial = 0; dial < 3; ++dial) {
        network.script = {{3, ""}};
        EXPECT_EQ(fail(), ProxyErrc::closed);
    }
    auto const began = log.text();
    for (int dial = 0; dial < 2; ++dial) {
        network.script = good;
        connect();
    }

    EXPECT_EQ(times(began, "that is in trouble error=\"the proxy 10.0.0.1:1080"), 1u) << began;
    EXPECT_EQ(times(began, "of service again"), 0u);
    EXPECT_EQ(times(log.text(), "the proxy is of service again proxy=socks5://10.0.0.1:1080"), 1u) << log.text();
}

TEST_F(ProxiedConnectorTest, ThatItIsThereAndAwayByTurnsDoesNotFillTheLog) {
    tests::DebugLog const log;
    speak_socks5(kDone);
    auto const good = network.script;
    network.afterwards = Afterwards::close;
    for (int turn = 0; turn < 100; ++turn) {
        network.script = {{3, ""}};
        EXPECT_EQ(fail(), ProxyErrc::closed);
        network.script = good;
        connect();
    }

    EXPECT_EQ(times(log.text(), "that is in trouble"), 1u) << log.text();
}

TEST_F(ProxiedConnectorTest, ATargetThatTheProxyDoesNotReachInTimeIsNoTroubleOfIts) {
    speak_socks5("");
    network.afterwards = Afterwards::fall_silent;
    auto const begin = clock.now();

    EXPECT_EQ(fail(), asio::error::timed_out);

    EXPECT_EQ(clock.now() - begin, kLimit);
    EXPECT_EQ(dialer->trouble(), "");
}

TEST_F(ProxiedConnectorTest, ThatItHangsUpOnWhatIsAskedForStaysItsTroubleThoughItLogsUsIn) {
    speak_socks5("");
    network.afterwards = Afterwards::close;
    EXPECT_EQ(fail(), ProxyErrc::closed);
    auto const trouble = dialer->trouble();

    tests::run_virtual(engine, clock, dialer->dial(kLimit, "to relay datagrams"));

    EXPECT_EQ(trouble, "the proxy 10.0.0.1:1080 refused 1.2.3.4:80: it ended the connection instead of answering");
    EXPECT_EQ(dialer->trouble(), trouble);
}

TEST_F(ProxiedConnectorTest, RepliesMayComeByteByByte) {
    network.most_bytes_a_read = 1;
    speak_socks5(kDone);
    connect();
    speak_http("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n");
    connect();

    write("x");
    EXPECT_EQ(read(), "x");
}

TEST_F(ProxiedConnectorTest, WhatComesWithTheReplyIsTheTargets) {
    speak_http("HTTP/1.1 200 OK\r\n\r\nfirst words");

    connect();

    EXPECT_EQ(read(5), "first");
    EXPECT_EQ(read(), " words");
    write("again");
    EXPECT_EQ(read(), "again");
}

TEST_F(ProxiedConnectorTest, AProxyThatIsDownIsNamed) {
    speak_socks5(kDone);
    network.up = false;

    EXPECT_EQ(fail(), ProxyErrc::unreachable);
    EXPECT_EQ(failure,
              "the proxy 10.0.0.1:1080 (cannot connect to 10.0.0.1:1080: Connection refused): it cannot be reached");
}

TEST(ProxyError, KnowsTheProxysTroubleFromTheTargets) {
    for (auto const code : {ProxyErrc::unreachable, ProxyErrc::closed, ProxyErrc::login_refused, ProxyErrc::malformed})
        EXPECT_TRUE(is_trouble_with_proxy(code));
    for (auto const code : {ProxyErrc::connection_refused, ProxyErrc::host_unreachable, ProxyErrc::failure})
        EXPECT_FALSE(is_trouble_with_proxy(code));
    EXPECT_FALSE(is_trouble_with_proxy(asio::error::timed_out));
}

TEST_F(ProxiedConnectorTest, TheProxysOwnNameIsLookedUpNowAndThen) {
    speak_socks5(kDone);
    use("socks5://proxy.example:1080");
    connect();
    connect();
    EXPECT_EQ(lookup.asked, std::vector<std::string>{"proxy.example"});
    lookup.answer = {Address::parse("10.0.0.2").value()};
    clock.run_for(engine, seconds(61));

    connect();

    EXPECT_EQ(lookup.asked.size(), 2u);
    EXPECT_EQ(network.dialled.back().text(), "10.0.0.2:1080");
}

TEST_F(ProxiedConnectorTest, WhereItsNameIsNotFoundTheLastAddressGoesOn) {
    speak_socks5(kDone);
    use("socks5://proxy.example:1080");
    connect();
    lookup.answer.clear();
    clock.run_for(engine, seconds(61));

    connect();

    EXPECT_EQ(network.dialled.back().text(), "10.0.0.1:1080");
}

TEST_F(ProxiedConnectorTest, AProxyWithoutAnAddressIsUnreachable) {
    use("socks5://proxy.example:1080");
    lookup.answer.clear();

    EXPECT_THROW(connect(), system_error);
    EXPECT_TRUE(network.dialled.empty()) << "nothing goes anywhere else";
}

}  // namespace
}  // namespace rqfs::torrent
