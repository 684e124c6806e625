#include "torrent/tracker/tracker_list.h"

#include "torrent/limits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

std::string const kA = "http://a.example/announce";
std::string const kB = "udp://b.example:80";
std::string const kC = "https://c.example/announce?key=1";
TrackerTiers const kList{{kA, kB}, {kC}};

TrackerTiers many(std::size_t count) {
    TrackerTiers list;
    for (std::size_t i = 0; i < count; ++i) list.push_back({"udp://t" + std::to_string(i) + ".example:80"});
    return list;
}

TrackerEdit adding(std::vector<std::string> urls, std::optional<std::uint32_t> tier = std::nullopt) {
    TrackerEdit edit;
    edit.add = std::move(urls);
    edit.tier = tier;
    return edit;
}

TrackerEdit removing(std::vector<std::string> urls) {
    TrackerEdit edit;
    edit.remove = std::move(urls);
    return edit;
}

TrackerTiers after(TrackerEdit const& edit) { return edited(kList, edit).value(); }

Error refused(TrackerTiers list, TrackerEdit const& edit) {
    auto const result = edited(std::move(list), edit);
    return result ? Error{Errc::malformed, "was allowed"} : result.error();
}

TEST(TrackerList, KnowsATrackerHoweverItsUrlIsWritten) {
    auto const key = tracker_key("http://tracker.example/announce");

    for (auto const* const same : {"HTTP://Tracker.Example:80/announce", " http://tracker.example./announce#x\n"})
        EXPECT_EQ(tracker_key(same), key) << same;
    for (auto const* const other :
         {"https://tracker.example/announce", "http://tracker.example:81/announce", "http://tracker.example/Announce",
          "http://me@tracker.example/announce", "http://tracker.example/announce?x"})
        EXPECT_NE(tracker_key(other), key) << other;
    EXPECT_EQ(tracker_key("udp://[::1]:80"), tracker_key("udp://[0:0::1]:80/"));
    EXPECT_EQ(tracker_key("nonsense"), "nonsense");
}

TEST(TrackerList, MergesWhatIsNewBehindWhatIsThere) {
    EXPECT_EQ(merged({{kA}}, {{kB, kA}, {"HTTP://A.example/announce"}, {kC, kC}}), (TrackerTiers{{kA}, {kB}, {kC}}));
    EXPECT_EQ(merged({}, {{}, {kA}}), (TrackerTiers{{kA}}));
    EXPECT_EQ(merged({{kA}}, {}), (TrackerTiers{{kA}}));
}

TEST(TrackerList, MergesNoMoreThanTheLimit) {
    EXPECT_EQ(merged({{kA}}, many(1000)).size(), limit::kTrackersPerTorrent);
}

TEST(TrackerList, AddsInTiersOfTheirOwnBehindAllOthers) {
    EXPECT_EQ(after(adding({"udp://x:1", "udp://y:1"})), (TrackerTiers{{kA, kB}, {kC}, {"udp://x:1"}, {"udp://y:1"}}));
}

TEST(TrackerList, AddsToTheTierThatIsNamedOrToANewOneBehind) {
    EXPECT_EQ(after(adding({"udp://x:1", "udp://y:1"}, 0)), (TrackerTiers{{kA, kB, "udp://x:1", "udp://y:1"}, {kC}}));
    EXPECT_EQ(after(adding({"udp://x:1"}, 1)), (TrackerTiers{{kA, kB}, {kC, "udp://x:1"}}));
    EXPECT_EQ(after(adding({"udp://x:1", "udp://y:1"}, 2)), (TrackerTiers{{kA, kB}, {kC}, {"udp://x:1", "udp://y:1"}}));
    EXPECT_EQ(edited({}, adding({kA}, 0)).value(), (TrackerTiers{{kA}}));
}

TEST(TrackerList, AddsWhatIsThereNoSecondTime) {
    EXPECT_EQ(after(adding({"HTTP://a.example:80/announce", "udp://x:1", "udp://x:1/"}, 1)),
              (TrackerTiers{{kA, kB}, {kC, "udp://x:1"}}));
}

TEST(TrackerList, RemovesAndLeavesNoEmptyTier) {
    EXPECT_EQ(after(removing({kC})), (TrackerTiers{{kA, kB}}));
    EXPECT_EQ(after(removing({"http://A.example:80/announce"})), (TrackerTiers{{kB}, {kC}}));
    EXPECT_EQ(after(removing({kA, kB, kC})), TrackerTiers{});
}

