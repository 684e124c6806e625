#include "tests/support/fake_tracker.h"
#include "tests/support/run_engine.h"
#include "tests/torrent/tracker/outcome.h"
#include "torrent/clock.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/settings.h"
#include "torrent/tracker/announce_schedule.h"
#include "torrent/tracker/http_messages.h"
#include "torrent/tracker/http_tracker.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using tests::FakeTracker;

// What a lying tracker sends, and when it hears from us again. Nothing: never.
struct Lie {
    std::string name;
    FakeTracker::Answer answer;
    std::optional<seconds> next;
};

std::string string_of(std::string const& bytes) { return std::to_string(bytes.size()) + ":" + bytes; }
FakeTracker::Answer body(std::string const& text) { return FakeTracker::ok(text); }
FakeTracker::Answer raw(std::string const& bytes) { return {{bytes}, {}, false}; }

std::vector<Lie> lies() {
    std::string million_peers;
    for (int i = 0; i < 170'000; ++i) million_peers += std::string("\x05\x06\x07\x08\x1a\xe1", 6);
    std::string peer_dictionaries;
    for (int i = 0; i < 1'000; ++i) peer_dictionaries += "d2:ip7:1.2.3.44:porti6881ee";
    auto const head = [](std::string const& status) { return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n"; };
    return {
        {"interval 0", body("d8:intervali0e5:peers0:e"), seconds(60)},
        {"interval -1", body("d8:intervali-1e5:peers0:e"), seconds(60)},
        {"interval 1", body("d8:intervali1e5:peers0:e"), seconds(60)},
        {"interval of 2^63 - 1", body("d8:intervali9223372036854775807e5:peers0:e"), hours(24)},
        {"interval of -2^63", body("d8:intervali-9223372036854775808e5:peers0:e"), seconds(60)},
        {"interval of a year", body("d8:intervali31536000e5:peers0:e"), hours(24)},
        {"interval missing", body("d5:peers0:e"), seconds(1800)},
        {"interval as text", body("d8:interval4:12005:peers0:e"), seconds(1800)},
        {"min interval huge", body("d8:intervali900e12:min intervali99999999e5:peers0:e"), hours(24)},
        {"min interval negative", body("d8:intervali900e12:min intervali-5e5:peers0:e"), seconds(900)},
        {"min interval above interval", body("d8:intervali900e12:min intervali1000e5:peers0:e"), seconds(1000)},
        {"170,000 peers", body("d8:intervali900e5:peers" + string_of(million_peers) + "e"), seconds(900)},
        {"1,000 peers as dictionaries", body("d8:intervali900e5:peersl" + peer_dictionaries + "ee"), seconds(900)},
        {"failure text of 900 kB", body("d14:failure reason" + string_of(std::string(900'000, 'x')) + "e"),
         seconds(60)},
        {"failure with interval 0", body("d14:failure reason1:x8:intervali0ee"), seconds(60)},
        {"retry in 0", body("d14:failure reason1:x8:retry ini0ee"), seconds(60)},
        {"retry in a billion minutes", body("d14:failure reason1:x8:retry ini1000000000ee"), hours(24)},
        {"retry never", body("d14:failure reason1:x8:retry in5:nevere"), std::nullopt},
        {"a body of 2 MiB", body("d14:failure reason" + string_of(std::string(2 << 20, 'x')) + "e"), seconds(60)},
        {"a web page", body("<html>It works!</html>"), seconds(60)},
        {"nothing at all", raw(""), seconds(60)},
        {"an empty body", body(""), seconds(60)},
        {"status 404", raw(head("404 Not Found")), seconds(60)},
        {"status 503", raw(head("503 Busy")), seconds(60)},
        {"a redirect to itself", FakeTracker::redirect("/announce"), seconds(60)},
        {"a redirect to nobody", FakeTracker::redirect("http://127.0.0.1:1/announce"), seconds(60)},
        {"a redirect to a file", FakeTracker::redirect("file:///etc/passwd"), seconds(60)},
        {"a megabyte of nested lists", body("d5:peers" + std::string(1'000'000, 'l')), seconds(60)},
        {"a chunk of 2^64 bytes", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx"),
         seconds(60)},
        {"half a body", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd8:intervali9"), seconds(60)},
        {"not HTTP", raw("220 mail.example ESMTP\r\n"), seconds(60)},
    };
}

class TrackerLiesTest : public ::testing::Test {
protected:
    ~TrackerLiesTest() override { tests::run_engine(engine, tracker.stop()); }

    AnnounceResult announce(FakeTracker::Answer const& answer) {
        tracker.answer_http([answer](auto const&) { return answer; });
        return tests::run_engine(
            engine, http_announce(http, Url::parse(tracker.http_url()).value(), AnnounceRequest(), std::nullopt));
    }

    asio::io_context engine{1};
    SteadyClock clock;
    DnsResolver resolver{clock};
    TcpConnector connector{clock};
    HttpClient http{clock, connector, resolver, true};
    FakeTracker tracker{engine.get_executor()};
};

TEST_F(TrackerLiesTest, EveryLieHasItsNextAnnounce) {
    ASSERT_GE(lies().size(), 25u);
    for (auto const& lie : lies()) {
        SCOPED_TRACE(lie.name);
        AnnounceSchedule schedule(1, 0);
        TimePoint const now{hours(1000)};
        schedule.merge({{"t"}}, now);
        schedule.start(now);
        auto const job = schedule.due(now).at(0);

        auto const result = announce(lie.answer);
        schedule.ended(job, now, over_v4(result));

        EXPECT_TRUE(schedule.due(now).empty());
        auto const next = schedule.next();
        EXPECT_EQ(next.has_value(), lie.next.has_value());
        if (next && lie.next) {
            EXPECT_EQ(std::chrono::duration_cast<seconds>(*next - now), *lie.next);
        }
        auto const row = schedule.status(now).at(0);
        EXPECT_LE(row.message.size(), limit::kTrackerTextBytes);
        EXPECT_LE(row.peers, limit::kTrackerPeers);
        if (!result) {
            EXPECT_FALSE(row.message.empty());
        }
    }
}

// Told the same lie again and again for two days, with readers who always want more, by a schedule that jitters.
TEST_F(TrackerLiesTest, NoLieBringsMoreThanOneAnnounceAMinute) {
    for (auto const& lie : lies()) {
        SCOPED_TRACE(lie.name);
        auto const result = announce(lie.answer);
        AnnounceSchedule schedule(7);
        TimePoint now{hours(1000)};
        schedule.merge({{"t"}}, now);
        schedule.start(now);
        std::optional<TimePoint> last;
        for (auto const end = now + hours(48); now < end; now += seconds(1)) {
            schedule.urgent();
            schedule.announce_now(now);
            for (auto const& job : schedule.due(now)) {
                if (last) {
                    ASSERT_GE(now - *last, seconds(60));
                }
                last = now;
                schedule.ended(job, now, over_v4(result));
            }
        }
        EXPECT_TRUE(last);
    }
}

TEST_F(TrackerLiesTest, AnHonestReplyStillWorksAfterThemAll) {
    for (auto const& lie : lies()) announce(lie.answer);

    auto const result = announce(FakeTracker::ok(FakeTracker::announce_body()));

    ASSERT_TRUE(result);
    EXPECT_EQ(result->peers.at(0).text(), "5.6.7.8:6881");
}

TEST_F(TrackerLiesTest, NobodyThereIsTriedAgainSoonerThanSomebodyWhoLies) {
    auto const place = Url::parse(tracker.http_url()).value();
    tests::run_engine(engine, tracker.stop());

    auto const result = tests::run_engine(engine, http_announce(http, place, AnnounceRequest(), std::nullopt));

    ASSERT_FALSE(result);
    EXPECT_FALSE(result.error().reached);
    EXPECT_NE(result.error().what.find("Connection refused"), std::string::npos) << result.error().what;
}

TEST_F(TrackerLiesTest, ScrapesWhereTheUrlAllowsIt) {
    InfoHash const hash = InfoHash::parse("6161616161616161616161616161616161616161").value();
    tracker.answer_http([](auto const&) {
        return FakeTracker::ok("d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei1e10:downloadedi2e10:incompletei3eeee");
    });

    auto const counts =
        tests::run_engine(engine, http_scrape(http, Url::parse(tracker.http_url("/announce?key=x")).value(), hash));
    auto const none =
        tests::run_engine(engine, http_scrape(http, Url::parse(tracker.http_url("/tracker")).value(), hash));

    EXPECT_EQ(counts.failure, "");
    EXPECT_EQ(counts.counts.leechers, 3u);
    EXPECT_EQ(tracker.targets().size(), 1u);
    EXPECT_EQ(tracker.targets()[0], "/scrape?key=x&info_hash=aaaaaaaaaaaaaaaaaaaa");
    EXPECT_NE(none.failure.find("no `announce`"), std::string::npos) << none.failure;
}

TEST(HttpTracker, AnnouncesOverIpv6) {
    asio::io_context engine{1};
    SteadyClock clock;
    DnsResolver resolver{clock};
    TcpConnector connector(clock);
    HttpClient http(clock, connector, resolver, true);
    FakeTracker tracker(engine.get_executor(), "::1");

    auto const result =
        tests::run_engine(engine, http_announce(http, Url::parse(tracker.http_url()).value(), AnnounceRequest(), true));

    EXPECT_TRUE(result);
    EXPECT_EQ(tracker.targets().size(), 1u);
    tests::run_engine(engine, tracker.stop());
}

}  // namespace
}  // namespace rqfs::torrent
