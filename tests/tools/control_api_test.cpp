#include "tests/tools/control_harness.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace {

using namespace rqfs::tests;
using rqfs::torrent::Errc;
using rqfs::torrent::FileStatus;
using rqfs::torrent::TorrentState;
using rqfs::torrent::TrackerStatus;

class ControlApi : public testing::Test {
protected:
    ControlApi() {
        auto& film = harness.control.with('a', "Film", TorrentState::downloading);
        FileStatus file;
        file.path = "Film.mkv";
        film.files.push_back(file);
        film.status.pieces = 1;
        harness.control.with('b', "Song");
        harness.start();
    }

    std::string request(std::string const& method, std::string const& target, std::string const& body = {},
                        std::string const& type = "application/json") {
        return ask(harness.socket(), method, target, body, type);
    }

    std::vector<std::string> calls() {
        harness.stop();
        return harness.control.calls;
    }

    static bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }
    static bool answers(std::string const& reply, int status) {
        return reply.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
    }

    ControlHarness harness;
};

TEST_F(ControlApi, ListsTorrentsWithTheirPaths) {
    auto const reply = request("GET", "/v1/torrents");

    EXPECT_TRUE(answers(reply, 200)) << reply;
    EXPECT_TRUE(has(reply, R"("path":"/mnt/films/Film")")) << reply;
    EXPECT_TRUE(has(reply, R"("name":"Song")")) << reply;
}

// The directory of a magnet link is renamed when the metadata comes: what was told before must stay true.
TEST_F(ControlApi, TellsThePathByTheHashUntilTheMetadataIsThere) {
    auto const by_hash = R"("path":"/mnt/films/)" + std::string(40, 'd') + '"';
    harness.on_engine([&] { harness.control.with('d', "Magnet").status.pieces = 0; });

    auto const before = request("GET", "/v1/torrents/Magnet");
    auto const listed = request("GET", "/v1/torrents");
    harness.on_engine([&] { harness.control.known.back().status.pieces = 1; });
    auto const after = request("GET", "/v1/torrents/Magnet");

    EXPECT_TRUE(has(before, by_hash)) << before;
    EXPECT_TRUE(has(before, R"("directory":"Magnet")")) << before;
    EXPECT_TRUE(has(listed, by_hash)) << listed;
    EXPECT_TRUE(has(after, R"("path":"/mnt/films/Magnet")")) << after;
}

TEST_F(ControlApi, ShowsTheSession) {
    auto const reply = request("GET", "/v1/status");

    EXPECT_TRUE(has(reply, R"("mountpoint":"/mnt/films")")) << reply;
    EXPECT_TRUE(has(reply, R"("process_id":4711)")) << reply;
}

TEST_F(ControlApi, ShowsTheStatistics) {
    harness.on_engine([&] {
        harness.control.figures.seek_to_first_byte.add(std::chrono::milliseconds(1500));
        harness.control.figures.received.late = 16384;
    });

    auto const reply = request("GET", "/v1/stats");

    EXPECT_TRUE(answers(reply, 200)) << reply;
    EXPECT_TRUE(has(reply, R"("seek_to_first_byte":{"count":1,"sum_seconds":1.5,)")) << reply;
    EXPECT_TRUE(has(reply, R"("stalled":{"count":0,"sum_seconds":0,"p50_seconds":null,)")) << reply;
    EXPECT_TRUE(has(reply, R"("late_bytes":16384)")) << reply;
    EXPECT_TRUE(answers(request("POST", "/v1/stats", "{}"), 405));
    EXPECT_TRUE(answers(request("GET", "/v1/stats/more"), 404));
}

TEST_F(ControlApi, ShowsTheNodesOfTheDht) {
    harness.on_engine([&] {
        rqfs::torrent::DhtStatus node;
        node.good = 7;
        node.external = rqfs::torrent::Address::v4({20, 0, 0, 1});
        harness.control.nodes = {node};
    });

    auto const reply = request("GET", "/v1/dht");

    EXPECT_TRUE(answers(reply, 200)) << reply;
    EXPECT_TRUE(has(reply, R"("nodes":[{"v6":false,)")) << reply;
    EXPECT_TRUE(has(reply, R"("external":"20.0.0.1")")) << reply;
    EXPECT_TRUE(has(reply, R"("good":7)")) << reply;
    EXPECT_TRUE(answers(request("POST", "/v1/dht", "{}"), 405));
}

