#include "torrent/tracker/announce_call.h"

#include "tests/support/fake_tracker.h"
#include "tests/support/fake_udp.h"
#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/net/connector.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/tracker/tracker_clients.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <string>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using tests::FakeTracker;

std::string const kKey = "0123456789abcdefXYZ";

// A tracker whose URL holds a passkey, and which repeats it.
class EchoedPasskeyTest : public ::testing::Test {
protected:
    ~EchoedPasskeyTest() override { tests::run_engine(engine, tracker.stop()); }

    static std::string text(std::string const& value) { return std::to_string(value.size()) + ":" + value; }
    AnnounceOutcome announce(FakeTracker::Http const& answer) {
        tracker.answer_http(answer);
        auto const url = place();
        return tests::run_engine(engine, announce_to_tracker(call, url, AnnounceRequest()));
    }
    Url place() const { return Url::parse(tracker.http_url("/announce?passkey=" + kKey)).value(); }

    asio::io_context engine{1};
    SteadyClock clock;
    DnsResolver resolver{clock};
    TcpConnector connector{clock};
    HttpClient http{clock, connector, resolver, true};
    tests::FakeUdp udp{engine.get_executor()};
    TrackerClients clients{engine.get_executor(), clock, udp};
    AnnounceCall const call{
        .http = http, .resolver = resolver, .udp = clients.udp, .local = {}, .test_network = true, .heard = {}};
    FakeTracker tracker{engine.get_executor()};
};

TEST_F(EchoedPasskeyTest, IsHiddenInAFailure) {
    auto const outcome = announce([](std::string const& target) {
        return FakeTracker::ok("d14:failure reason" + text("bad request " + target.substr(0, 40)) + "e");
    });

    ASSERT_FALSE(outcome.all);
    EXPECT_NE(outcome.all.error().what.find("bad request /announce?passkey=[hidden]&"), std::string::npos)
        << outcome.all.error().what;
    EXPECT_EQ(outcome.families[false]->error().what, outcome.all.error().what);
}

TEST_F(EchoedPasskeyTest, IsHiddenInAWarning) {
    auto const outcome = announce([](std::string const&) {
        return FakeTracker::ok("d8:intervali900e5:peers0:15:warning message" + text(kKey + " expires soon") + "e");
    });

    ASSERT_TRUE(outcome.all);
    EXPECT_EQ(outcome.all->warning, "[hidden] expires soon");
}

TEST_F(EchoedPasskeyTest, IsHiddenWhereItRedirectsUs) {
    auto const outcome =
        announce([](std::string const&) { return FakeTracker::redirect("gopher://nowhere.example/" + kKey); });

    ASSERT_FALSE(outcome.all);
    EXPECT_EQ(outcome.all.error().what.find(kKey.substr(0, 8)), std::string::npos) << outcome.all.error().what;
}

TEST_F(EchoedPasskeyTest, IsHiddenInAScrapesFailure) {
    tracker.answer_http(
        [](std::string const&) { return FakeTracker::ok("d14:failure reason" + text("not for " + kKey) + "e"); });
    auto const url = place();

    auto const reply = tests::run_engine(engine, scrape_tracker(call, url, InfoHash()));

    EXPECT_EQ(reply.failure, "not for [hidden]");
}

}  // namespace
}  // namespace rqfs::torrent
