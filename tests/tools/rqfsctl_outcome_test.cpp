// What rqfsctl says of that which it only begins.
#include "tests/tools/control_harness.h"
#include "torrent/endpoint.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace rqfs::tests;
using rqfs::torrent::Endpoint;
using rqfs::torrent::PeerStatus;
using rqfs::torrent::TorrentState;
using rqfs::torrent::TrackerStatus;

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

TrackerStatus tracker(std::string url, std::string state, std::string message = {}) {
    TrackerStatus status;
    status.url = std::move(url);
    status.state = std::move(state);
    status.message = std::move(message);
    return status;
}

class RqfsctlOutcome : public testing::Test {
protected:
    RqfsctlOutcome() {
        auto& film = harness.control.with('a', "Film", TorrentState::downloading);
        film.status.pieces = 4;
        harness.start();
    }

    Finished run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"--socket", harness.socket()});
        return run_program(RQFSCTL_PATH, arguments);
    }
    FakeControl::Torrent& film() { return harness.control.known.front(); }
    void trackers_are(std::vector<TrackerStatus> const& trackers, bool dht = false) {
        harness.on_engine([&] {
            film().trackers = trackers;
            harness.control.announced = {};
            for (auto const& each : trackers) harness.control.announced.asked.push_back(each.url);
            harness.control.announced.dht = dht;
        });
    }
    void peer_is_connected(std::string const& at, std::string const& source) {
        PeerStatus peer;
        peer.endpoint = Endpoint::parse(at).value();
        peer.source = source;
        harness.on_engine([&] { film().peers.push_back(peer); });
    }

    ControlHarness harness;
};

TEST_F(RqfsctlOutcome, AnAnnounceSaysWhoIsAskedAndWhatEachTrackerAnswers) {
    auto works = tracker("udp://a:1", "working");
    works.peers = 3;
    trackers_are({works, tracker("http://b/", "failed", "it answers with status 403")}, true);

    auto const finished = run({"announce", "Film"});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out,
              "Announcing to 2 trackers, searching the DHT.\n"
              "udp://a:1: accepted, 3 peers\n"
              "http://b/: failed: it answers with status 403\n");
}

TEST_F(RqfsctlOutcome, AnAnnounceThatNoTrackerAcceptsHasFailed) {
    trackers_are({tracker("http://b/", "failed", "it answers with status 403")});

    auto const finished = run({"announce", "Film"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.out, "Announcing to http://b/.\nhttp://b/: failed: it answers with status 403\n");
    EXPECT_EQ(finished.err, "rqfsctl: no tracker has accepted the announce\n");
}

TEST_F(RqfsctlOutcome, AnAnnounceWaitsForATrackerThatIsBeingAsked) {
    trackers_are({tracker("udp://a:1", "announcing")});
    auto answering = std::thread([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        harness.on_engine([&] { film().trackers.front().state = "working"; });
    });

    auto const finished = run({"announce", "Film"});

    answering.join();
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_TRUE(has(finished.out, "udp://a:1: accepted, 0 peers\n")) << finished.out;
}

TEST_F(RqfsctlOutcome, AnAnnounceWaitsNoLongerThanItWasTold) {
    trackers_are({tracker("udp://a:1", "announcing")});

    auto const finished = run({"announce", "Film", "--timeout", "1"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_TRUE(has(finished.out, "udp://a:1: no answer yet\n`rqfsctl trackers Film` shows what comes of it.\n"))
        << finished.out;
    EXPECT_EQ(finished.err, "rqfsctl: no tracker has accepted the announce within 1 s\n");
}

TEST_F(RqfsctlOutcome, AnAnnounceThatIsNotToWaitSaysWhereToLook) {
    trackers_are({tracker("udp://a:1", "announcing")});

    auto const finished = run({"announce", "Film", "--timeout", "0"});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out, "Announcing to udp://a:1.\n`rqfsctl trackers Film` shows what comes of it.\n");
}

TEST_F(RqfsctlOutcome, ATrackerThatIsNotContactedAnyMoreHasAcceptedNothing) {
    trackers_are({tracker("udp://a:1", "not contacted")});

    auto const finished = run({"announce", "Film"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.out, "Announcing to udp://a:1.\nudp://a:1: not asked\n");
    EXPECT_EQ(finished.err, "rqfsctl: no tracker has accepted the announce\n");
}

TEST_F(RqfsctlOutcome, ATrackerThatIsTakenOutMeanwhileIsNotWaitedFor) {
    trackers_are({tracker("udp://a:1", "working"), tracker("udp://b:1", "announcing")});
    harness.on_engine([&] { film().trackers.pop_back(); });

    EXPECT_EQ(run({"announce", "Film"}).out, "Announcing to 2 trackers.\nudp://a:1: accepted, 0 peers\n");
}

TEST_F(RqfsctlOutcome, APeerThatIsReachedIsSaidToBeConnected) {
    peer_is_connected("10.0.0.1:6881", "user");

    auto const finished = run({"connect", "Film", "10.0.0.1:6881"});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out, "Connecting to 10.0.0.1:6881.\nConnected.\n");
}

TEST_F(RqfsctlOutcome, APeerByNameIsConnectedWhenOneHasComeThatWasNotThereBefore) {
    peer_is_connected("10.0.0.2:6881", "user");
    auto coming = std::thread([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1000));
        peer_is_connected("10.0.0.1:6881", "user");
    });

    auto const finished = run({"connect", "Film", "seed.example:6881"});

    coming.join();
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out, "Connecting to seed.example:6881.\nConnected.\n");
}