TEST_F(ControlApi, FindsATorrentByNameAndPrefix) {
    EXPECT_TRUE(answers(request("GET", "/v1/torrents/Song"), 200));
    EXPECT_TRUE(answers(request("GET", "/v1/torrents/aaa"), 200));
    EXPECT_TRUE(answers(request("GET", "/v1/torrents/Sing"), 404));
}

TEST_F(ControlApi, TellsWhyAFileWaits) {
    harness.on_engine([&] {
        rqfs::torrent::WhyStatus why;
        why.state = TorrentState::downloading;
        why.path = "Film.mkv";
        why.readers.push_back({"mpv", 1, false, 0, 0, {{{0, 10}, std::chrono::seconds(1), 0, {}}}});
        harness.control.known.front().why[rqfs::torrent::FileIndex(2)] = why;
    });

    auto const reply = request("GET", "/v1/torrents/Film/why?file=2");

    EXPECT_TRUE(answers(reply, 200)) << reply;
    EXPECT_TRUE(has(reply, R"("program":"mpv")")) << reply;
    EXPECT_TRUE(has(reply, R"("timeout_error":"EIO")")) << reply;
    EXPECT_TRUE(has(reply, R"(it fails with EIO after 1 min 0 s)")) << reply;
    EXPECT_TRUE(answers(request("GET", "/v1/torrents/Film/why?file=3"), 404));
    for (std::string const query :
         {"", "?file=", "?file=x", "?file=-1", "?file=2x", "?file=4294967296", "?file=2&more=1"})
        EXPECT_TRUE(answers(request("GET", "/v1/torrents/Film/why" + query), 400)) << query;
    EXPECT_TRUE(answers(request("POST", "/v1/torrents/Film/why?file=2"), 405));
}

TEST_F(ControlApi, AddsALinkAndATorrentFile) {
    auto const made = request("POST", "/v1/torrents", R"({"source": "magnet:x1", "paused": true})");
    auto const again = request("POST", "/v1/torrents", R"({"source": "magnet:x1"})");
    auto const file = request("POST", "/v1/torrents?download=true", "d4:infoe", "application/x-bittorrent; charset=x");

    EXPECT_TRUE(answers(made, 201)) << made;
    EXPECT_TRUE(answers(again, 200)) << again;
    EXPECT_TRUE(has(again, R"("was_there":true)")) << again;
    EXPECT_TRUE(answers(file, 201)) << file;
    EXPECT_EQ(calls(), (std::vector<std::string>{"add magnet:x1 paused", "add magnet:x1", "add file download"}));
    EXPECT_EQ(harness.control.uploaded.size(), 8u);
}

