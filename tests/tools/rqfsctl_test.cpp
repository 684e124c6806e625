#include "tests/tools/control_harness.h"
#include "torrent/endpoint.h"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace rqfs::tests;
using rqfs::torrent::Errc;
using rqfs::torrent::FileIndex;
using rqfs::torrent::FileStatus;
using rqfs::torrent::TorrentState;
using rqfs::torrent::TrackerStatus;

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

class Rqfsctl : public testing::Test {
protected:
    Rqfsctl() {
        auto& film = harness.control.with('a', "Film", TorrentState::downloading);
        film.status.reason = "asking 3 peers";
        film.status.pieces = film.status.have_pieces = 4;
        film.status.size_bytes = film.status.have_bytes = 1u << 20;
        film.status.progress = 1;
        FileStatus file;
        file.path = "Film.mkv";
        film.files.push_back(file);
        auto& evil = harness.control.with('b', "evil\x1b[31m", TorrentState::metadata);
        evil.status.reason = "no peers yet";
        harness.start();
    }

    Finished run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--socket", harness.socket()});
        return run_program(RQFSCTL_PATH, arguments);
    }

    std::vector<std::string> calls() {
        harness.stop();
        return harness.control.calls;
    }

    std::string file(std::string const& name, std::string const& content) {
        auto const path = harness.directory() + "/" + name;
        std::ofstream(path) << content;
        return path;
    }

    ControlHarness harness;
};

TEST_F(Rqfsctl, ListsTorrentsInColumns) {
    auto const finished = run({"list"});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out,
              "HASH      STATE        DONE     SIZE  DOWN  UP  PEERS  NAME\n"
              "aaaaaaaa  downloading  100%  1.0 MiB     -   -      0  Film\n"
              "bbbbbbbb  metadata     0.0%        -     -   -      0  evil\\x1b[31m\n");
}

TEST_F(Rqfsctl, SaysInWordsWhyATorrentWaits) {
    auto const finished = run({"status", "bbb"});

    EXPECT_TRUE(has(finished.out, "  state       metadata: no peers yet\n")) << finished.out;
}

TEST_F(Rqfsctl, ShowsTheSession) {
    auto const finished = run({"status"});

    EXPECT_EQ(finished.exit_status, 0);
    EXPECT_TRUE(has(finished.out, "mounted at  /mnt/films\n")) << finished.out;
}

TEST_F(Rqfsctl, SaysOfAnInterfaceThatHasGoneWhatIsWrongAndForHowLong) {
    harness.on_engine([&] {
        harness.control.session.interface = {"tun0", "", {}, 1, std::chrono::seconds(12), "there is no interface tun0"};
    });

    auto const finished = run({"status"});

    EXPECT_TRUE(has(finished.out, "  interface   there is no interface tun0; it has been away for 12 s\n"))
        << finished.out;
}

TEST_F(Rqfsctl, SaysOfAnInterfaceThatItIsBack) {
    auto const address = rqfs::torrent::Address::parse("10.8.0.2").value();
    harness.on_engine(
        [&] { harness.control.session.interface = {"tun0", "tun0", {address}, 3, std::chrono::seconds(5), ""}; });

    auto const finished = run({"status"});

    EXPECT_TRUE(has(finished.out, "  interface   everything goes through tun0 (10.8.0.2); back for 5 s, gone 3 times"))
        << finished.out;
}

TEST_F(Rqfsctl, SaysNothingOfInterfacesWhereNoneIsSet) { EXPECT_FALSE(has(run({"status"}).out, "interface")); }

