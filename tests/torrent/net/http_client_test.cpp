#include "torrent/net/http_client.h"

#include "tests/support/fake_tracker.h"
#include "tests/support/run_engine.h"
#include "tests/support/sanitized.h"
#include "torrent/clock.h"
#include "torrent/error.h"
#include "torrent/net/resolver.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using tests::FakeTracker;
using tests::run_engine;

// Answers from a table that the test fills; literals answer themselves.
class TableResolver final : public Resolver {
public:
    asio::awaitable<std::vector<Address>> resolve(std::string host) override {
        ++lookups;
        if (auto const literal = Address::parse(host)) co_return std::vector<Address>(1, *literal);
        auto const found = names.find(host);
        if (found == names.end())
            throw boost::system::system_error(asio::error::host_not_found, "the name " + host + " is not known");
        co_return found->second;
    }
    std::map<std::string, std::vector<Address>> names;
    std::size_t lookups = 0;
};

std::string gzip(std::string_view plain, std::size_t repeat = 1) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    std::string out(64 << 20 >> 6, '\0');
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    std::string input(plain);
    for (std::size_t i = 0; i < repeat; ++i) {
        stream.next_in = reinterpret_cast<Bytef*>(input.data());
        stream.avail_in = static_cast<uInt>(input.size());
        deflate(&stream, i + 1 == repeat ? Z_FINISH : Z_NO_FLUSH);
    }
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

long resident_kib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

class HttpClientTest : public ::testing::Test {
protected:
    ~HttpClientTest() override { run_engine(engine, server.stop()); }

    struct Outcome {
        unsigned status = 0;
        std::string body;
        std::string error;
        boost::system::error_code code;
    };

    Outcome get(std::string const& url, bool trusted = true, Duration time = seconds(10),
                std::size_t max_bytes = limit::kTrackerReplyBytes) {
        HttpClient::Request request{Url::parse(url).value(), max_bytes, time, trusted, {}};
        Outcome outcome;
        try {
            auto const response = run_engine(engine, client.get(std::move(request)));
            outcome.status = response.status;
            outcome.body.assign(reinterpret_cast<char const*>(response.body.data()), response.body.size());
        } catch (boost::system::system_error const& e) {
            outcome.error = sentence(e);
            outcome.code = e.code();
        }
        return outcome;
    }
    void answer(std::string const& whole, bool hold_open = false) {
        FakeTracker::Answer const fixed{{whole}, {}, hold_open};
        server.answer_http([fixed](std::string const&) { return fixed; });
    }

    asio::io_context engine{1};
    SteadyClock clock;
    TableResolver resolver;
    TcpConnector connector{clock};
    HttpClient client{clock, connector, resolver, false};
    FakeTracker server{engine.get_executor()};
};

TEST_F(HttpClientTest, NamesACommonProgramWhenItHidesItsOwn) {
    server.answer_http([](auto const&) { return FakeTracker::ok("hello"); });
    client.hide_program();

    get(server.http_url("/a"));

    EXPECT_NE(server.headers().at(0).find("\r\nUser-Agent: curl/7.81.0\r\n"), std::string::npos);
    EXPECT_EQ(server.headers().at(0).find("rqfs"), std::string::npos);
}

TEST_F(HttpClientTest, FetchesABodyAndSaysWhoItIs) {
    server.answer_http([](auto const&) { return FakeTracker::ok("hello"); });

    auto const outcome = get(server.http_url("/a?b=%20"));

    EXPECT_EQ(outcome.status, 200u);
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(server.targets().at(0), "/a?b=%20");
    EXPECT_NE(server.headers().at(0).find("\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"),
              std::string::npos);
    EXPECT_NE(server.headers().at(0).find("\r\nUser-Agent: rqfs/"), std::string::npos);
}

