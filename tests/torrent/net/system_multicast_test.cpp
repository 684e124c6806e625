#include "torrent/net/system_multicast.h"

#include "tests/support/run_engine.h"
#include "tests/support/two_networks.h"
#include "torrent/clock.h"
#include "torrent/net/endpoint_conversion.h"
#include "torrent/net/lsd_message.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

// On a host with two interfaces of both families.
class SystemMulticastTest : public testing::Test, protected Multicast::Receiver {
protected:
    void SetUp() override {
        if (!networks) GTEST_SKIP() << "needs root, network namespaces and the program ip";
        neighbours = networks->join(engine, {to_udp(LsdMessage::groups()[0]), to_udp(LsdMessage::groups()[1])});
        multicast_.join(LsdMessage::groups(), *this);
        wait_for_links();
    }
    void TearDown() override { tests::run_engine(engine, multicast_.stop()); }

    void multicast(Endpoint const& from, std::span<std::byte const> bytes) override {
        heard.insert(from.address.text() + " " +
                     std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size()));
    }
    void networks_changed() override {}

    void say_in_all_groups(std::string const& text) {
        for (auto const& group : LsdMessage::groups()) multicast_.send(group, std::as_bytes(std::span(text)));
    }
    // New interfaces carry IPv6 only after a moment.
    void wait_for_links() {
        std::set<std::string> they_heard;
        run_until([&] {
            say_in_all_groups("ready?");
            for (auto& neighbour : neighbours) {
                neighbour.say("ready?");
                for (auto const& words : neighbour.heard()) they_heard.insert(words);
            }
            return they_heard.size() == neighbours.size() && heard.size() == 2 * neighbours.size();
        });
        engine.restart();
        engine.run_for(500ms);  // what is on its way
        for (auto& neighbour : neighbours) neighbour.heard();
        heard.clear();
    }
    void run_until(std::function<bool()> const& done) {
        for (auto const end = std::chrono::steady_clock::now() + 20s;
             !done() && std::chrono::steady_clock::now() < end;) {
            engine.restart();
            engine.run_for(20ms);
        }
    }

    std::unique_ptr<tests::TwoNetworks> networks = tests::TwoNetworks::make();
    boost::asio::io_context engine{1};
    SteadyClock clock;
    SystemMulticast multicast_{
        engine.get_executor(), clock, {Endpoint::parse("0.0.0.0:6881").value(), Endpoint::parse("[::]:6881").value()}};
    std::vector<tests::TwoNetworks::Neighbour> neighbours;
    std::set<std::string> heard;
};

TEST_F(SystemMulticastTest, WhatIsSaidIsHeardOnceOnEveryInterfaceInBothFamilies) {
    say_in_all_groups("hello");

    for (auto& neighbour : neighbours) {
        std::vector<std::string> words;
        run_until([&] {
            for (auto& each : neighbour.heard()) words.push_back(std::move(each));
            return !words.empty();
        });
        EXPECT_EQ(words, (std::vector{neighbour.sees_us_as + " hello"})) << neighbour.address;
    }
}

TEST_F(SystemMulticastTest, NeighboursOfEveryInterfaceAreHeardInBothFamilies) {
    run_until([&] {
        for (auto& neighbour : neighbours) neighbour.say("hello");
        return heard.size() == neighbours.size();
    });

    std::set<std::string> expected;
    for (auto const& neighbour : neighbours) expected.insert(neighbour.address + " hello");
    EXPECT_EQ(heard, expected);
}

TEST_F(SystemMulticastTest, WhatIsSaidComesBack) {
    say_in_all_groups("hello");
    run_until([&] { return heard.size() >= neighbours.size(); });

    for (auto const& neighbour : neighbours) EXPECT_TRUE(heard.contains(neighbour.sees_us_as + " hello"));
}

TEST_F(SystemMulticastTest, WhoHasAnAddressOfAnotherNetworkIsNotHeard) {
    std::array const groups{to_udp(LsdMessage::groups()[0]), to_udp(LsdMessage::groups()[1])};
    auto strangers = networks->strangers(engine, groups);
    auto witnesses = networks->witnesses(engine, groups);
    std::set<std::string> came;

    run_until([&] {
        for (auto& stranger : strangers) stranger.say("psst");
        for (auto& witness : witnesses)
            for (auto const& words : witness.heard()) came.insert(words);
        bool const all = came.contains("10.88.0.2 psst") && came.contains("fd88::2 psst");
        if (all)
            for (auto& neighbour : neighbours) neighbour.say("hello");  // after them, in the same sockets
        return all && heard.contains(neighbours[0].address + " hello") &&
               heard.contains(neighbours[2].address + " hello");
    });

    EXPECT_TRUE(came.contains("10.88.0.2 psst") && came.contains("fd88::2 psst")) << "the kernel let it in";
    EXPECT_TRUE(heard.contains(neighbours[0].address + " hello") && heard.contains(neighbours[2].address + " hello"));
    for (auto const& words : heard) EXPECT_EQ(words.find("psst"), std::string::npos) << words;
}

TEST_F(SystemMulticastTest, NeighboursAreOnEitherNetworkAndNobodyElseIs) {
    for (auto const& neighbour : neighbours)
        EXPECT_TRUE(multicast_.is_neighbour(Address::parse(neighbour.address).value())) << neighbour.address;

    EXPECT_FALSE(multicast_.is_neighbour(Address::parse("10.77.2.2").value()));
    EXPECT_FALSE(multicast_.is_neighbour(Address::parse("fd77:3::2").value()));
}

}  // namespace
}  // namespace rqfs::torrent
