#include "torrent/net/dns_resolver.h"

#include "tests/support/run_engine.h"
#include "tests/support/run_virtual.h"
#include "tests/support/temp_dir.h"
#include "tests/support/virtual_clock.h"
#include "tests/torrent/net/fake_name_server.h"
#include "torrent/error.h"
#include "torrent/task_group.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using tests::FakeNameServer;
using tests::run_engine;
using Question = FakeNameServer::Question;

Address at(std::string const& text) { return Address::parse(text).value(); }

class DnsResolverTest : public ::testing::Test {
protected:
    DnsResolverTest() { write("127.0.0.1 localhost\n10.9.8.7 Nas.lan nas # the box\nfd00::7 nas\n"); }

    void write(std::string const& text) { std::ofstream(options.hosts) << text; }

    std::vector<Address> resolve(std::string host) {
        DnsResolver resolver(clock, options);
        return run_engine(engine, resolver.resolve(std::move(host)));
    }

    // The sentence of its failure; the code is in `code`.
    std::string failure_of(std::string host) {
        try {
            resolve(std::move(host));
        } catch (boost::system::system_error const& e) {
            code = e.code();
            return sentence(e);
        }
        return "";
    }

    asio::awaitable<void> note(Resolver& resolver, std::string host) {
        try {
            auto const found = co_await resolver.resolve(std::move(host));
            answered += found.size();
        } catch (boost::system::system_error const& e) {
            failed += e.code() != asio::error::operation_aborted;
        }
    }

    tests::TempDir directory;
    asio::io_context engine{1};
    SteadyClock clock;
    FakeNameServer server{engine};
    DnsOptions options{{}, {server.endpoint()}, "/nonexistent", directory.path() / "hosts"};
    boost::system::error_code code;
    std::size_t answered = 0;
    std::size_t failed = 0;
};

TEST_F(DnsResolverTest, AnswersLiteralsItself) {
    EXPECT_EQ(resolve("1.2.3.4"), std::vector{at("1.2.3.4")});
    EXPECT_EQ(resolve("2001:db8::1"), std::vector{at("2001:db8::1")});
    EXPECT_TRUE(server.questions.empty());
}

TEST_F(DnsResolverTest, TakesTheMachinesOwnListFirst) {
    EXPECT_EQ(resolve("NAS"), (std::vector{at("10.9.8.7"), at("fd00::7")}));
    EXPECT_EQ(resolve("nas.lan."), std::vector{at("10.9.8.7")});
    EXPECT_TRUE(server.questions.empty());
}

TEST_F(DnsResolverTest, ReadsTheListAgainWhenItHasChanged) {
    DnsResolver resolver(clock, options);
    run_engine(engine, resolver.resolve("nas"));

    write("10.9.8.66 nas\n10.0.0.1 other\n10.0.0.2 third\n");

    EXPECT_EQ(run_engine(engine, resolver.resolve("nas")), std::vector{at("10.9.8.66")});
}

TEST_F(DnsResolverTest, LeavesTheListToWorkersAndReadsItAgainWhenItHasChanged) {
    Workers workers;
    DnsResolver resolver(clock, workers, options);
    EXPECT_EQ(run_engine(engine, resolver.resolve("nas.lan")), std::vector{at("10.9.8.7")});

    write("10.9.8.66 nas\n10.0.0.1 other\n10.0.0.2 third\n");

    EXPECT_EQ(run_engine(engine, resolver.resolve("nas")), std::vector{at("10.9.8.66")});
    EXPECT_EQ(run_engine(engine, resolver.resolve("localhost")), (std::vector{at("127.0.0.1"), at("::1")}));
}

TEST_F(DnsResolverTest, ManyAtOnceShareTheListAndTheEngineGoesOnMeanwhile) {
    write(std::string(8 << 20, '\n') + "10.9.8.7 nas\n");
    Workers workers;
    DnsResolver resolver(clock, workers, options);
    TaskGroup group(engine.get_executor(), "test");

    for (int i = 0; i < 20; ++i) group.spawn(note(resolver, "nas"));
    engine.restart();
    engine.run_one();
    EXPECT_EQ(answered, 0u);
    auto const end = std::chrono::steady_clock::now() + 20s;
    while (answered < 20 && std::chrono::steady_clock::now() < end) {
        engine.restart();
        engine.run_one_for(10ms);
    }

    EXPECT_EQ(answered, 20u);
    EXPECT_EQ(failed, 0u);
    run_engine(engine, group.stop());
}

TEST_F(DnsResolverTest, CalledOffWhileTheListIsSearchedItIsFreeForOthers) {
    Workers workers;
    DnsResolver resolver(clock, workers, options);
    TaskGroup group(engine.get_executor(), "test");
    for (int i = 0; i < 3; ++i) group.spawn(note(resolver, "nas"));
    engine.restart();
    engine.run_one();

    run_engine(engine, group.stop());

    EXPECT_EQ(run_engine(engine, resolver.resolve("nas.lan")), std::vector{at("10.9.8.7")});
    EXPECT_EQ(failed, 0u);
}

