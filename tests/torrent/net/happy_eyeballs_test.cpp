#include "torrent/net/happy_eyeballs.h"

#include "tests/support/memory_stream.h"
#include "tests/support/run_virtual.h"
#include "tests/support/virtual_clock.h"
#include "torrent/error.h"
#include "torrent/net/http_client.h"
#include "torrent/net/resolver.h"
#include "torrent/timeout.h"

#include <gtest/gtest.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

Endpoint at(std::string const& text) { return Endpoint::parse(text).value(); }

// Hosts that answer, refuse or are silent, each after its time.
class Hosts final : public Connector {
public:
    struct Host {
        Duration after{};
        bool answers = false;  // else it refuses
    };
    struct Attempt {
        Endpoint endpoint;
        TimePoint when;
    };
    Hosts(asio::any_io_executor executor, Clock& clock) : executor_(std::move(executor)), clock_(clock) {}

    asio::awaitable<std::unique_ptr<StreamSocket>> connect(Endpoint endpoint, Duration limit) override {
        struct UnderWay {
            explicit UnderWay(std::size_t& count) : count_(count) { ++count_; }
            ~UnderWay() { --count_; }
            std::size_t& count_;
        } const under_way(attempts_under_way);
        attempts.push_back({endpoint, clock_.now()});
        auto const host = hosts.find(endpoint);
        bool const silent = host == hosts.end();
        co_await clock_.sleep(silent ? limit : host->second.after);
        if (silent) throw boost::system::system_error(asio::error::timed_out, "no answer of " + endpoint.text());
        if (!host->second.answers)
            throw boost::system::system_error(asio::error::connection_refused, "refused by " + endpoint.text());
        tests::MemoryStreamOptions options;
        options.second = endpoint;
        auto streams = tests::memory_streams(executor_, options);
        others.push_back(std::move(streams.second));
        co_return std::move(streams.first);
    }

    std::map<Endpoint, Host> hosts;  // silent where none
    std::vector<Attempt> attempts;
    std::size_t attempts_under_way = 0;
    std::vector<std::unique_ptr<StreamSocket>> others;

private:
    asio::any_io_executor executor_;
    Clock& clock_;
};

class HappyEyeballs : public testing::Test {
protected:
    // The address that was reached, or the sentence of the failure; how long it took is in `took`.
    std::string dial(std::vector<Endpoint> endpoints) {
        auto const begin = clock.now();
        std::string outcome;
        try {
            auto connecting = connect_to_any(clock, hosts, std::move(endpoints), 8s);
            outcome = tests::run_virtual(engine, clock, std::move(connecting))->remote().text();
        } catch (boost::system::system_error const& e) {
            outcome = sentence(e);
        }
        took = clock.now() - begin;
        return outcome;
    }

    asio::io_context engine{1};
    tests::VirtualClock clock;
    Hosts hosts{engine.get_executor(), clock};
    Duration took{};
    Endpoint const v6 = at("[2001:db8::1]:80");
    Endpoint const v4 = at("20.0.0.1:80");
};

TEST_F(HappyEyeballs, TheFamiliesTakeTurnsBeginningWithTheFirst) {
    auto const a6 = at("[2001:db8::1]:1");
    auto const b6 = at("[2001:db8::2]:1");
    auto const c6 = at("[2001:db8::3]:1");
    auto const a4 = at("20.0.0.1:1");
    auto const b4 = at("20.0.0.2:1");

    EXPECT_EQ(in_dialling_order({a6, b6, c6, a4}), (std::vector{a6, a4, b6, c6}));
    EXPECT_EQ(in_dialling_order({a4, b4, a6}), (std::vector{a4, a6, b4}));
    EXPECT_EQ(in_dialling_order({}), std::vector<Endpoint>{});
}

TEST_F(HappyEyeballs, ADeadFamilyCostsAQuarterOfASecond) {
    hosts.hosts[v4] = {30ms, true};

    EXPECT_EQ(dial({v6, v4}), v4.text());
    EXPECT_EQ(took, 280ms);
    EXPECT_EQ(hosts.attempts_under_way, 0u) << "the loser was called off";
}

TEST_F(HappyEyeballs, AnAddressThatRefusesCostsNoWaiting) {
    hosts.hosts[v6] = {20ms, false};
    hosts.hosts[v4] = {30ms, true};

    EXPECT_EQ(dial({v6, v4}), v4.text());
    EXPECT_EQ(took, 50ms);
}

