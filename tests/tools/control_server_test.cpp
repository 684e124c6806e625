#include "tests/support/sanitized.h"
#include "tests/tools/control_harness.h"
#include "tools/rqfs/control_limits.h"
#include "torrent/error.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace rqfs::tests;
using Milliseconds = std::chrono::milliseconds;

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

Milliseconds time_of_one_request(std::string const& socket) {
    auto const begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(ask(socket, "GET", "/v1/status").starts_with("HTTP/1.1 200 "));
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);
}

class ControlServer : public testing::Test {
protected:
    ControlServer() { harness.start(); }

    ControlHarness harness;
};

TEST_F(ControlServer, MakesItsSocketForItsUserOnly) {
    struct stat found {};

    ASSERT_EQ(lstat(harness.socket().c_str(), &found), 0);

    EXPECT_TRUE(S_ISSOCK(found.st_mode));
    EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(ControlServer, RemovesItsSocketWhenStopped) {
    harness.stop();

    EXPECT_NE(access(harness.socket().c_str(), F_OK), 0);
}

TEST_F(ControlServer, LeavesASocketThatAnotherMadeInItsPlace) {
    unlink(harness.socket().c_str());
    std::ofstream(harness.socket()) << "another's";

    harness.stop();

    EXPECT_EQ(access(harness.socket().c_str(), F_OK), 0);
}

TEST_F(ControlServer, RefusesTheSocketOfALivingDaemon) {
    boost::asio::io_context engine;
    rqfs::torrent::SteadyClock clock;
    rqfs::tools::ControlServer second(engine.get_executor(), clock, harness.control, harness.daemon);

    try {
        second.open(harness.socket());
        FAIL() << "the socket was taken over";
    } catch (boost::system::system_error const& error) {
        EXPECT_EQ(error.code(), rqfs::torrent::make_error_code(rqfs::torrent::Errc::busy));
        EXPECT_TRUE(has(error.what(), "another daemon answers on the control socket " + harness.socket()));
    }
    EXPECT_TRUE(ask(harness.socket(), "GET", "/v1/status").starts_with("HTTP/1.1 200 "));
}

TEST(ControlServerStart, ReplacesTheSocketOfACrashedDaemon) {
    ControlHarness harness;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    harness.socket().copy(address.sun_path, sizeof(address.sun_path) - 1);
    int const dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    void* const generic = &address;
    ASSERT_EQ(bind(dead, static_cast<sockaddr*>(generic), sizeof(address)), 0);
    close(dead);

    harness.start();

    EXPECT_TRUE(ask(harness.socket(), "GET", "/v1/status").starts_with("HTTP/1.1 200 "));
}

TEST(ControlServerStart, KeepsItsHandsOffAnOrdinaryFile) {
    ControlHarness harness;
    std::ofstream(harness.socket()) << "precious";

    EXPECT_THROW(harness.start(), boost::system::system_error);

    std::string content;
    std::ifstream(harness.socket()) >> content;
    EXPECT_EQ(content, "precious");
}

TEST_F(ControlServer, AnswersPipelinedRequestsInOrder) {
    RawClient client(harness.socket());
    std::string requests;
    for (int i = 0; i < 100; ++i)
        requests += i % 2 == 0 ? "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"
                               : "POST /v1/torrents HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    requests += "GET /v1/limits HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    client.send(requests);
    auto const replies = client.receive_all();

    std::string order;
    for (auto at = replies.find("HTTP/1.1 "); at != std::string::npos; at = replies.find("HTTP/1.1 ", at + 1))
        order += replies.substr(at + 9, 3) == "200" ? '2' : '4';
    std::string expected;
    for (int i = 0; i < 50; ++i) expected += "24";
    EXPECT_EQ(order, expected + "2");
}

TEST_F(ControlServer, ServesOthersBeside200SlowClients) {
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 200; ++i) {
        slow.push_back(std::make_unique<RawClient>(harness.socket()));
        slow.back()->send(i % 2 == 0 ? "GET /v1/st" : "");
    }

    auto slowest = Milliseconds(0);
    for (int i = 0; i < 20; ++i) slowest = std::max(slowest, time_of_one_request(harness.socket()));

    EXPECT_LT(slowest, Milliseconds(rqfs::tests::kSanitized ? 1000 : 100));
}

