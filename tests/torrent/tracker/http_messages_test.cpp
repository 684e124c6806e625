#include "torrent/tracker/http_messages.h"

#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace rqfs::torrent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::span<std::byte const> bytes_of(std::string_view text) {
    return {reinterpret_cast<std::byte const*>(text.data()), text.size()};
}

AnnounceResult parse(std::string_view body, unsigned status = 200) {
    return parse_announce_reply(status, bytes_of(body));
}

std::string string_of(std::string_view bytes) { return std::to_string(bytes.size()) + ":" + std::string(bytes); }

InfoHash const kHash = InfoHash::parse("00ff20417e2d5f2e61303132333435363738397a").value();

TEST(AnnounceUrl, WritesEveryFactInAStableOrderAndEscapesAllButUnreservedBytes) {
    AnnounceRequest request;
    request.info_hash = kHash;
    request.peer_id.fill(std::byte{'-'});
    request.port = 6881;
    request.uploaded_bytes = 1;
    request.downloaded_bytes = 2;
    request.left_bytes = 3;
    request.event = AnnounceEvent::started;
    request.num_want = 200;
    request.key = 0x1234abcd;

    auto const url = announce_url(*Url::parse("http://t.example/announce"), request);

    EXPECT_EQ(url.target,
              "/announce?info_hash=%00%FF%20A~-_.a0123456789z&peer_id=--------------------&port=6881&uploaded=1&"
              "downloaded=2&left=3"
              "&key=1234ABCD&event=started&numwant=200&compact=1&no_peer_id=1");
}

TEST(AnnounceUrl, AddsToAQueryThatIsThereAndNamesEvents) {
    AnnounceRequest request;
    auto const target = [&](std::string_view url) { return announce_url(*Url::parse(url), request).target; };

    EXPECT_TRUE(target("http://t.example/a?passkey=x").starts_with("/a?passkey=x&info_hash="));
    EXPECT_TRUE(target("http://t.example/a?").starts_with("/a?info_hash="));
    EXPECT_EQ(target("http://t.example/a").find("event"), std::string::npos);
    request.partial_seed = true;
    EXPECT_NE(target("http://t.example/a").find("&event=paused"), std::string::npos);
    request.event = AnnounceEvent::stopped;
    EXPECT_NE(target("http://t.example/a").find("&event=stopped"), std::string::npos);
    request.event = AnnounceEvent::completed;
    EXPECT_NE(target("http://t.example/a").find("&event=completed"), std::string::npos);
    request.tracker_id = "a b";
    EXPECT_TRUE(target("http://t.example/a").ends_with("&trackerid=a%20b"));
}

TEST(AnnounceReply, ReadsCompactPeersOfBothFamilies) {
    std::string const four("\x01\x02\x03\x04\x1a\xe1\x05\x06\x07\x08\x00\x50", 12);
    std::string const six = std::string("\x20\x01", 2) + std::string(13, '\0') + "\x01\x1a\xe1";

    auto const reply = parse("d8:completei5e10:incompletei6e8:intervali900e12:min intervali300e5:peers" +
                             string_of(four) + "6:peers6" + string_of(six) + "e");

    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->peers.size(), 3u);
    EXPECT_EQ(reply->peers[0].text(), "1.2.3.4:6881");
    EXPECT_EQ(reply->peers[1].text(), "5.6.7.8:80");
    EXPECT_EQ(reply->peers[2].text(), "[2001::1]:6881");
    EXPECT_EQ(reply->interval, seconds(900));
    EXPECT_EQ(reply->min_interval, seconds(300));
    EXPECT_EQ(reply->counts.seeders, 5u);
    EXPECT_EQ(reply->counts.leechers, 6u);
}

TEST(AnnounceReply, ReadsDictionaryPeersAndSkipsNamesAndImpossiblePorts) {
    auto const reply = parse(
        "d8:intervali900e5:peersl"
        "d2:ip7:1.2.3.44:porti6881ee"
        "d2:ip3:::14:porti6882ee"
        "d2:ip9:localhost4:porti6883ee"
        "d2:ip7:1.2.3.44:porti0ee"
        "d2:ip7:1.2.3.44:porti65536ee"
        "d2:ip7:1.2.3.44:porti-1ee"
        "d4:porti1ee"
        "i7e"
        "ee");

    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->peers.size(), 2u);
    EXPECT_EQ(reply->peers[0].text(), "1.2.3.4:6881");
    EXPECT_EQ(reply->peers[1].text(), "[::1]:6882");
}