TEST_F(HappyEyeballs, AnAddressThatRefusesAtOnceCostsNothing) {
    hosts.hosts[v6] = {0ms, false};
    hosts.hosts[v4] = {30ms, true};

    EXPECT_EQ(dial({v6, v4}), v4.text());
    EXPECT_EQ(took, 30ms);
}

TEST_F(HappyEyeballs, WhereTheFirstAnswersSoonNobodyElseIsDialled) {
    hosts.hosts[v6] = {200ms, true};
    hosts.hosts[v4] = {1ms, true};

    EXPECT_EQ(dial({v6, v4}), v6.text());
    EXPECT_EQ(hosts.attempts.size(), 1u);
}

TEST_F(HappyEyeballs, TheFirstThatAnswersWinsThoughItWasDialledFirst) {
    hosts.hosts[v6] = {400ms, true};
    hosts.hosts[v4] = {300ms, true};

    EXPECT_EQ(dial({v6, v4}), v6.text());
    EXPECT_EQ(took, 400ms);
    EXPECT_EQ(hosts.attempts_under_way, 0u);
}

TEST_F(HappyEyeballs, ManyDeadAddressesAreDialledAQuarterOfASecondApart) {
    std::vector<Endpoint> endpoints;
    for (int i = 0; i < 4; ++i) endpoints.push_back({v4.address, static_cast<std::uint16_t>(1000 + i)});
    endpoints.push_back(v4);
    hosts.hosts[v4] = {10ms, true};

    EXPECT_EQ(dial(endpoints), v4.text());
    EXPECT_EQ(took, 1010ms);
    EXPECT_EQ(hosts.attempts_under_way, 0u);
}

TEST_F(HappyEyeballs, WhereNobodyAnswersTheLastFailureIsTold) {
    hosts.hosts[v4] = {30ms, false};

    EXPECT_NE(dial({v6, v4}).find("no answer of"), std::string::npos);
    EXPECT_EQ(took, 8s) << "both at the same time";
}

TEST_F(HappyEyeballs, AHostWithAThousandAddressesIsNotDialledAThousandTimes) {
    std::vector<Endpoint> endpoints;
    for (int i = 0; i < 1000; ++i) endpoints.push_back({v4.address, static_cast<std::uint16_t>(1000 + i)});

    dial(endpoints);

    EXPECT_EQ(hosts.attempts.size(), kAddressesTried);
}

TEST_F(HappyEyeballs, WhoIsCalledOffCallsOffAllAttempts) {
    auto connecting = connect_to_any(clock, hosts, {v6, v4}, 8s);
    auto limited = with_timeout(clock, std::move(connecting), 1s, "too late");
    std::string failure;
    try {
        tests::run_virtual(engine, clock, std::move(limited));
    } catch (boost::system::system_error const& e) {
        failure = sentence(e);
    }

    EXPECT_EQ(failure, "too late");
    EXPECT_EQ(hosts.attempts.size(), 2u);
    EXPECT_EQ(hosts.attempts_under_way, 0u);
}

// A tracker with both families whose IPv6 leads nowhere.
class BothFamilies final : public Resolver {
public:
    asio::awaitable<std::vector<Address>> resolve(std::string) override {
        std::vector<Address> addresses{at("[2600::1]:1").address, at("20.0.0.1:1").address};
        co_return addresses;
    }
};

TEST_F(HappyEyeballs, ATrackerWithADeadFamilyIsReachedByTheOther) {
    BothFamilies resolver;
    HttpClient client(clock, hosts, resolver, false);
    hosts.hosts[v4] = {30ms, true};
    HttpClient::Request request{Url::parse("http://tracker.example/announce").value(), 1000, 2s, false, {}};
    auto getting = client.get(std::move(request));

    EXPECT_THROW(tests::run_virtual(engine, clock, std::move(getting)), boost::system::system_error) << "says nothing";

    ASSERT_EQ(hosts.attempts.size(), 2u);
    EXPECT_EQ(hosts.attempts[1].when - hosts.attempts[0].when, 250ms);
    EXPECT_EQ(hosts.attempts[1].endpoint, v4);
    EXPECT_EQ(hosts.others.size(), 1u);
    EXPECT_EQ(hosts.attempts_under_way, 0u);
}

}  // namespace
}  // namespace rqfs::torrent