TEST(TrackerList, RemovesWhatIsNoUrlByItsText) {
    EXPECT_EQ(edited({{"nonsense", kA}}, removing({"nonsense"})).value(), (TrackerTiers{{kA}}));
}

TEST(TrackerList, WhatIsNotThereCannotBeRemoved) {
    EXPECT_EQ(refused(kList, removing({kA, "udp://x:1"})).what, "the torrent has no tracker udp://x:1");
    EXPECT_EQ(refused(kList, removing({kA, kA})).code, Errc::not_found);
}

TEST(TrackerList, ReplacesFirstThenRemovesThenAdds) {
    TrackerEdit edit;
    edit.replace = TrackerTiers{{"udp://x:1", "udp://y:1"}, {"udp://x:1"}, {}};
    edit.remove = {"udp://x:1"};
    edit.add = {"udp://z:1"};
    edit.tier = 0;

    EXPECT_EQ(after(edit), (TrackerTiers{{"udp://y:1", "udp://z:1"}}));
    edit = {};
    edit.replace = TrackerTiers{};
    EXPECT_EQ(after(edit), TrackerTiers{});
    EXPECT_EQ(after({}), kList);
}

TEST(TrackerList, RefusesATierBeyondTheNext) {
    EXPECT_EQ(refused(kList, adding({"udp://x:1"}, 99)).what,
              "there is no tier 99: tiers are numbered from 0, and the next is 2");
    EXPECT_EQ(refused(kList, adding({"udp://x:1"}, 3)).code, Errc::malformed);
}

TEST(TrackerList, TiersAreCountedAsTheyWereBeforeOneWasLeft) {
    auto edit = adding({"udp://x:1"}, 2);
    edit.remove = {kC};

    EXPECT_EQ(after(edit), (TrackerTiers{{kA, kB}, {"udp://x:1"}}));
}

TEST(TrackerList, RefusesWhatCannotBeATrackerAndSaysWhatToWriteInstead) {
    EXPECT_EQ(refused(kList, adding({"http://b\xc3\xbc"
                                     "cher.example/announce"}))
                  .what,
              "'http://b\xc3\xbc"
              "cher.example/announce' cannot be a tracker: the host has characters outside ASCII; write it in its xn-- "
              "form, like xn--bcher-kva.example");
    EXPECT_EQ(refused(kList, adding({"wss://x"})).code, Errc::unsupported);
    EXPECT_EQ(refused(kList, adding({"udp://x"})).what, "'udp://x' cannot be a tracker: a udp URL needs a port");
    EXPECT_EQ(refused(kList, adding({""})).code, Errc::malformed);
    EXPECT_EQ(refused(kList, adding({"http://x/" + std::string(limit::kUrlBytes, 'x')})).code, Errc::too_large);
    TrackerEdit edit;
    edit.replace = TrackerTiers{{kA}, {"nonsense"}};
    EXPECT_EQ(refused(kList, edit).code, Errc::malformed);
    EXPECT_EQ(after(adding({"http://xn--bcher-kva.example/announce"})).size(), 3u);
    EXPECT_EQ(after(adding({"udp://[2606::1]:80"})).size(), 3u);
}

TEST(TrackerList, RefusesMoreThanTheLimit) {
    EXPECT_EQ(refused(many(limit::kTrackersPerTorrent), adding({kA})).code, Errc::too_large);
    EXPECT_TRUE(edited(many(limit::kTrackersPerTorrent - 1), adding({kA})));
    EXPECT_TRUE(edited(many(limit::kTrackersPerTorrent), adding({"udp://T0.example:80"}))) << "it is there already";
    TrackerEdit edit;
    edit.replace = many(limit::kTrackersPerTorrent + 1);
    EXPECT_EQ(refused({}, edit).code, Errc::too_large);
    edit.replace = many(limit::kTrackersPerTorrent);
    EXPECT_TRUE(edited({}, edit));
}

TEST(TrackerList, FindsTrackersInTheWordsOfTheList) {
    EXPECT_EQ(found_in(kList, {"HTTP://A.example/announce", "udp://x:1", kC}), (std::vector<std::string>{kA, kC}));
}

}  // namespace
}  // namespace rqfs::torrent