TEST_F(HttpClientTest, ReadsEveryWayOfFramingABody) {
    answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n");
    EXPECT_EQ(get(server.http_url()).body, "abcde");
    answer("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    EXPECT_EQ(get(server.http_url()).body, "until the end");
    answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true);
    EXPECT_EQ(get(server.http_url()).body, "hi");
    answer("HTTP/1.1 204 No Content\r\n\r\n", true);
    EXPECT_EQ(get(server.http_url()).status, 204u);
}

TEST_F(HttpClientTest, ReadsAnAnswerThatComesByteByByte) {
    FakeTracker::Answer slow;
    auto const whole = FakeTracker::ok("slow body").parts.at(0);
    for (auto const c : whole) slow.parts.emplace_back(1, c);
    slow.pause = milliseconds(1);
    server.answer_http([slow](auto const&) { return slow; });

    EXPECT_EQ(get(server.http_url()).body, "slow body");
}

TEST_F(HttpClientTest, SendsUserAndPasswordOfTheUrl) {
    auto const url = "http://us%40er:pass@127.0.0.1:" + std::to_string(server.port()) + "/";

    get(url);

    EXPECT_NE(server.headers().at(0).find("\r\nAuthorization: Basic dXNAZXI6cGFzcw==\r\n"), std::string::npos);
}

TEST_F(HttpClientTest, EndsInTimeWhenABodyNeverDoes) {
    answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true);
    auto const begin = std::chrono::steady_clock::now();

    auto const outcome = get(server.http_url(), true, milliseconds(300));

    EXPECT_EQ(outcome.code, make_error_code(Errc::timed_out));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(2));
}

