#include "tests/torrent/metainfo/processor_time.h"
#include "tests/torrent/metainfo/torrent_text.h"
#include "torrent/metainfo/metainfo.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using namespace tests;
using Tiers = std::vector<std::vector<std::string>>;

Pairs outer() { return {{"info", dictionary(single_info())}}; }

Result<TorrentDocument> parse(Pairs const& pairs) { return TorrentDocument::parse(bytes_of(dictionary(pairs))); }

std::string refusal(std::string_view file) {
    auto const document = TorrentDocument::parse(bytes_of(file));
    return document ? "accepted" : document.error().what;
}

TEST(TorrentDocument, ReadsWhatStandsAroundTheInfo) {
    auto const document = parse(with(with(with(with(outer(), "announce", text("http://t/a")), "comment", text("hello")),
                                          "creation date", integer(1'700'000'000)),
                                     "url-list", text("http://w/")));

    ASSERT_TRUE(document);
    EXPECT_EQ(document->metainfo->name(), "film.mkv");
    EXPECT_EQ(document->trackers, (Tiers{{"http://t/a"}}));
    EXPECT_EQ(document->comment, "hello");
    EXPECT_EQ(document->created, std::chrono::sys_seconds(1'700'000'000s));
    EXPECT_EQ(document->web_seeds, std::vector<std::string>{"http://w/"});
}

TEST(TorrentDocument, NeedsNothingButTheInfo) {
    auto const document = parse(outer());

    ASSERT_TRUE(document);
    EXPECT_TRUE(document->trackers.empty());
    EXPECT_TRUE(document->web_seeds.empty());
    EXPECT_TRUE(document->comment.empty());
    EXPECT_FALSE(document->created);
    EXPECT_EQ(document->metainfo->info_hash(), InfoHash(sha1(bytes_of(dictionary(single_info())))));
}

TEST(TorrentDocument, ReplacesAnnounceByTheTiersOfAnnounceList) {
    auto const tiers = list({path({"http://a/1", "udp://a:2"}), list({}), path({"http://b/1"})});

    auto const document = parse(with(with(outer(), "announce", text("http://old/")), "announce-list", tiers));

    EXPECT_EQ(document->trackers, (Tiers{{"http://a/1", "udp://a:2"}, {"http://b/1"}}));
}

TEST(TorrentDocument, FallsBackToAnnounceWhenAnnounceListHasNoTracker) {
    for (auto const& useless : {list({}), list({list({})}), list({path({"", "  "})}), integer(1), text("http://x/"),
                                list({list({integer(1)}), dictionary({})})}) {
        auto const document = parse(with(with(outer(), "announce", text("http://old/")), "announce-list", useless));

        ASSERT_TRUE(document);
        EXPECT_EQ(document->trackers, (Tiers{{"http://old/"}})) << useless;
    }
}

TEST(TorrentDocument, KeepsEveryTrackerOnceAndTrimsIt) {
    auto const tiers = list({path({" http://a/ ", "http://a/"}), path({"http://a/"}), text("http://b/\r\n")});

    EXPECT_EQ(parse(with(outer(), "announce-list", tiers))->trackers, (Tiers{{"http://a/"}, {"http://b/"}}));
}

TEST(TorrentDocument, KeepsAsManyTrackersAsItsLimit) {
    std::vector<std::string> tiers;
    for (int i = 0; i < 100'000; ++i) tiers.push_back(path({"http://tracker/" + std::to_string(i)}));

    auto const document = parse(with(outer(), "announce-list", list(tiers)));

    ASSERT_EQ(document->trackers.size(), limit::kTrackersPerTorrent);
    EXPECT_EQ(document->trackers.back().front(), "http://tracker/255");
}

TEST(TorrentDocument, DropsTrackersLongerThanAUrlMayBe) {
    auto const tiers = list({path({std::string(limit::kUrlBytes + 1, 'u'), std::string(limit::kUrlBytes, 'u')})});

    EXPECT_EQ(parse(with(outer(), "announce-list", tiers))->trackers, (Tiers{{std::string(limit::kUrlBytes, 'u')}}));
}

TEST(TorrentDocument, ReadsAListOfWebSeeds) {
    auto const document = parse(with(outer(), "url-list", path({"http://a/", "", "http://b/", "http://a/"})));

    EXPECT_EQ(document->web_seeds, (std::vector<std::string>{"http://a/", "http://b/"}));
}

TEST(TorrentDocument, IgnoresBadDates) {
    for (auto const& bad : {integer(0), integer(-1), integer((std::int64_t{1} << 33) + 1),
                            integer(std::numeric_limits<std::int64_t>::max()),
                            integer(std::numeric_limits<std::int64_t>::min()), text("yesterday"), list({})})
        EXPECT_FALSE(parse(with(outer(), "creation date", bad))->created) << bad;
}

TEST(TorrentDocument, ReadsDatesThatTheSystemClockCanHold) {
    auto const latest = parse(with(outer(), "creation date", integer(std::int64_t{1} << 33)))->created.value();

    EXPECT_GT(std::chrono::system_clock::time_point(latest), std::chrono::system_clock::time_point());
}

TEST(TorrentDocument, IgnoresOtherTypesAroundTheInfo) {
    for (char const* key : {"announce", "announce-list", "comment", "creation date", "url-list", "encoding"})
        for (auto const& value : {integer(-1), text("\xff"), list({integer(1)}), dictionary({{"k", list({})}})})
            EXPECT_TRUE(parse(with(outer(), key, value))) << key << ' ' << value;
}

TEST(TorrentDocument, PrefersTheCommentThatSaysItIsUtf8) {
    auto const document = parse(with(with(outer(), "comment", text("\xe9")), "comment.utf-8", text("\xc3\xa9")));

    EXPECT_EQ(document->comment, "\xc3\xa9");
}

TEST(TorrentDocument, AcceptsBytesBehindTheTorrent) {
    auto const encoded = dictionary(outer());

    auto const document = TorrentDocument::parse(bytes_of(encoded + "\n"));

    ASSERT_TRUE(document);
    EXPECT_EQ(document->metainfo->info_hash(), parse(outer())->metainfo->info_hash());
}

TEST(TorrentDocument, TellsWhatIsNoTorrent) {
    EXPECT_EQ(refusal(""), "this is not a torrent file: it is empty");
    EXPECT_EQ(refusal("<!DOCTYPE html><html>"), "this is not a torrent file: it looks like a web page");
    EXPECT_EQ(refusal("\r\n  <html>"), "this is not a torrent file: it looks like a web page");
    EXPECT_EQ(refusal("hello"), "this is not a torrent file: it does not begin with a bencoded dictionary");
    EXPECT_EQ(refusal("   "), "this is not a torrent file: it does not begin with a bencoded dictionary");
    EXPECT_EQ(refusal("de"), "this is not a torrent file: it has no info dictionary");
    EXPECT_EQ(refusal("d4:infoi1ee"), "info must be a dictionary, not an integer");
    EXPECT_EQ(refusal("d4:info"),
              "this is not a torrent file: it is broken at byte 7: the input ends where a value is expected");
}

TEST(TorrentDocument, RefusesFilesBeyondItsLimit) {
    std::string const large(limit::kTorrentFileBytes + 1, 'd');

    auto const document = TorrentDocument::parse(bytes_of(large));

    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code, Errc::too_large);
}

TEST(TorrentDocument, RefusesNestingBombsAtOnce) {
    for (int const depth : {100'000, 1'000'000, 10'000'000}) {
        auto const bomb = "d4:info" + std::string(static_cast<std::size_t>(depth), 'l');

        auto code = Errc::malformed;
        auto const took = processor_time([&] { code = TorrentDocument::parse(bytes_of(bomb)).error().code; });

        EXPECT_EQ(code, Errc::too_large);
        EXPECT_LT(took, 50ms);
    }
}

}  // namespace
}  // namespace rqfs::torrent