TEST(AnnounceReply, IgnoresAnIncompleteTailAndPortZero) {
    auto const reply =
        parse("d5:peers" + string_of(std::string("\x01\x02\x03\x04\x00\x00\x01\x02\x03\x04\x00\x01zzz", 15)) + "e");

    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->peers.size(), 1u);
    EXPECT_EQ(reply->peers[0].port, 1);
}

TEST(AnnounceReply, UsesNoMorePeersThanTheLimit) {
    std::string many;
    for (int i = 0; i < 100'000; ++i) many += std::string("\x01\x02\x03\x04\x00\x01", 6);

    auto const reply = parse("d5:peers" + string_of(many) + "6:peers6" + string_of(std::string(18'000, '\1')) + "e");

    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->peers.size(), limit::kTrackerPeers);
}

TEST(AnnounceReply, GivesTheTrackersReasonWhateverTheStatus) {
    for (auto const status : {200u, 403u, 500u}) {
        auto const reply = parse("d14:failure reason12:unregisterede", status);
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().what, "unregistered");
        EXPECT_TRUE(reply.error().reached);
        EXPECT_FALSE(reply.error().retry_in);
    }
}

TEST(AnnounceReply, EscapesAndShortensTheTrackersTexts) {
    auto const failure = parse("d14:failure reason" + string_of(std::string("a\x1b[2J\n\xff") + "\xc3\xa9") + "e");
    auto const huge = parse("d14:failure reason" + string_of(std::string(900'000, 'x')) + "e");
    auto const warning = parse("d15:warning message" + string_of(std::string(5'000, '\0')) + "e");

    EXPECT_EQ(failure.error().what, "a\\x1b[2J\\x0a\\xff\xc3\xa9");
    EXPECT_EQ(huge.error().what.size(), limit::kTrackerTextBytes);
    EXPECT_EQ(warning->warning.size(), limit::kTrackerTextBytes);
}

TEST(AnnounceReply, UnderstandsRetryIn) {
    auto const in_minutes = parse("d14:failure reason1:x8:retry ini5ee");
    auto const in_text = parse("d14:failure reason1:x8:retry in2:15e");
    auto const never = parse("d14:failure reason1:x8:retry in5:nevere");
    auto const huge = parse("d14:failure reason1:x8:retry ini9223372036854775807ee");
    auto const negative = parse("d14:failure reason1:x8:retry ini-5ee");

    EXPECT_EQ(in_minutes.error().retry_in, minutes(5));
    EXPECT_EQ(in_text.error().retry_in, minutes(15));
    EXPECT_TRUE(never.error().never);
    EXPECT_EQ(huge.error().retry_in, limit::kMaxAnnounceInterval);
    EXPECT_FALSE(negative.error().retry_in);
}

TEST(AnnounceReply, TakesExternalAddressesOfFourOrSixteenBytesOnly) {
    auto const four = parse("d11:external ip" + string_of("\x01\x02\x03\x04") + "e");
    auto const six = parse("d11:external ip" + string_of(std::string(16, '\x20')) + "e");
    auto const five = parse("d11:external ip5:12345e");

    EXPECT_EQ(four->external_address->text(), "1.2.3.4");
    EXPECT_TRUE(six->external_address->is_v6());
    EXPECT_FALSE(five->external_address);
}

TEST(AnnounceReply, RefusesWhatIsNoDictionary) {
    for (auto const* const body :
         {"", "i5e", "le", "5:hello", "<html>not found</html>", "d", "d8:interval", "d8:intervali900e", "dd"}) {
        auto const reply = parse(body);
        ASSERT_FALSE(reply) << body;
        EXPECT_FALSE(reply.error().what.empty());
    }
    EXPECT_EQ(parse("<html>", 404).error().what, "the tracker answered with HTTP status 404");
    EXPECT_FALSE(parse("d8:intervali900ee", 500));
}

TEST(AnnounceReply, SurvivesTypesThatAreWrongEverywhere) {
    auto const reply = parse(
        "d8:completele10:incomplete1:x11:external ipi5e8:interval3:90012:min "
        "intervald1:ai1ee5:peersi5e6:peers6le10:tracker idi5e"
        "15:warning messagelee");

    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->peers.empty());
    EXPECT_FALSE(reply->interval);
    EXPECT_FALSE(reply->min_interval);
    EXPECT_FALSE(reply->counts.seeders);
}

TEST(AnnounceReply, RefusesDeepNestingQuickly) {
    auto const begin = std::chrono::steady_clock::now();

    EXPECT_FALSE(parse("d5:peers" + std::string(1'000'000, 'l')));

    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50));
}

TEST(ScrapeUrl, FollowsTheConvention) {
    auto const target = [](std::string_view url) {
        auto const scrape = scrape_url(*Url::parse(url), InfoHash());
        return scrape ? scrape->target.substr(0, scrape->target.find("info_hash")) : std::string("unsupported");
    };

    // The table of BEP 48.
    EXPECT_EQ(target("http://example.com/announce"), "/scrape?");
    EXPECT_EQ(target("http://example.com/x/announce"), "/x/scrape?");
    EXPECT_EQ(target("http://example.com/announce.php"), "/scrape.php?");
    EXPECT_EQ(target("http://example.com/a"), "unsupported");
    EXPECT_EQ(target("http://example.com/announce?x2%0644"), "/scrape?x2%0644&");
    EXPECT_EQ(target("http://example.com/announce?x=2/4"), "unsupported");
    EXPECT_EQ(target("http://example.com/x%064announce"), "unsupported");
}

TEST(ScrapeReply, FindsTheTorrentByItsRawHash) {
    std::string const raw(reinterpret_cast<char const*>(kHash.bytes().data()), 20);
    std::string const body = "d5:filesd" + string_of(raw) + "d8:completei1e10:downloadedi2e10:incompletei3eeee";

    auto const found = parse_scrape_reply(200, bytes_of(body), kHash);
    auto const other = parse_scrape_reply(200, bytes_of(body), InfoHash());

    EXPECT_EQ(found.failure, "");
    EXPECT_EQ(found.counts.seeders, 1u);
    EXPECT_EQ(found.counts.downloads, 2u);
    EXPECT_EQ(found.counts.leechers, 3u);
    EXPECT_FALSE(found.min_interval);
    EXPECT_EQ(other.failure, "the tracker's scrape reply does not name the torrent");
    EXPECT_FALSE(other.counts.seeders);
}

TEST(ScrapeReply, SaysWhyThereIsNone) {
    auto const failure = [](unsigned status, std::string const& body) {
        return parse_scrape_reply(status, bytes_of(body), kHash).failure;
    };

    EXPECT_EQ(failure(200, "d14:failure reason9:too often5:filesdee"), "too often");
    EXPECT_EQ(failure(400, "d14:failure reason9:too oftene"), "too often");
    EXPECT_EQ(failure(200, "d14:failure reasoni1ee"), "the tracker refused without saying why");
    EXPECT_EQ(failure(404, "not here"), "the tracker answered with HTTP status 404");
    EXPECT_EQ(failure(503, "de"), "the tracker answered with HTTP status 503");
    EXPECT_EQ(failure(200, "le"), "the tracker's reply is no dictionary");
    EXPECT_EQ(failure(200, "d5:filesi7ee"), "the tracker's scrape reply does not name the torrent");
    EXPECT_EQ(failure(200, "de"), "the tracker's scrape reply does not name the torrent");
    EXPECT_NE(failure(200, "d5:files"), "");
}

TEST(ScrapeReply, ReadsHowOftenItMayBeAskedAlsoWhereItRefuses) {
    auto const interval = [](std::string const& body) {
        return parse_scrape_reply(200, bytes_of(body), kHash).min_interval;
    };

    EXPECT_EQ(interval("d5:filesde5:flagsd20:min_request_intervali900eee"), std::chrono::seconds(900));
    EXPECT_EQ(interval("d14:failure reason1:x5:flagsd20:min_request_intervali900eee"), std::chrono::seconds(900));
    EXPECT_EQ(interval("d5:flagsd20:min_request_interval3:900ee"), std::nullopt);
    EXPECT_EQ(interval("d5:flagsi3ee"), std::nullopt);
}

TEST(ScrapeReply, TakesWhatItUnderstandsOfTheCounts) {
    std::string const raw(reinterpret_cast<char const*>(kHash.bytes().data()), 20);
    auto const reply = parse_scrape_reply(
        200, bytes_of("d5:filesd" + string_of(raw) + "d8:completei-1e10:downloadedi4294967296e10:incompletei3eeee"),
        kHash);

    EXPECT_EQ(reply.failure, "");
    EXPECT_FALSE(reply.counts.seeders);
    EXPECT_FALSE(reply.counts.downloads);
    EXPECT_EQ(reply.counts.leechers, 3u);
}

}  // namespace
}  // namespace rqfs::torrent