TEST_F(HttpClientTest, EndsInTimeWhenABodyDripsForEver) {
    FakeTracker::Answer drip;
    drip.parts.push_back("HTTP/1.1 200 OK\r\n\r\n");
    drip.parts.resize(10'000, "x");
    drip.pause = milliseconds(5);
    server.answer_http([drip](auto const&) { return drip; });

    EXPECT_EQ(get(server.http_url(), true, milliseconds(300)).code, make_error_code(Errc::timed_out));
}

TEST_F(HttpClientTest, RefusesBodiesOverTheLimitHoweverTheyAreFramed) {
    std::string const huge(300'000, 'x');
    answer("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", true);
    EXPECT_EQ(get(server.http_url(), true, seconds(10), 100'000).code, make_error_code(Errc::too_large));
    answer("HTTP/1.1 200 OK\r\n\r\n" + huge);
    EXPECT_EQ(get(server.http_url(), true, seconds(10), 100'000).code, make_error_code(Errc::too_large));
    answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n" + huge + "\r\n0\r\n\r\n");
    EXPECT_EQ(get(server.http_url(), true, seconds(10), 100'000).code, make_error_code(Errc::too_large));
    answer("HTTP/1.1 200 OK\r\nX: " + huge + "\r\n\r\n");
    EXPECT_EQ(get(server.http_url(), true, seconds(10), 100'000).code, make_error_code(Errc::too_large));
}

TEST_F(HttpClientTest, RefusesNonsenseWithASentence) {
    for (std::string const head :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
          "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "HTTP/1.1 99999 OK\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
          "\x16\x03\x01\x02", "", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "\r\n\r\n\r\n"}) {
        answer(head);
        auto const outcome = get(server.http_url(), true, seconds(2));
        EXPECT_EQ(outcome.code.category(), torrent_category()) << head;
        EXPECT_NE(outcome.code, make_error_code(Errc::timed_out)) << head;
        EXPECT_NE(outcome.error.find("127.0.0.1"), std::string::npos) << head << outcome.error;
    }
}

TEST_F(HttpClientTest, UnpacksGzip) {
    auto const packed = gzip("some text");
    server.answer_http([packed](auto const&) { return FakeTracker::ok(packed, "Content-Encoding: gzip\r\n"); });

    EXPECT_EQ(get(server.http_url()).body, "some text");
    EXPECT_NE(server.headers().at(0).find("\r\nAccept-Encoding: gzip\r\n"), std::string::npos);
}

TEST_F(HttpClientTest, StopsUnpackingABombAtTheLimit) {
    auto const bomb = gzip(std::string(1 << 20, '\0'), 512);
    ASSERT_LT(bomb.size(), limit::kTrackerReplyBytes);
    server.answer_http([&](auto const&) { return FakeTracker::ok(bomb, "Content-Encoding: gzip\r\n"); });
    get(server.http_url());
    auto const before = resident_kib();

    auto const outcome = get(server.http_url());

    EXPECT_EQ(outcome.code, make_error_code(Errc::too_large));
    EXPECT_NE(outcome.error.find("unpack"), std::string::npos) << outcome.error;
    if (!tests::kSanitized) {
        EXPECT_LT(resident_kib() - before, 6 << 10);
    }
}

TEST_F(HttpClientTest, RefusesDamagedGzip) {
    auto packed = gzip("some text that is long enough to be cut");
    for (auto const& body : {packed.substr(0, packed.size() / 2), std::string("not gzip"), std::string()}) {
        server.answer_http([&](auto const&) { return FakeTracker::ok(body, "Content-Encoding: gzip\r\n"); });
        EXPECT_EQ(get(server.http_url()).code, make_error_code(Errc::malformed)) << body.size();
    }
}

TEST_F(HttpClientTest, PostsABodyWithFurtherHeaders) {
    server.answer_http([](auto const&) { return FakeTracker::ok("done"); });
    HttpClient::Request request{Url::parse(server.http_url("/ctl")).value(), 100, seconds(10), true, {}};
    request.headers = "SOAPAction: \"x#y\"\r\n";
    request.post = "<a/>";

    auto const response = run_engine(engine, client.get(std::move(request)));

    EXPECT_EQ(response.status, 200u);
    EXPECT_TRUE(server.headers().at(0).starts_with("POST /ctl HTTP/1.1\r\n")) << server.headers().at(0);
    EXPECT_NE(server.headers().at(0).find("\r\nSOAPAction: \"x#y\"\r\nContent-Length: 4\r\n\r\n"), std::string::npos);
}

TEST_F(HttpClientTest, GivesARedirectToWhoeverDoesNotWantToFollowIt) {
    server.answer_http([](auto const&) { return FakeTracker::redirect("/there"); });
    HttpClient::Request request{Url::parse(server.http_url("/here")).value(), 100, seconds(10), true, {}};
    request.redirects = false;

    auto const response = run_engine(engine, client.get(std::move(request)));

    EXPECT_EQ(response.status, 302u);
    EXPECT_EQ(server.targets().size(), 1u);
}

TEST_F(HttpClientTest, FollowsRedirectsOfEveryKind) {
    for (auto const status : {301, 302, 303, 307, 308}) {
        server.answer_http([&](auto const& target) {
            return target == "/a" ? FakeTracker::redirect("/b", status) : FakeTracker::ok(target);
        });
        EXPECT_EQ(get(server.http_url("/a")).body, "/b") << status;
    }
}

TEST_F(HttpClientTest, EndsARedirectLoopAfterFive) {
    server.answer_http([](auto const& target) { return FakeTracker::redirect(target); });

    auto const outcome = get(server.http_url("/loop"));

    EXPECT_EQ(outcome.code, make_error_code(Errc::refused));
    EXPECT_NE(outcome.error.find("redirects more than 5 times"), std::string::npos) << outcome.error;
    EXPECT_EQ(server.connections(), limit::kRedirects + 1);
}

TEST_F(HttpClientTest, RefusesToFollowAwayFromHttp) {
    for (auto const* const place :
         {"file:///etc/passwd", "ftp://x/", "udp://1.2.3.4:80/", "gopher://127.0.0.1/", "http://"}) {
        server.answer_http([&](auto const&) { return FakeTracker::redirect(place); });
        auto const outcome = get(server.http_url());
        EXPECT_EQ(outcome.code.category(), torrent_category()) << place;
    }
}

TEST_F(HttpClientTest, RefusesLocalAddressesForStrangers) {
    for (auto const* const host : {"127.0.0.1", "0x7f.1", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]",
                                   "169.254.169.254", "10.1.2.3", "0"}) {
        auto const outcome =
            get("http://" + std::string(host) + ":" + std::to_string(server.port()) + "/announce", false);
        EXPECT_EQ(outcome.code, make_error_code(Errc::not_allowed)) << host << " " << outcome.error;
    }
    EXPECT_EQ(server.connections(), 0u);
}

TEST_F(HttpClientTest, RefusesNamesOfLocalAddressesAndAsksForANameOnce) {
    resolver.names["rebind.test"] = {Address::parse("127.0.0.1").value()};

    auto const outcome = get("http://rebind.test:" + std::to_string(server.port()) + "/announce", false);

    EXPECT_EQ(outcome.code, make_error_code(Errc::not_allowed));
    EXPECT_EQ(resolver.lookups, 1u);
    EXPECT_EQ(server.connections(), 0u);
}

TEST_F(HttpClientTest, ConnectsToNothingButTheVettedAddressesOfAName) {
    HttpClient strict(clock, connector, resolver, false);
    resolver.names["mixed.test"] = {Address::parse("127.0.0.1").value(), Address::parse("192.0.2.1").value()};

    auto const outcome = get("http://mixed.test:" + std::to_string(server.port()) + "/", false);

    EXPECT_EQ(outcome.code, make_error_code(Errc::not_allowed));
    EXPECT_EQ(server.connections(), 0u);
}

TEST_F(HttpClientTest, VetsARedirectAwayFromAServerThatTheUserNamed) {
    resolver.names["seen-by-user.test"] = {Address::parse("127.0.0.1").value()};
    FakeTracker canary(engine.get_executor());
    server.answer_http([&](auto const&) { return FakeTracker::redirect(canary.http_url("/internal")); });

    auto const outcome = get("http://seen-by-user.test:" + std::to_string(server.port()) + "/");

    EXPECT_EQ(outcome.code, make_error_code(Errc::not_allowed));
    EXPECT_EQ(server.connections(), 1u);
    EXPECT_EQ(canary.connections(), 0u);
    run_engine(engine, canary.stop());
}

TEST_F(HttpClientTest, AnOutageBehindARedirectCountsAsAnAnswerOfTheFirstServer) {
    FakeTracker gone(engine.get_executor());
    auto const place = gone.http_url();
    run_engine(engine, gone.stop());
    HttpClient laboratory(clock, connector, resolver, true);
    server.answer_http([&](auto const&) { return FakeTracker::redirect(place); });

    boost::system::error_code code;
    HttpClient::Request request{Url::parse(server.http_url()).value(), 1000, seconds(5), false, {}};
    try {
        run_engine(engine, laboratory.get(std::move(request)));
    } catch (boost::system::system_error const& e) {
        code = e.code();
    }

    EXPECT_EQ(code, make_error_code(Errc::refused));
}

TEST_F(HttpClientTest, SaysWhenNobodyListensOrTheNameIsUnknown) {
    FakeTracker gone(engine.get_executor());
    auto const place = gone.http_url();
    run_engine(engine, gone.stop());

    auto const refused = get(place);
    auto const unknown = get("http://nowhere.test/");

    EXPECT_EQ(refused.code, asio::error::connection_refused);
    EXPECT_EQ(unknown.code, asio::error::host_not_found);
    EXPECT_NE(unknown.error.find("nowhere.test"), std::string::npos);
}

TEST_F(HttpClientTest, SpeaksIpv6AndOnlyTheFamilyThatIsWanted) {
    FakeTracker six(engine.get_executor(), "::1");
    resolver.names["both.test"] = {Address::parse("127.0.0.1").value(), Address::parse("::1").value()};
    six.answer_http([](auto const&) { return FakeTracker::ok("six"); });

    EXPECT_EQ(get(six.http_url()).body, "six");
    EXPECT_NE(six.headers().at(0).find("Host: [::1]:"), std::string::npos);
    HttpClient::Request request{Url::parse("http://both.test:" + std::to_string(six.port())).value(), 1000, seconds(5),
                                true, true};
    EXPECT_EQ(run_engine(engine, client.get(request)).status, 200u);
    run_engine(engine, six.stop());
}

class HttpsTest : public HttpClientTest {
protected:
    HttpsTest() {
        resolver.names["tracker.test"] = {Address::parse("127.0.0.1").value()};
        server.answer_http([](auto const&) { return FakeTracker::ok("secret"); });
    }
    tests::TestAuthority authority;
};

TEST_F(HttpsTest, TakesACertificateOfATrustedAuthorityForTheRightHost) {
    server.use_tls(authority.issue("DNS:tracker.test"));
    client.add_ca_file(authority.ca_file());

    auto const outcome = get(server.https_url("tracker.test"));

    EXPECT_EQ(outcome.body, "secret") << outcome.error;
}

TEST_F(HttpsTest, TakesACertificateForAnAddress) {
    server.use_tls(authority.issue("IP:127.0.0.1"));
    client.add_ca_file(authority.ca_file());

    EXPECT_EQ(get(server.https_url("127.0.0.1")).body, "secret");
}

TEST_F(HttpsTest, RefusesASelfSignedCertificate) {
    server.use_tls(tests::TestAuthority::self_signed("DNS:tracker.test"));

    auto const outcome = get(server.https_url("tracker.test"));

    EXPECT_EQ(outcome.code, make_error_code(Errc::refused));
    EXPECT_NE(outcome.error.find("self-signed"), std::string::npos) << outcome.error;
    EXPECT_TRUE(server.targets().empty());
}

TEST_F(HttpsTest, RefusesAnAuthorityThatNobodyTrusts) {
    server.use_tls(authority.issue("DNS:tracker.test"));

    auto const outcome = get(server.https_url("tracker.test"));

    EXPECT_EQ(outcome.code, make_error_code(Errc::refused));
    EXPECT_NE(outcome.error.find("the certificate of tracker.test is not trusted"), std::string::npos) << outcome.error;
}

TEST_F(HttpsTest, RefusesTheCertificateOfAnotherHost) {
    server.use_tls(authority.issue("DNS:other.test,IP:127.0.0.2"));
    client.add_ca_file(authority.ca_file());

    EXPECT_NE(get(server.https_url("tracker.test")).error.find("hostname mismatch"), std::string::npos);
    EXPECT_NE(get(server.https_url("127.0.0.1")).error.find("IP address mismatch"), std::string::npos);
    EXPECT_TRUE(server.targets().empty());
}

TEST_F(HttpsTest, RefusesAnExpiredCertificate) {
    server.use_tls(authority.issue("DNS:tracker.test", -1));
    client.add_ca_file(authority.ca_file());

    EXPECT_NE(get(server.https_url("tracker.test")).error.find("expired"), std::string::npos);
}

TEST_F(HttpsTest, RefusesARedirectFromHttpsToHttp) {
    server.use_tls(authority.issue("DNS:tracker.test"));
    client.add_ca_file(authority.ca_file());
    server.answer_http([](auto const&) { return FakeTracker::redirect("http://tracker.test/"); });

    EXPECT_EQ(get(server.https_url("tracker.test")).code, make_error_code(Errc::not_allowed));
}

TEST_F(HttpsTest, CarriesALargeBody) {
    std::string const large(900'000, 'x');
    server.use_tls(authority.issue("DNS:tracker.test"));
    client.add_ca_file(authority.ca_file());
    server.answer_http([&](auto const&) { return FakeTracker::ok(large); });

    EXPECT_TRUE(get(server.https_url("tracker.test")).body == large);
}

}  // namespace
}  // namespace rqfs::torrent