TEST_F(DnsResolverTest, KnowsLocalhostWithoutTheList) {
    write("");

    EXPECT_EQ(resolve("localhost"), (std::vector{at("127.0.0.1"), at("::1")}));
}

TEST_F(DnsResolverTest, AsksForBothFamilies) {
    server.answer = [](Question const& q) {
        return std::vector{FakeNameServer::reply(q, {"192.0.2.1", "2001:db8::1", "192.0.2.2"})};
    };

    auto found = resolve("tracker.example");

    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, (std::vector{at("192.0.2.1"), at("192.0.2.2"), at("2001:db8::1")}));
    ASSERT_EQ(server.questions.size(), 2u);
    EXPECT_EQ(server.questions[0].name, "tracker.example");
}

TEST_F(DnsResolverTest, IsContentWithOneFamily) {
    server.answer = [](Question const& q) { return std::vector{FakeNameServer::reply(q, {"2001:db8::1"})}; };

    EXPECT_EQ(resolve("tracker.example"), std::vector{at("2001:db8::1")});
}

TEST_F(DnsResolverTest, AsksForTheOneFamilyThatItIsBoundTo) {
    server.answer = [](Question const& q) {
        return std::vector{FakeNameServer::reply(q, {"192.0.2.1", "2001:db8::1"})};
    };
    options.binding = InterfaceBinding("127.0.0.1");

    EXPECT_EQ(resolve("tracker.example"), std::vector{at("192.0.2.1")});
    EXPECT_EQ(server.questions.size(), 1u);
}

TEST_F(DnsResolverTest, TakesThirtyTwoAddressesAtMost) {
    server.answer = [](Question const& q) {
        std::vector<std::string> many;
        for (int i = 1; i <= 50; ++i) many.push_back("192.0.2." + std::to_string(i));
        return std::vector{FakeNameServer::reply(q, many)};
    };

    EXPECT_EQ(resolve("tracker.example").size(), 32u);
}

TEST_F(DnsResolverTest, NamesTheHostThatDoesNotExist) {
    server.answer = [](Question const& q) { return std::vector{FakeNameServer::reply(q, {}, 3)}; };

    EXPECT_NE(failure_of("gone.example").find("gone.example is not known"), std::string::npos);
    EXPECT_EQ(code, asio::error::host_not_found);
}

TEST_F(DnsResolverTest, RefusesWhatIsNoName) {
    EXPECT_NE(failure_of("no such name at all").find("no such name at all"), std::string::npos);
    EXPECT_NE(failure_of(std::string(300, 'a')), "");
    EXPECT_NE(failure_of(""), "");
    EXPECT_TRUE(server.questions.empty());
}

TEST_F(DnsResolverTest, SaysThatAServerFails) {
    server.answer = [](Question const& q) { return std::vector{FakeNameServer::reply(q, {}, 2)}; };

    EXPECT_NE(failure_of("tracker.example").find("cannot be looked up"), std::string::npos);
    EXPECT_EQ(code, asio::error::host_not_found_try_again);
}

TEST_F(DnsResolverTest, GivesUpASilentServerInOurTime) {
    tests::VirtualClock made_up;
    DnsResolver resolver(made_up, options);
    auto const begin = made_up.now();

    std::string text;
    try {
        tests::run_virtual(engine, made_up, resolver.resolve("tracker.example"));
    } catch (boost::system::system_error const& e) {
        text = sentence(e);
        code = e.code();
    }

    EXPECT_EQ(code, asio::error::host_not_found_try_again);
    EXPECT_NE(text.find("tracker.example"), std::string::npos);
    EXPECT_LE(made_up.now() - begin, 16s);
}

TEST_F(DnsResolverTest, AsksTheNextServerWhereOneIsSilent) {
    FakeNameServer silent(engine);
    options.servers = {silent.endpoint(), server.endpoint()};
    server.answer = [](Question const& q) { return std::vector{FakeNameServer::reply(q, {"192.0.2.1"})}; };

    EXPECT_EQ(resolve("tracker.example"), std::vector{at("192.0.2.1")});
    EXPECT_FALSE(silent.questions.empty());
}

TEST_F(DnsResolverTest, AsksAgainOverTcpWhatWasTruncated) {
    server.answer = [](Question const& q) {
        if (!q.tcp) return std::vector{FakeNameServer::reply(q, {}, 0, true)};
        return std::vector{FakeNameServer::reply(q, {"192.0.2.9"})};
    };

    EXPECT_EQ(resolve("tracker.example"), std::vector{at("192.0.2.9")});
    EXPECT_TRUE(std::any_of(server.questions.begin(), server.questions.end(), [](auto const& q) { return q.tcp; }));
}

