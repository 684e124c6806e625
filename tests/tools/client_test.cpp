#include "tools/rqfsctl/client.h"

#include "tests/tools/control_harness.h"
#include "tools/rqfsctl/failure.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

namespace rqfs::tools {
namespace {

using namespace std::chrono_literals;

// What a request ends with that cannot succeed.
std::string failure_of(Client& client, std::string const& target, int& exit_status) {
    try {
        boost::json::object body;
        body["source"] = "magnet:a";
        client.post(target, body);
    } catch (Failure const& failure) {
        exit_status = failure.exit_status();
        return failure.what();
    }
    return {};
}

TEST(ClientTest, ADaemonThatAnswersNothingIsGivenUpAndNamed) {
    tests::ControlHarness harness;  // not started: a socket in its directory
    boost::asio::io_context engine;
    boost::asio::local::stream_protocol::acceptor const silent(engine, harness.socket());
    Client client(harness.socket(), 100ms);
    int exit_status = 0;

    auto const failure = failure_of(client, "/v1/torrents", exit_status);

    auto const process = std::to_string(getpid());
    EXPECT_EQ(failure, "the daemon at " + harness.socket() + " does not answer: its process " + process +
                           " is stopped or hangs; let it go on (kill -CONT " + process + "), or end it (kill -9 " +
                           process + ") and start rqfs again");
    EXPECT_EQ(exit_status, kExitNoDaemon);
}

TEST(ClientTest, ARequestThatTakesItsTimeIsWaitedForAsLongAsTheDaemonAnswersOthers) {
    tests::ControlHarness harness;
    harness.control.add_blocks = true;
    harness.start();
    // Long enough for a slow machine to answer the other request.
    Client client(harness.socket(), 3s);
    auto ending = std::thread([&] {
        std::this_thread::sleep_for(5s);
        harness.stop();
    });
    int exit_status = 0;

    auto const failure = failure_of(client, "/v1/torrents", exit_status);

    ending.join();
    EXPECT_TRUE(failure.starts_with("the daemon went away: ")) << failure;
}

}  // namespace
}  // namespace rqfs::tools