TEST_F(Rqfsctl, ShowsWhatTheIpFilterDoes) {
    harness.on_engine([&] { harness.control.session.ip_filter = {2, 1'000, 3, 44, "the newer one is missing"}; });

    auto const finished = run({"status"});

    EXPECT_TRUE(has(finished.out,
                    "1000 ranges of 2 lists, 44 connections refused, 3 bad lines skipped: the newer one is missing\n"))
        << finished.out;
}

TEST_F(Rqfsctl, ShowsTheStatisticsInThreeTables) {
    harness.on_engine([&] {
        auto& figures = harness.control.figures;
        for (int i = 0; i < 20; ++i) figures.open_to_first_byte.add(std::chrono::milliseconds(300));
        figures.stalled.add(std::chrono::milliseconds(2500));
        figures.stalled.add(std::chrono::minutes(12));
        figures.received.wanted = 900 * 1024;
        figures.received.duplicate = 100 * 1024;
        figures.unread_read_ahead_bytes = 250 * 1024;
        figures.kept_index_bytes = 3 * 1024 * 1024;
    });

    auto const finished = run({"stats"});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out,
              "WAITS               COUNT     P50     P95     SUM\n"
              "open to first byte     20  250 ms  295 ms   6.0 s\n"
              "seek to first byte      0       -       -       -\n"
              "stalled                 2   3.0 s  10 min  12 min\n"
              "\n"
              "RECEIVED              SIZE  SHARE\n"
              "wanted             900 KiB  90.0%\n"
              "duplicate          100 KiB  10.0%\n"
              "late                   0 B   0.0%\n"
              "failed hash            0 B   0.0%\n"
              "dropped                0 B   0.0%\n"
              "unread read-ahead  250 KiB  25.0%\n"
              "\n"
              "MEMORY                    SIZE\n"
              "indexes of open films  3.0 MiB\n");
}

TEST_F(Rqfsctl, ShowsTheNodesOfTheDht) {
    harness.on_engine([&] {
        rqfs::torrent::DhtStatus node;
        node.id = std::string(40, 'c');
        node.external = rqfs::torrent::Address::v4({20, 0, 0, 1});
        node.connected = true;
        node.good = 120;
        node.buckets = 9;
        node.searches = 2;
        node.received_bytes = 2048;
        harness.control.nodes = {node, {}};
        harness.control.nodes.back().v6 = true;
    });

    auto const finished = run({"dht"});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_TRUE(
        finished.out.starts_with("IPv4: connected\n"
                                 "  id          cccccccccccccccccccccccccccccccccccccccc\n"
                                 "  address     20.0.0.1\n"
                                 "  nodes       120 good, 0 questionable, 0 bad, in 9 buckets; 0 wait for a place\n"
                                 "  searches    for 2 torrents\n"))
        << finished.out;
    EXPECT_TRUE(has(finished.out, "  traffic     down 2.0 KiB, up 0 B\nIPv6: looking for nodes")) << finished.out;
}

TEST_F(Rqfsctl, SaysThatTheDhtIsOffAndWhy) {
    harness.on_engine([&] { harness.control.no_dht = "the proxy relays no datagrams"; });

    EXPECT_EQ(run({"dht"}).out, "the DHT is off: the proxy relays no datagrams\n");
}

TEST_F(Rqfsctl, SaysOfTheDhtThatNothingGoesOut) {
    harness.on_engine([&] {
        harness.control.nodes = {{}};
        harness.control.hindrance = "nothing is sent, because there is no interface tun0";
    });

    EXPECT_TRUE(
        run({"dht"}).out.starts_with("nothing is sent, because there is no interface tun0\nIPv4: looking for nodes"));
}

TEST_F(Rqfsctl, SaysOfTheProxyWhatIsWrongWithIt) {
    harness.on_engine([&] {
        harness.control.session.proxy = "socks5://10.0.0.1:1080";
        harness.control.hindrance = "it is away";
    });

    EXPECT_TRUE(has(run({"status"}).out, "  proxy       socks5://10.0.0.1:1080: it is away\n"));
    harness.on_engine([&] { harness.control.session.interface.trouble = "it is away"; });
    EXPECT_TRUE(has(run({"status"}).out, "  proxy       socks5://10.0.0.1:1080\n"));
}

TEST_F(Rqfsctl, CountsOneThingAsOne) {
    harness.on_engine([&] {
        auto& film = harness.control.known.front().status;
        film.readers = film.blocked_reads = film.seeds_connected = 1;
        harness.control.session.ip_filter = {1, 1, 1, 1, ""};
        rqfs::torrent::DhtStatus node;
        node.buckets = node.searches = node.replacements = node.queries_in_flight = 1;
        node.stored_peers = node.stored_torrents = 1;
        harness.control.nodes = {node};
    });

    auto const film = run({"status", "Film"}).out;
    auto const dht = run({"dht"}).out;

    EXPECT_TRUE(has(film, "1 open file, 1 read waiting for data\n")) << film;
    EXPECT_TRUE(has(film, "0 connected, 1 of them a seed; 0 known\n")) << film;
    EXPECT_TRUE(has(run({"status"}).out, "1 range of 1 list, 1 connection refused, 1 bad line skipped\n"));
    EXPECT_TRUE(has(dht, "in 1 bucket; 1 waits for a place\n  searches    for 1 torrent\n")) << dht;
    EXPECT_TRUE(has(dht, "0 under way, 1 query unanswered\n  stored      1 peer of 1 torrent\n")) << dht;
}

TEST_F(Rqfsctl, PrintsPathAndMagnetAlone) {
    EXPECT_EQ(run({"path", "Film"}).out, "/mnt/films/Film\n");
    EXPECT_EQ(run({"path", "bbb"}).out, "/mnt/films/" + std::string(40, 'b') + "\n")
        << "its directory is renamed later";
    EXPECT_EQ(run({"magnet", "Film"}).out, "magnet:?xt=urn:btih:" + std::string(40, 'a') + "\n");
}

TEST_F(Rqfsctl, PrintsOneJsonDocumentForEveryCommand) {
    std::vector<std::vector<std::string>> const commands{{"list"},
                                                         {"status"},
                                                         {"status", "Film"},
                                                         {"stats"},
                                                         {"dht"},
                                                         {"files", "Film"},
                                                         {"peers", "Film"},
                                                         {"trackers", "Film"},
                                                         {"trackers", "Film", "--add", "udp://a:1"},
                                                         {"path", "Film"},
                                                         {"magnet", "Film"},
                                                         {"add", "magnet:x1"},
                                                         {"download", "Film"},
                                                         {"pause", "Film"},
                                                         {"resume", "Film"},
                                                         {"verify", "Film"},
                                                         {"connect", "Film", "10.0.0.1:6881"},
                                                         {"limit", "--up", "1M"},
                                                         {"log", "fs=debug"},
                                                         {"remove", "Film"}};

    for (auto command : commands) {
        command.push_back("--json");
        auto const finished = run(command);

        EXPECT_EQ(finished.exit_status, 0) << command.front() << finished.err;
        boost::system::error_code code;
        boost::json::parse(finished.out, code);
        EXPECT_FALSE(code) << command.front() << ": " << finished.out;
    }
}

TEST_F(Rqfsctl, AddsLinksAndFilesAndPrintsHashAndPath) {
    auto const torrent = file("x.torrent", "d4:infode1:ae");
    harness.on_engine([&] { harness.control.with('f', "file").status.pieces = 1; });

    auto const finished = run({"add", "--paused", "magnet:x1", torrent, std::string(40, 'c')});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    auto const by_hash = [](char digit) {
        return std::string(40, digit) + " /mnt/films/" + std::string(40, digit) + "\n";
    };
    EXPECT_EQ(finished.out, by_hash('1') + std::string(40, 'f') + " /mnt/films/file\n" + by_hash('c'));
    EXPECT_EQ(calls().front(), "add magnet:x1 paused");
    EXPECT_EQ(harness.control.uploaded.size(), 13u);
}

TEST_F(Rqfsctl, GoesOnAfterASourceThatFails) {
    harness.on_engine([&] {
        harness.control.add_fails["magnet:bad1"] = {Errc::malformed, "the magnet link has no xt"};
    });

    auto const finished = run({"add", "/no/such.torrent", "magnet:bad1", "magnet:good2"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.err,
              "rqfsctl: \"/no/such.torrent\" is no magnet link, no URL, and cannot be read as a torrent file: No such "
              "file or directory\n"
              "rqfsctl: the magnet link has no xt\n");
    EXPECT_EQ(finished.out, std::string(40, '2') + " /mnt/films/" + std::string(40, '2') + "\n");
}

TEST_F(Rqfsctl, RefusesWhatCannotBeATorrentFile) {
    EXPECT_TRUE(has(run({"add", harness.directory()}).err, "is a directory"));
    EXPECT_TRUE(has(run({"add", file("empty", "")}).err, "is empty"));
    auto const large = file("large", "");
    ASSERT_EQ(truncate(large.c_str(), (64 << 20) + 1), 0);
    EXPECT_TRUE(has(run({"add", large}).err, "over 64 MiB"));
}

TEST_F(Rqfsctl, SaysHowManyDigitsAnInfoHashHas) {
    for (std::size_t const digits : {31u, 39u, 41u}) {
        std::string const text(digits, 'a');

        EXPECT_EQ(run({"add", text}).err,
                  "rqfsctl: \"" + text +
                      "\" is no file, and no info-hash: an info-hash has 40 hexadecimal or 32 base32 digits, not " +
                      std::to_string(digits) + "\n");
    }
    EXPECT_TRUE(has(run({"add", "Film.torrent"}).err, "cannot be read as a torrent file")) << "a name is no hash";
}

TEST_F(Rqfsctl, WaitsForTheMetadata) {
    auto waiting = std::thread([&] {
        bool added = false;
        while (!added) harness.on_engine([&] { added = harness.control.known.size() == 3; });
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        harness.on_engine([&] {
            harness.control.known[2].status.pieces = 9;
            harness.control.known[2].status.directory = "Real Name";
        });
    });

    auto const finished = run({"add", "--wait", "magnet:x1"});

    waiting.join();
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out, std::string(40, '1') + " /mnt/films/Real Name\n");
}

TEST_F(Rqfsctl, WaitsOnlyForWhatIsWanted) {
    harness.on_engine([&] {
        auto& part = harness.control.with('1', "Part");
        part.status.pieces = 9;
        part.status.have_pieces = 2;
        part.status.download = true;
        part.status.wanted_bytes = part.status.wanted_have_bytes = 100;
        auto& empty = harness.control.with('2', "Empty files");
        empty.status.pieces = 9;
        empty.status.download = true;
    });

    EXPECT_EQ(run({"add", "--wait", "--download", "magnet:x1"}).exit_status, 0);
    EXPECT_EQ(run({"add", "--wait", "--download", "magnet:x2"}).exit_status, 0);
}

TEST_F(Rqfsctl, DoesNotWaitWhenNothingIsWanted) {
    harness.on_engine([&] { harness.control.with('1', "Film 1").status.pieces = 9; });

    auto const finished = run({"add", "--wait", "--download", "magnet:x1"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.err, "rqfsctl: nothing of \"Film 1\" is wanted: it has none of the files named\n");
}

TEST_F(Rqfsctl, WaitsNoLongerThanThereIsHope) {
    harness.on_engine([&] {
        auto& failed = harness.control.with('1', "Broken", TorrentState::error);
        failed.status.reason = "the metadata does not match its hash";
    });

    auto const finished = run({"add", "--wait", "magnet:x1"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.err, "rqfsctl: \"Broken\" failed: the metadata does not match its hash\n");
}

TEST_F(Rqfsctl, ActsOnEveryTorrentAndReportsTheOneThatFails) {
    auto const finished = run({"pause", "Film", "none", "bbbb"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.err, "rqfsctl: no torrent is called \"none\", and no info-hash begins with it\n");
    EXPECT_EQ(calls(), (std::vector<std::string>{"pause aaaaaaaa", "pause bbbbbbbb"}));
}

TEST_F(Rqfsctl, SendsEveryOptionOn) {
    EXPECT_EQ(run({"remove", "bbbb", "--keep-data"}).exit_status, 0);
    EXPECT_EQ(run({"verify", "Film", "--cancel"}).exit_status, 0);
    EXPECT_EQ(run({"download", "Film", "Film.mkv"}).exit_status, 0);
    EXPECT_EQ(run({"connect", "Film", "seed.example:6881", "--timeout", "0"}).exit_status, 0);
    EXPECT_EQ(run({"limit", "--up", "500K", "--down", "unlimited"}).out, "up 500 KiB/s, down unlimited\n");
    EXPECT_EQ(run({"log", "--torrent", "Film", "torrent=trace"}).exit_status, 0);
    EXPECT_EQ(run({"log", "--peer", "10.0.0.1:99", "torrent="}).exit_status, 0);
    EXPECT_EQ(calls(), (std::vector<std::string>{"remove bbbbbbbb keep", "verify aaaaaaaa cancel",
                                                 "download aaaaaaaa 0", "connect aaaaaaaa seed.example 6881",
                                                 "limit up=512000 down=0", "log aaaaaaaa trace", "log 10.0.0.1:99 "}));
}

TEST_F(Rqfsctl, EditsTrackersAndPrintsOnlyWarnings) {
    harness.on_engine([&] { harness.control.edit_warns = "it is private"; });

    auto const added =
        run({"trackers", "Film", "--add", "udp://a:1", "--tier", "2", "--add", "udp://b:1", "--remove", "udp://c:1"});
    EXPECT_EQ(run({"trackers", "Film", "--replace", "udp://a:1", "udp://b:1"}).exit_status, 0);
    EXPECT_EQ(run({"trackers", "Film", "--tier", "2"}).exit_status, 2);

    EXPECT_EQ(added.exit_status, 0);
    EXPECT_EQ(added.out, "");
    EXPECT_EQ(added.err, "rqfsctl: it is private\n");
    EXPECT_EQ(calls(), (std::vector<std::string>{"edit aaaaaaaa -udp://c:1 +udp://a:1 +udp://b:1 tier 2",
                                                 "edit aaaaaaaa = udp://a:1 = udp://b:1"}));
}

TEST_F(Rqfsctl, AnnouncesAndSaysWhoWasNotAsked) {
    auto const early = run({"announce", "Film", "udp://a:1"});
    harness.on_engine([&] {
        harness.control.announced.dht = true;
        harness.control.announced.refused = {"udp://a:1 may be asked again in 5 s"};
    });
    auto const all = run({"announce", "Film"});

    EXPECT_EQ(early.exit_status, 1);
    EXPECT_EQ(early.err, "rqfsctl: t may be asked again in 60 s\n");
    EXPECT_EQ(all.exit_status, 0);
    EXPECT_EQ(all.out, "Searching the DHT.\n");
    EXPECT_EQ(all.err, "rqfsctl: udp://a:1 may be asked again in 5 s\n");
    EXPECT_TRUE(has(run({"announce", "Film", "--json"}).out, "\"dht\":true"));
}

TEST_F(Rqfsctl, ShowsWhatTrackersCountAndWhatIsWrongWithThem) {
    harness.on_engine([&] {
        TrackerStatus works;
        works.url = "udp://a:1";
        works.state = "working";
        works.peers = 3;
        works.seeders = 5;
        works.leechers = 6;
        works.downloads = 7;
        works.next_announce = std::chrono::seconds(30);
        works.families = {{false, "working", "", 3}, {true, "failed", "no answer", 0}};
        TrackerStatus dumb;
        dumb.url = "http://b/";
        dumb.state = "working";
        dumb.tier = 1;
        dumb.scrape_message = "its URL has no place for that";
        harness.control.known.front().trackers = {works, dumb};
    });

    EXPECT_EQ(run({"trackers", "Film"}).out,
              "TIER  STATE    PEERS  SEEDS  LEECHERS  DOWNLOADS  NEXT  TRACKER\n"
              "   0  working      3      5         6          7  30 s  udp://a:1; over IPv6: no answer\n"
              "   1  working      0      -         -          -     -  http://b/; no figures: its URL has no place for "
              "that\n");
}

TEST_F(Rqfsctl, FindsATorrentByAPathInTheMount) {
    auto const path = file("inside.mkv", "x");
    std::string const hash(40, 'a');
    if (setxattr(path.c_str(), "user.rqfs.infohash", hash.data(), hash.size(), 0) != 0)
        GTEST_SKIP() << "the temporary directory knows no user xattrs";

    EXPECT_EQ(run({"path", path}).out, "/mnt/films/Film\n");
}

TEST_F(Rqfsctl, TellsWhyAFileWaits) {
    auto const path = file("film.mkv", "x");
    std::string const hash(40, 'a');
    if (setxattr(path.c_str(), "user.rqfs.infohash", hash.data(), hash.size(), 0) != 0)
        GTEST_SKIP() << "the temporary directory knows no user xattrs";
    setxattr(path.c_str(), "user.rqfs.file", "5", 1, 0);
    harness.on_engine([&] {
        rqfs::torrent::WhyStatus why;
        why.state = TorrentState::downloading;
        why.path = "Film.mkv";
        harness.control.known.front().why[FileIndex(5)] = why;
    });

    EXPECT_EQ(run({"why", path}).out, "Film.mkv: 0 of 0 bytes here\nno read waits: nobody has the file open\n");
    EXPECT_EQ(boost::json::parse(run({"--json", "why", path}).out).at("file"), "Film.mkv");
}

TEST_F(Rqfsctl, SaysWhatIsNoFileOfATorrent) {
    auto const outside = file("outside.mkv", "x");
    auto const missing = harness.directory() + "/missing";

    auto const of_outside = run({"why", outside});
    auto const of_missing = run({"why", missing});

    EXPECT_EQ(of_outside.exit_status, 1);
    EXPECT_EQ(of_outside.err, "rqfsctl: \"" + outside + "\" is not a file of a torrent in the mount\n");
    EXPECT_EQ(of_missing.exit_status, 1);
    EXPECT_EQ(of_missing.err, "rqfsctl: \"" + missing + "\": No such file or directory\n");
    EXPECT_EQ(run({"why", ""}).exit_status, 2);
    EXPECT_EQ(run({"why"}).exit_status, 2);
}

TEST_F(Rqfsctl, SaysThatADirectoryIsNoFile) {
    auto const film = harness.directory() + "/film";
    auto const magnet = harness.directory() + "/magnet";
    for (auto const& [path, digit] : {std::pair{film, 'a'}, std::pair{magnet, 'b'}}) {
        std::filesystem::create_directory(path);
        std::string const hash(40, digit);
        if (setxattr(path.c_str(), "user.rqfs.infohash", hash.data(), hash.size(), 0) != 0)
            GTEST_SKIP() << "the temporary directory knows no user xattrs";
    }

    EXPECT_EQ(run({"why", film}).err, "rqfsctl: \"" + film + "\" is a directory: name one of the files inside\n");
    EXPECT_EQ(run({"why", magnet}).err,
              "rqfsctl: \"" + magnet + "\" has no files yet, the metadata is missing: no peers yet\n");
}

TEST_F(Rqfsctl, SaysThatAPathIsOutsideTheMount) {
    auto const path = file("outside", "x");

    auto const finished = run({"path", path});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.err, "rqfsctl: \"" + path + "\" is not inside the directory of a torrent\n");
}

TEST_F(Rqfsctl, ListsTheCandidatesOfAnAmbiguousName) {
    harness.on_engine([&] { harness.control.with('e', "Film"); });

    auto const finished = run({"pause", "Film"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.err, "rqfsctl: \"Film\" fits 2 torrents: aaaaaaaa Film, eeeeeeee Film\n");
    EXPECT_TRUE(calls().empty());
}

TEST_F(Rqfsctl, EndsWith2WhenUsedWrongly) {
    for (std::vector<std::string> const& arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"dance"},
                                               {"add"},
                                               {"pause"},
                                               {"files"},
                                               {"list", "--dance"},
                                               {"connect", "Film"},
                                               {"limit", "--up", "fast"},
                                               {"log", "debug"},
                                               {"log", "--torrent", "a", "--peer", "1.2.3.4:5", "torrent=debug"},
                                               {"path", "a", "b"},
                                               {"path", ""}}) {
        auto const finished = run(arguments);

        EXPECT_EQ(finished.exit_status, 2) << (arguments.empty() ? "" : arguments.front()) << finished.err;
        EXPECT_TRUE(finished.err.starts_with("rqfsctl: ")) << finished.err;
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
        EXPECT_EQ(finished.out, "");
    }
}

TEST_F(Rqfsctl, SaysInTheUsersWordsWhatWasExpected) {
    std::vector<std::pair<std::vector<std::string>, std::string>> const cases{
        {{"bogus"}, "there is no command 'bogus'"},
        {{"--bogus"}, "there is no option '--bogus'"},
        {{}, "a command is required"},
        {{"connect", "Film", "foo"}, "HOST:PORT was expected, not 'foo'"},
        {{"connect", "Film", "fd99::1:6881"}, "HOST:PORT was expected, not 'fd99::1:6881'"},
        {{"connect", "Film", "10.0.0.1:1", "--timeout", "abc"},
         "--timeout: a whole number of seconds was expected, not 'abc'"},
        {{"announce", "Film", "--timeout", "1.5"}, "--timeout: a whole number of seconds was expected, not '1.5'"},
        {{"trackers", "Film", "--add", "udp://a:1", "--tier", "abc"},
         "--tier: the number of a tier, as the list shows it, was expected, not 'abc'"},
        {{"log", "torrent=foo"}, "the level trace, debug, info, warn, error or off was expected, not 'foo'"},
        {{"log", "torrent="}, "the level trace, debug, info, warn, error or off was expected, not ''"},
        {{"log", "debug"}, "LOGGER=LEVEL like torrent=debug was expected, not 'debug'"}};

    for (auto const& [arguments, sentence] : cases) {
        auto const finished = run(arguments);

        EXPECT_EQ(finished.exit_status, 2) << sentence;
        EXPECT_EQ(finished.err, "rqfsctl: " + sentence + "; rqfsctl --help tells more\n");
    }
}

TEST_F(Rqfsctl, PrintsHelpAndVersion) {
    EXPECT_TRUE(has(run({"--help"}).out, "\nUsage: rqfsctl [OPTIONS] COMMAND\n"));
    EXPECT_TRUE(has(run({"add", "--help"}).out, "\nUsage: rqfsctl add [OPTIONS] SOURCE...\n"));
    EXPECT_TRUE(has(run({"--help"}).out, "remove"));
    EXPECT_TRUE(has(run({"add", "--help"}).out, "--paused"));
    EXPECT_TRUE(run({"--version"}).out.starts_with("rqfsctl "));
}

TEST(RqfsctlAlone, EndsWith3WhenNoDaemonIsThere) {
    auto const finished = run_program(RQFSCTL_PATH, {"--socket", "/nowhere/rqfs.sock", "list"});

    EXPECT_EQ(finished.exit_status, 3);
    EXPECT_EQ(finished.err,
              "rqfsctl: no daemon answers at /nowhere/rqfs.sock; is rqfs running? (--socket says where)\n");
}

TEST(RqfsctlAlone, ComesBackFromStopWhenTheDaemonHasEnded) {
    std::string directory = std::filesystem::temp_directory_path().string() + "/rqfs-stop-XXXXXX";
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    auto const socket = directory + "/s";
    pid_t const daemon = fork();
    if (daemon == 0) {
        // A daemon that needs half a second to end.
        class Stopping final : public rqfs::tools::DaemonControl {
        public:
            explicit Stopping(boost::asio::io_context& engine) : engine_(engine) {}
            std::string mountpoint() const override { return {}; }
            std::string directory_path(rqfs::torrent::InfoHash const&) const override { return {}; }
            std::string store() const override { return {}; }
            std::uint32_t process_id() const override { return 0; }
            rqfs::torrent::ReadLimit read_limit() const override { return {}; }
            void request_stop() override { engine_.stop(); }
            void set_log_level(std::string_view, std::string_view) override {}

        private:
            boost::asio::io_context& engine_;
        };
        boost::asio::io_context engine;
        Stopping stopping(engine);
        FakeControl control;
        rqfs::torrent::SteadyClock clock;
        rqfs::tools::ControlServer server(engine.get_executor(), clock, control, stopping);
        server.open(socket);
        engine.run_for(std::chrono::seconds(20));
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        _exit(0);
    }
    while (access(socket.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));

    auto const finished = run_program(RQFSCTL_PATH, {"--socket", socket, "stop"});

    int status = 0;
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(waitpid(daemon, &status, WNOHANG), daemon) << "rqfsctl came back too early";
    std::filesystem::remove_all(directory);
}

}  // namespace