TEST_F(ControlApi, EditsTrackersInOneStepAndShowsThemWithAWarning) {
    harness.on_engine([&] {
        TrackerStatus tracker;
        tracker.url = "udp://a:1";
        harness.control.known.front().trackers.push_back(tracker);
        harness.control.edit_warns = "it is private";
    });

    auto const reply = request("PATCH", "/v1/torrents/Film/trackers",
                               R"({"add": ["udp://c:1", "udp://d:1"], "tier": 1, "remove": ["udp://b:1"],)"
                               R"( "replace": [["udp://a:1", "udp://b:1"], []]})");
    auto const shown = request("GET", "/v1/torrents/Film/trackers");

    EXPECT_TRUE(answers(reply, 200)) << reply;
    EXPECT_TRUE(has(reply, R"("warning":"it is private")")) << reply;
    EXPECT_TRUE(has(reply, R"("url":"udp://a:1")")) << reply;
    EXPECT_TRUE(has(shown, R"("url":"udp://a:1")")) << shown;
    EXPECT_FALSE(has(shown, "warning")) << shown;
    EXPECT_EQ(calls(),
              (std::vector<std::string>{"edit aaaaaaaa = udp://a:1 udp://b:1 = -udp://b:1 +udp://c:1 +udp://d:1 tier 1",
                                        "scrape aaaaaaaa"}));
}

TEST_F(ControlApi, AnnouncesToOneTrackerOrToAll) {
    harness.on_engine([&] { harness.control.announced.asked = {"udp://a:1"}; });

    auto const all = request("POST", "/v1/torrents/Film/announce");
    auto const one = request("POST", "/v1/torrents/Film/announce", R"({"tracker": "udp://a:1"})");

    EXPECT_TRUE(has(all, R"("asked":["udp://a:1"])")) << all;
    EXPECT_TRUE(answers(one, 200)) << one;
    EXPECT_EQ(calls(), (std::vector<std::string>{"announce aaaaaaaa", "announce aaaaaaaa udp://a:1"}));
}

TEST_F(ControlApi, TellsWhyAnAddFailed) {
    harness.on_engine([&] {
        harness.control.add_fails["magnet:bad1"] = {Errc::malformed, "the magnet link has no xt"};
    });

    auto const reply = request("POST", "/v1/torrents", R"({"source": "magnet:bad1"})");

    EXPECT_TRUE(answers(reply, 400)) << reply;
    EXPECT_TRUE(has(reply, R"({"error":{"kind":"malformed","message":"the magnet link has no xt"}})")) << reply;
}

TEST_F(ControlApi, ActsOnTorrents) {
    EXPECT_TRUE(answers(request("POST", "/v1/torrents/Film/pause"), 200));
    EXPECT_TRUE(answers(request("POST", "/v1/torrents/Film/resume", "{}"), 200));
    EXPECT_TRUE(answers(request("POST", "/v1/torrents/Film/verify", R"({"cancel": true})"), 200));
    EXPECT_TRUE(answers(request("POST", "/v1/torrents/Film/download", R"({"files": ["Film.mkv"]})"), 200));
    EXPECT_TRUE(answers(request("POST", "/v1/torrents/Film/connect", R"({"endpoint": "[fd99::1]:6881"})"), 200));
    EXPECT_TRUE(answers(request("DELETE", "/v1/torrents/Film?keep_data=true"), 200));
    EXPECT_EQ(calls(), (std::vector<std::string>{"pause aaaaaaaa", "resume aaaaaaaa", "verify aaaaaaaa cancel",
                                                 "download aaaaaaaa 0", "connect aaaaaaaa fd99::1 6881",
                                                 "remove aaaaaaaa keep"}));
}

TEST_F(ControlApi, SetsOnlyTheLimitsThatAreNamed) {
    auto const reply = request("PATCH", "/v1/limits", R"({"down": 512000})");

    EXPECT_TRUE(has(reply, R"({"up":0,"down":512000})")) << reply;
    EXPECT_EQ(calls(), std::vector<std::string>{"limit up=- down=512000"});
}

TEST_F(ControlApi, SetsLevels) {
    EXPECT_TRUE(answers(request("PATCH", "/v1/log", R"({"logger": "cache", "level": "debug"})"), 200));
    EXPECT_TRUE(
        answers(request("PATCH", "/v1/log", R"({"logger": "torrent", "level": "trace", "torrent": "Song"})"), 200));
    EXPECT_TRUE(
        answers(request("PATCH", "/v1/log", R"({"logger": "torrent", "level": "trace", "peer": "10.0.0.1:99"})"), 200));
    EXPECT_TRUE(answers(request("PATCH", "/v1/log", R"({"logger": "fs", "level": "trace", "torrent": "Song"})"), 400));
    EXPECT_EQ(calls(), (std::vector<std::string>{"log bbbbbbbb trace", "log 10.0.0.1:99 trace"}));
    EXPECT_EQ(harness.daemon.calls, std::vector<std::string>{"cache=debug"});
}

TEST_F(ControlApi, AnswersBeforeItStops) {
    auto const reply = request("POST", "/v1/stop");

    EXPECT_TRUE(answers(reply, 202)) << reply;
    harness.stop();
    EXPECT_EQ(harness.daemon.calls, std::vector<std::string>{"stop"});
}

TEST_F(ControlApi, RefusesWhatItDoesNotKnowWithASentence) {
    struct Case {
        std::string method, target, body;
        int status;
        std::string says;
    };
    std::vector<Case> const cases{
        {"GET", "/", "", 404, "no such resource"},
        {"GET", "/v2/torrents", "", 404, "no such resource"},
        {"GET", "/v1/torrents/Film/files/x", "", 404, "no such resource"},
        {"GET", "/v1/torrents/Film/secrets", "", 404, "no such resource"},
        {"PUT", "/v1/torrents", "", 405, "GET, POST"},
        {"DELETE", "/v1/torrents/Film/trackers", "", 405, "GET, PATCH"},
        {"PATCH", "/v1/torrents/Film/trackers", R"({"add": "udp://a:1"})", 400, "must be a list of strings"},
        {"PATCH", "/v1/torrents/Film/trackers", R"({"remove": [1]})", 400, "must be a list of strings"},
        {"PATCH", "/v1/torrents/Film/trackers", R"({"replace": ["udp://a:1"]})", 400, "must be a list of strings"},
        {"PATCH", "/v1/torrents/Film/trackers", R"({"replace": [null]})", 400, "must be a list of lists of strings"},
        {"PATCH", "/v1/torrents/Film/trackers", R"({"replace": 7})", 400, "must be a list of lists of strings"},
        {"PATCH", "/v1/torrents/Film/trackers", R"({"tier": 1})", 400, "nothing is added"},
        {"PATCH", "/v1/torrents/Film/trackers", R"({"url": "x"})", 400, "knows no member"},
        {"GET", "/v1/torrents/Film/announce", "", 405, "POST"},
        {"POST", "/v1/torrents/Film/announce", R"({"tracker": 7})", 400, "must be a string"},
        {"POST", "/v1/torrents/Film/announce", "", 409, "may be asked again in 60 s"},
        {"GET", "/v1/torrents/Film/pause", "", 405, "POST"},
        {"POST", "/v1/torrents/Film", "", 405, "GET, DELETE"},
        {"POST", "/v1/torrents", "{", 400, "not valid JSON"},
        {"POST", "/v1/torrents", "[]", 400, "must be a JSON object"},
        {"POST", "/v1/torrents", "{}", 400, "must name \\\"source\\\""},
        {"POST", "/v1/torrents", R"({"source": 5})", 400, "must be a string"},
        {"POST", "/v1/torrents", R"({"source": "x", "pausd": true})", 400, "knows no member \\\"pausd\\\""},
        {"POST", "/v1/torrents", R"({"source": "x", "paused": "yes"})", 400, "must be true or false"},
        {"DELETE", "/v1/torrents/Film?keepdata=true", "", 400, "knows no member \\\"keepdata\\\""},
        {"DELETE", "/v1/torrents/Film?keep_data=1", "", 400, "must be true or false"},
        {"PATCH", "/v1/limits", R"({"up": -1})", 400, "must be a whole number"},
        {"PATCH", "/v1/log", R"({"logger": "torrent", "level": "info", "torrent": "Film", "peer": "1.2.3.4:5"})", 400,
         "not both"},
        {"PATCH", "/v1/log", R"({"logger": "torrent", "level": "info", "peer": "nobody"})", 400, ""},
        {"PATCH", "/v1/log", R"({"logger": "fs", "level": "loud"})", 400, "trace, debug, info"},
        {"PATCH", "/v1/log", R"({"logger": "fs", "level": ""})", 400, "trace, debug, info"},
        {"PATCH", "/v1/log", R"({"logger": "torrent", "level": "loud", "torrent": "Film"})", 400, "trace, debug, info"},
        {"POST", "/v1/torrents/Film/download", R"({"files": ["none"]})", 404, "no file"},
        {"POST", "/v1/torrents/Song/download", R"({"files": ["x"]})", 404, "not known yet"},
        {"POST", "/v1/torrents/Film/download", R"({"files": "x"})", 400, "must be a list"},
        {"POST", "/v1/torrents/Film/connect", R"({"endpoint": "host"})", 400, "HOST:PORT"},
        {"POST", "/v1/torrents/Film/connect", R"({"endpoint": "host:0"})", 400, "HOST:PORT"},
        {"POST", "/v1/torrents/Film/connect", R"({"endpoint": "fd99::1:6881"})", 400, "HOST:PORT"},
        {"GET", "/v1/torrents/%zz", "", 400, "target is malformed"},
    };

    for (auto const& c : cases) {
        auto const reply = request(c.method, c.target, c.body);

        EXPECT_TRUE(answers(reply, c.status)) << c.method << " " << c.target << " " << c.body << "\n" << reply;
        EXPECT_TRUE(has(reply, c.says)) << c.target << "\n" << reply;
        EXPECT_TRUE(has(reply, R"({"error":{"kind":")")) << reply;
    }
    EXPECT_TRUE(calls().empty());
}

TEST_F(ControlApi, NamesTheMethodsThereAre) {
    EXPECT_TRUE(has(request("PUT", "/v1/torrents"), "Allow: GET, POST\r\n"));
}

}  // namespace