TEST_F(ControlServer, SaysSoWhenEveryConnectionIsAtWork) {
    harness.on_engine([&] { harness.control.add_blocks = true; });
    std::vector<std::unique_ptr<RawClient>> busy;
    for (std::size_t i = 0; i < rqfs::tools::limit::kControlConnections; ++i) {
        busy.push_back(std::make_unique<RawClient>(harness.socket()));
        busy.back()->send("POST /v1/torrents HTTP/1.1\r\nContent-Length: 17\r\n\r\n{\"source\": \"mag\"}");
    }
    std::size_t under_way = 0;
    while (under_way < busy.size()) harness.on_engine([&] { under_way = harness.control.calls.size(); });

    auto const reply = RawClient(harness.socket()).receive_all();

    EXPECT_TRUE(reply.starts_with("HTTP/1.1 503 ")) << reply;
}

TEST_F(ControlServer, ClosesAConnectionWhoseHeaderDoesNotCome) {
    RawClient client(harness.socket());
    client.send("GET /v1/status HTTP/1.1\r\n");
    auto const begin = std::chrono::steady_clock::now();

    auto const reply = client.receive_all();

    auto const waited = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(reply, "");
    EXPECT_GT(waited, std::chrono::seconds(4));
    EXPECT_LT(waited, std::chrono::seconds(8));
}

TEST_F(ControlServer, RefusesALargeHeader) {
    RawClient client(harness.socket());

    client.send("GET /v1/status HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");

    EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 431 "));
}

TEST_F(ControlServer, RefusesALargeBodyBeforeItComes) {
    RawClient announced(harness.socket());
    announced.send("POST /v1/torrents HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n");
    EXPECT_TRUE(announced.receive_all().starts_with("HTTP/1.1 413 "));

    RawClient huge(harness.socket());
    huge.send(
        "POST /v1/torrents HTTP/1.1\r\nContent-Type: application/x-bittorrent\r\nContent-Length: 99999999999\r\n\r\n");
    EXPECT_TRUE(huge.receive_all().starts_with("HTTP/1.1 413 "));
}

TEST_F(ControlServer, RefusesAChunkedBodyThatGrows) {
    RawClient client(harness.socket());
    client.send("POST /v1/torrents HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string const chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";

    for (int i = 0; i < 17; ++i) client.send(chunk);

    EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 413 "));
}

TEST_F(ControlServer, TakesATorrentFileOf60MiB) {
    auto const reply =
        ask(harness.socket(), "POST", "/v1/torrents", std::string(60u << 20, 'd'), "application/x-bittorrent");

    EXPECT_TRUE(reply.starts_with("HTTP/1.1 201 ")) << reply;
    harness.stop();
    EXPECT_EQ(harness.control.uploaded.size(), 60u << 20);
}

TEST_F(ControlServer, AnswersWhoAsksBeforeSending) {
    RawClient client(harness.socket());
    client.send("PATCH /v1/limits HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 100 "));

    client.send("{}");

    EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 200 "));
}

TEST_F(ControlServer, AnswersRubbishWithAnError) {
    for (std::string const rubbish :
         {"hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
          "POST /v1/stop HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
        RawClient client(harness.socket());
        client.send(rubbish);

        EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 400 ")) << rubbish;
    }
}

TEST_F(ControlServer, OutlivesClientsThatGoAnywhere) {
    unsigned const seed = 20240229;
    std::mt19937 random(seed);
    std::string const request =
        "POST /v1/torrents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
        "22\r\n\r\n{\"source\": \"magnet:a1\"}";

    for (int i = 0; i < 10'000; ++i) {
        RawClient client(harness.socket());
        client.send(std::string_view(request).substr(0, random() % (request.size() + 1)));
        if (random() % 4 == 0) shutdown(client.descriptor(), SHUT_WR);
        if (random() % 4 == 0) shutdown(client.descriptor(), SHUT_RD);
    }

    time_of_one_request(harness.socket());  // behind what is left of the 10,000 in the queue
    EXPECT_LT(time_of_one_request(harness.socket()), Milliseconds(100)) << "seed " << seed;
}

TEST_F(ControlServer, StopsAtOnceWithRequestsUnderWay) {
    harness.on_engine([&] { harness.control.add_blocks = true; });
    RawClient busy(harness.socket());
    busy.send("POST /v1/torrents HTTP/1.1\r\nContent-Length: 17\r\n\r\n{\"source\": \"mag\"}");
    RawClient slow(harness.socket());
    slow.send("GET /v1");
    std::size_t under_way = 0;
    while (under_way == 0) harness.on_engine([&] { under_way = harness.control.calls.size(); });
    auto const begin = std::chrono::steady_clock::now();

    harness.stop();

    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

// Whichever step of it the stop meets.
TEST_F(ControlServer, StopsThoughARequestIsJustComing) {
    for (int round = 0; round < 300; ++round) {
        ControlHarness other;
        other.start();
        RawClient client(other.socket());
        client.send("GET /v1");
        other.on_engine([] {});
        client.send("/status");

        other.stop();
    }
}

}  // namespace