TEST_F(RqfsctlOutcome, OfAPeerByNameNoMoreIsSaidThanIsKnown) {
    peer_is_connected("10.0.0.1:6881", "tracker");
    peer_is_connected("10.0.0.2:6881", "user");

    auto const finished = run({"connect", "Film", "seed.example:6881", "--timeout", "1"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.out, "Connecting to seed.example:6881.\n") << "whoever was there before is no sign of it";
    EXPECT_EQ(finished.err,
              "rqfsctl: no new peer is connected by the name seed.example:6881 after 1 s: it did not answer, or was "
              "connected before; `rqfsctl peers Film` shows all\n");
}

TEST_F(RqfsctlOutcome, APeerThatDoesNotAnswerIsSaidNotToBeThere) {
    peer_is_connected("10.0.0.2:6881", "tracker");

    auto const finished = run({"connect", "Film", "10.0.0.1:6881", "--timeout", "1"});

    EXPECT_EQ(finished.exit_status, 1);
    EXPECT_EQ(finished.err,
              "rqfsctl: 10.0.0.1:6881 is not among the peers after 1 s: it did not answer, or has left again; the log "
              "of level debug says more\n");
}

TEST_F(RqfsctlOutcome, APeerThatIsNotReachedHasTheReasonOfItsDial) {
    harness.on_engine([&] {
        film().unreached = {{Endpoint::parse("10.0.0.1:6881").value(), "connection refused"},
                            {Endpoint::parse("10.0.0.1:6882").value(), "timed out"}};
    });

    auto const by_address = run({"connect", "Film", "10.0.0.1:6881", "--timeout", "1"});
    auto const by_name = run({"connect", "Film", "seed.example:6882", "--timeout", "1"});

    EXPECT_EQ(by_address.exit_status, 1);
    EXPECT_EQ(by_address.err, "rqfsctl: 10.0.0.1:6881 is not among the peers after 1 s: connection refused\n");
    EXPECT_EQ(by_name.err, "rqfsctl: no new peer is connected by the name seed.example:6882 after 1 s: timed out\n");
}

TEST_F(RqfsctlOutcome, APeerThatNothingCanGoToIsNotSaidToBeSilent) {
    harness.on_engine([&] {
        harness.control.hindrance = "the interface is away";
        film().unreached = {{Endpoint::parse("10.0.0.1:6881").value(), "connection refused"}};
    });

    EXPECT_EQ(run({"connect", "Film", "10.0.0.1:6881", "--timeout", "1"}).err,
              "rqfsctl: 10.0.0.1:6881 is not among the peers after 1 s: the interface is away\n");
}

TEST_F(RqfsctlOutcome, APeerThatGaveAllBeforeAnybodyLookedIsNoFailure) {
    auto giving = std::thread([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        harness.on_engine([&] { film().status.state = TorrentState::seeding; });
    });

    auto const finished = run({"connect", "Film", "10.0.0.1:6881"});
    auto const of_a_seed = run({"connect", "Film", "10.0.0.1:6881", "--timeout", "1"});

    giving.join();
    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out, "Connecting to 10.0.0.1:6881.\nAll of the torrent has come meanwhile.\n");
    EXPECT_EQ(of_a_seed.exit_status, 1) << "nothing was to come";
}