TEST_F(DnsResolverTest, IgnoresAnswersToOtherQuestions) {
    server.answer = [](Question const& q) {
        auto other_id = FakeNameServer::reply(q, {"203.0.113.1", "2001:db8:bad::1"});
        other_id[0] = static_cast<char>(other_id[0] ^ 0x55);
        auto other_name = FakeNameServer::reply(q, {"203.0.113.2", "2001:db8:bad::2"});
        other_name[13] = 'x';
        return std::vector{other_id, other_name, FakeNameServer::reply(q, {"192.0.2.1"})};
    };

    EXPECT_EQ(resolve("tracker.example"), std::vector{at("192.0.2.1")});
}

// Every prefix and every flipped byte of an answer: an address, a refusal or nothing, but always an end.
TEST_F(DnsResolverTest, OutlivesGarbage) {
    std::size_t round = 0;
    server.answer = [&](Question const& q) {
        auto const whole = FakeNameServer::reply(q, {"192.0.2.1", "2001:db8::1"});
        auto broken = whole;
        if (round % 2 == 0)
            broken.resize(round / 2 % whole.size());
        else
            broken[round / 2 % whole.size()] = static_cast<char>(~broken[round / 2 % whole.size()]);
        return std::vector{broken, whole};
    };
    DnsResolver resolver(clock, options);
    TaskGroup tasks(engine.get_executor(), "test");

    for (round = 0; round < 140; ++round) {
        tasks.spawn(note(resolver, "tracker" + std::to_string(round) + ".example"));
        engine.restart();
        engine.poll();
    }
    engine.restart();
    engine.run_for(2s);
    run_engine(engine, tasks.stop());

    EXPECT_GT(answered, 50u);
    EXPECT_EQ(tasks.running(), 0u);
}

TEST_F(DnsResolverTest, LetsGoAtOnceWhenCancelled) {
    DnsResolver resolver(clock, options);
    TaskGroup tasks(engine.get_executor(), "test");
    for (int i = 0; i < 10; ++i) tasks.spawn(note(resolver, "tracker.example"));
    engine.run_for(50ms);
    EXPECT_FALSE(server.questions.empty());

    engine.restart();
    run_engine(engine, tasks.stop());

    EXPECT_EQ(tasks.running(), 0u);
    EXPECT_EQ(answered + failed, 0u);
}

TEST_F(DnsResolverTest, LooksUpManyAtOnceButNotMore) {
    std::vector<std::string> replies;
    server.answer = [](Question const& q) { return std::vector{FakeNameServer::reply(q, {"192.0.2.1"})}; };
    DnsResolver resolver(clock, options);
    TaskGroup tasks(engine.get_executor(), "test");

    for (int i = 0; i < 70; ++i) tasks.spawn(note(resolver, "t" + std::to_string(i) + ".example"));
    auto const end = std::chrono::steady_clock::now() + 20s;
    while (tasks.running() > 0 && std::chrono::steady_clock::now() < end) {
        engine.restart();
        engine.run_one_for(50ms);
    }

    EXPECT_EQ(answered, 64u);
    EXPECT_EQ(failed, 6u);
    run_engine(engine, tasks.stop());
}

TEST_F(DnsResolverTest, ReadsResolvConfAtEachLookup) {
    options.servers.clear();
    options.resolv_conf = directory.path() / "resolv.conf";
    options.binding = InterfaceBinding("none0");
    DnsResolver const resolver(clock, options);

    std::ofstream(options.resolv_conf) << "nameserver 127.0.0.53\n";
    auto const before = resolver.problem();
    std::ofstream(options.resolv_conf) << "nameserver 127.0.0.53\nnameserver 10.8.0.1\n";

    EXPECT_NE(before.find("127.0.0.53"), std::string::npos) << before;
    EXPECT_NE(before.find("network.dns"), std::string::npos) << before;
    EXPECT_EQ(resolver.problem(), "");
}

TEST_F(DnsResolverTest, HasNoProblemWithLoopbackWhereItIsReached) {
    EXPECT_EQ(DnsResolver(clock, options).problem(), "");
    options.binding = InterfaceBinding("lo");
    EXPECT_EQ(DnsResolver(clock, options).problem(), "");
}

TEST_F(DnsResolverTest, AsksNobodyWhileTheInterfaceIsNotThere) {
    options.binding = InterfaceBinding("none0");
    tests::VirtualClock made_up;
    DnsResolver resolver(made_up, options);

    std::string text;
    try {
        tests::run_virtual(engine, made_up, resolver.resolve("tracker.example"));
    } catch (boost::system::system_error const& e) {
        text = sentence(e);
    }

    EXPECT_NE(text.find("none0 is not there"), std::string::npos) << text;
    EXPECT_TRUE(server.questions.empty());
}

TEST(NameServer, IsAnAddressWithOrWithoutPort) {
    EXPECT_EQ(parse_name_server("10.8.0.1").value().text(), "10.8.0.1:53");
    EXPECT_EQ(parse_name_server("fd00::1").value().text(), "[fd00::1]:53");
    EXPECT_EQ(parse_name_server("[fd00::1]:5353").value().text(), "[fd00::1]:5353");
    EXPECT_FALSE(parse_name_server("dns.example"));
}

}  // namespace
}  // namespace rqfs::torrent