TEST_F(RqfsctlOutcome, APeerOfAPausedTorrentIsNotWaitedFor) {
    harness.on_engine([&] { film().status.state = TorrentState::paused; });

    auto const finished = run({"connect", "Film", "10.0.0.1:6881"});

    EXPECT_EQ(finished.exit_status, 0) << finished.err;
    EXPECT_EQ(finished.out, "It is dialled after `rqfsctl resume Film`: the torrent is paused.\n");
}

TEST_F(RqfsctlOutcome, ACheckSaysThatItBegins) {
    EXPECT_EQ(run({"verify", "Film"}).out, "Checking the stored data: `rqfsctl status Film` shows how far it is.\n");
    EXPECT_EQ(run({"verify", "Film", "--cancel"}).out, "");
}

TEST_F(RqfsctlOutcome, ACommandThatIsNamedCanBeTyped) {
    harness.on_engine([&] {
        harness.control.with('b', "My Film", TorrentState::paused);
        harness.control.with('c', "-x\x1b", TorrentState::paused);
    });

    EXPECT_EQ(run({"verify", "My Film"}).out,
              "Checking the stored data: `rqfsctl status 'My Film'` shows how far it is.\n");
    EXPECT_EQ(run({"verify", "--", "-x\x1b"}).out,
              "Checking the stored data: `rqfsctl status -- T` shows how far it is.\n");
}

TEST_F(RqfsctlOutcome, ADownloadSaysHowMuchIsFetched) {
    harness.on_engine([&] {
        film().status.wanted_bytes = 3u << 20;
        film().status.wanted_have_bytes = 1u << 20;
    });
    auto const some = run({"download", "Film"});
    harness.on_engine([&] { film().status.wanted_have_bytes = 3u << 20; });
    auto const nothing = run({"download", "Film"});
    harness.on_engine([&] { film().status.pieces = 0; });
    auto const later = run({"download", "Film"});

    EXPECT_EQ(some.out, "Fetching 2.0 MiB in the background: `rqfsctl status Film` shows how far it is.\n");
    EXPECT_EQ(nothing.out, "All of it is here.\n");
    EXPECT_EQ(later.out, "Fetching begins when the metadata is here: `rqfsctl status Film` shows how far it is.\n");
}

TEST_F(RqfsctlOutcome, ADownloadOfAPausedTorrentSaysThatNothingIsFetched) {
    harness.on_engine([&] { film().status.state = TorrentState::paused; });

    EXPECT_EQ(run({"download", "Film"}).out,
              "Nothing is fetched before `rqfsctl resume Film`: the torrent is paused.\n");
}

TEST_F(RqfsctlOutcome, AConfigurationThatCouldNotBeReadAgainIsInTheStatus) {
    harness.on_engine([&] {
        harness.daemon.config = {"/etc/rqfs.yaml: line 3: no such key \"limts\"", std::chrono::seconds(12)};
    });

    auto const finished = run({"status"});

    EXPECT_TRUE(has(finished.out,
                    "  config      could not be read again 12 s ago, the settings from before go on: /etc/rqfs.yaml: "
                    "line 3: no such key \"limts\"\n"))
        << finished.out;
    harness.on_engine([&] { harness.daemon.config = {}; });
    EXPECT_FALSE(has(run({"status"}).out, "config"));
}

}  // namespace
