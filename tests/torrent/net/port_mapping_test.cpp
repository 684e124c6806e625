#include "torrent/net/port_mapping.h"

#include "tests/support/run_virtual.h"
#include "tests/support/virtual_clock.h"
#include "torrent/error.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Mapped = std::map<std::pair<TransportProtocol, std::uint16_t>, std::chrono::seconds>;

constexpr std::uint16_t kPort = 6881;

Address at(std::string const& text) { return Address::parse(text).value(); }

// A router as its owner finds it by one protocol.
struct FakeRouter {
    bool there = true;
    bool silent = false;  // every call blocks until it is cancelled
    bool refuses = false;
    std::vector<std::uint16_t> taken;
    bool starting = false;   // answers, but maps nothing yet
    bool forgetful = false;  // says of everything that it is not mapped
    std::optional<Address> external = at("41.0.0.1");
    Mapped mapped;
    int opened = 0;
    int checked = 0;
    int calls = 0;
};

class FakeMapper final : public PortMapper {
public:
    FakeMapper(Clock& clock, FakeRouter& router, std::string_view name) : clock_(clock), router_(router), name_(name) {}

    std::string_view name() const override { return name_; }
    asio::awaitable<std::optional<Address>> open(Router) override {
        ++router_.opened;
        co_await answer();
        co_return router_.external;
    }
    asio::awaitable<PortAnswer> map(PortRequest request) override {
        co_await answer();
        if (router_.starting) throw_error(Errc::refused, "the router has no address");
        PortAnswer answer;
        for (auto const port : router_.taken)
            if (port == request.external_port) answer.kind = PortAnswer::Kind::conflict;
        if (answer.kind == PortAnswer::Kind::conflict) co_return answer;
        router_.mapped[{request.protocol, request.external_port}] = request.lifetime;
        answer.external_port = request.external_port;
        answer.lifetime = request.lifetime;
        co_return answer;
    }
    asio::awaitable<PortState> ask_after(PortRequest request) override {
        ++router_.checked;
        co_await answer();
        PortState state;
        state.kept = !router_.forgetful && router_.mapped.contains({request.protocol, request.external_port});
        state.external = router_.external;
        co_return state;
    }
    asio::awaitable<void> unmap(PortRequest request) override {
        co_await answer();
        router_.mapped.erase({request.protocol, request.external_port});
    }

private:
    asio::awaitable<void> answer() {
        ++router_.calls;
        co_await clock_.sleep(router_.silent ? 1'000h : Duration(10ms));
        if (!router_.there) throw_error(Errc::timed_out, std::string(name_) + " is not spoken here");
        if (router_.refuses) throw_error(Errc::refused, "the router refuses");
    }

    Clock& clock_;
    FakeRouter& router_;
    std::string_view name_;
};

class FakeFinder final : public RouterFinder {
public:
    explicit FakeFinder(std::optional<Router>& router) : router_(router) {}
    asio::awaitable<Router> find() override {
        if (!router_) throw_error(Errc::not_found, "this machine has no IPv4 router");
        co_return *router_;
    }

private:
    std::optional<Router>& router_;
};

class PortMappingTest : public testing::Test, public PortMapping::Owner {
protected:
    ~PortMappingTest() override { stop(); }

    void start() {
        PortMapping::Mappers mappers;
        mappers.push_back(std::make_unique<FakeMapper>(clock, first, "FIRST"));
        mappers.push_back(std::make_unique<FakeMapper>(clock, second, "SECOND"));
        mapping = std::make_unique<PortMapping>(engine.get_executor(), clock, std::make_unique<FakeFinder>(place),
                                                std::move(mappers), kPort, *this);
        mapping->start();
        run(2s);
    }
    void run(Duration duration) { clock.run_for(engine, duration); }
    // How long it took.
    Duration stop() {
        if (!mapping) return {};
        auto const begin = clock.now();
        tests::run_virtual(engine, clock, mapping->stop());
        auto const took = clock.now() - begin;
        mapping.reset();
        return took;
    }

    void announced_port_is(std::uint16_t port) override { announced.push_back(port); }
    void router_says_we_are(Address address) override { said = address; }

    asio::io_context engine;
    tests::VirtualClock clock;
    FakeRouter first, second;
    std::optional<Router> place = Router{at("192.168.1.1"), at("192.168.1.7")};
    std::vector<std::uint16_t> announced;
    std::optional<Address> said;
    std::unique_ptr<PortMapping> mapping;
};

Mapped both(std::uint16_t port) {
    return {{{TransportProtocol::tcp, port}, 3'600s}, {{TransportProtocol::udp, port}, 3'600s}};
}

TEST_F(PortMappingTest, TheFirstProtocolThatWorksMapsThePort) {
    first.there = false;

    start();

    EXPECT_EQ(second.mapped, both(kPort));
    auto const status = mapping->status();
    EXPECT_EQ(status.state, "mapped");
    EXPECT_EQ(status.method, "SECOND");
    EXPECT_EQ(status.external, at("41.0.0.1"));
    EXPECT_EQ(status.external_port, kPort);
    EXPECT_EQ(status.message, "");
    EXPECT_EQ(said, at("41.0.0.1"));
    EXPECT_TRUE(announced.empty()) << "the port is the one that is announced already";
}

TEST_F(PortMappingTest, AMappingIsRenewedForDays) {
    start();

    run(24h);

    EXPECT_EQ(mapping->status().state, "mapped");
    EXPECT_EQ(first.opened, 1 + 48);
    EXPECT_LE(mapping->status().renewed, 1'801s);
    EXPECT_GE(mapping->status().expires, 1'799s);
}

TEST_F(PortMappingTest, AMappingThatTheRouterLostIsBackAfterTheNextCheck) {
    start();
    first.mapped.clear();

    run(PortMappingTimes().check + 1s);

    EXPECT_EQ(first.mapped, both(kPort));
    EXPECT_EQ(mapping->status().state, "mapped");
}

TEST_F(PortMappingTest, ARouterThatIsSilentWhileItStartsIsAskedAgainSoon) {
    start();
    first.mapped.clear();
    first.there = second.there = false;
    run(PortMappingTimes().check + 1s);

    first.there = true;
    run(PortMappingTimes().first_pause);

    EXPECT_EQ(first.mapped, both(kPort));
    EXPECT_EQ(mapping->status().message, "");
}

TEST_F(PortMappingTest, WhatIsLostAndNotMappedAgainIsSoonNoLongerTold) {
    first.taken = {kPort};
    start();
    second.there = false;
    first.mapped.clear();
    first.starting = true;

    run(PortMappingTimes().check + PortMappingTimes().first_pause + 1s);

    EXPECT_EQ(mapping->status().state, "failed");
    ASSERT_EQ(announced.size(), 2u);
    EXPECT_EQ(announced[1], kPort);
}

TEST_F(PortMappingTest, ARouterThatDeniesWhatItHasMappedIsAskedMoreAndMoreSeldom) {
    first.forgetful = true;
    start();
    auto const before = first.opened;

    run(24h);

    EXPECT_LE(first.opened - before, 48 + 3) << "but for the renewals";
    EXPECT_EQ(mapping->status().state, "mapped");
}

TEST_F(PortMappingTest, AnotherAddressOfTheRouterIsToldAtTheNextCheck) {
    start();
    first.external = at("41.0.0.2");

    run(PortMappingTimes().check + 1s);

    EXPECT_EQ(said, at("41.0.0.2"));
    EXPECT_EQ(mapping->status().external, at("41.0.0.2"));
    EXPECT_EQ(first.opened, 1) << "what it maps is kept";
}

TEST_F(PortMappingTest, WithoutAnAnswerItFailsInOneSentenceAndGoesOnTrying) {
    first.there = second.there = false;
    start();

    EXPECT_EQ(mapping->status().state, "failed");
    EXPECT_EQ(mapping->status().message, "FIRST is not spoken here; SECOND is not spoken here");
    EXPECT_EQ(mapping->status().external_port, 0);

    first.there = true;
    run(1min);
    EXPECT_EQ(mapping->status().state, "mapped");
    EXPECT_EQ(mapping->status().message, "");
}

TEST_F(PortMappingTest, ARouterThatNeverAnswersIsGivenUpInTime) {
    first.silent = true;

    start();
    run(PortMapping::kStepTime);

    EXPECT_EQ(mapping->status().method, "SECOND");
}

TEST_F(PortMappingTest, ATakenPortIsReplacedAndTheOtherOneAnnounced) {
    first.taken = {kPort};

    start();

    ASSERT_EQ(announced.size(), 1u);
    EXPECT_NE(announced[0], kPort);
    EXPECT_EQ(first.mapped, both(announced[0]));
    EXPECT_EQ(mapping->status().external_port, announced[0]);
}

TEST_F(PortMappingTest, TheOwnPortIsAnnouncedAgainWhenTheMappingIsOver) {
    first.taken = {kPort};
    start();
    first.there = second.there = false;

    run(61min);

    ASSERT_EQ(announced.size(), 2u);
    EXPECT_EQ(announced[1], kPort);
}

TEST_F(PortMappingTest, AStopTakesTheMappingAway) {
    start();
    ASSERT_EQ(first.mapped, both(kPort));

    auto const took = stop();

    EXPECT_TRUE(first.mapped.empty());
    EXPECT_LE(took, PortMapping::kRemovalTime);
}

TEST_F(PortMappingTest, AStopDoesNotWaitForACallThatBlocks) {
    first.silent = true;
    start();
    ASSERT_EQ(mapping->status().state, "searching");

    EXPECT_EQ(stop(), 0s);
}

TEST_F(PortMappingTest, AStopDoesNotWaitLongForARouterThatHasGone) {
    start();
    first.silent = true;

    EXPECT_EQ(stop(), PortMapping::kRemovalTime);
}

TEST_F(PortMappingTest, AStopWhileARenewalBlocksTakesTheMappingAway) {
    start();
    run(30min - 10s);
    first.silent = true;
    run(10s);
    first.silent = false;

    EXPECT_LE(stop(), PortMapping::kRemovalTime);

    EXPECT_TRUE(first.mapped.empty());
}

TEST_F(PortMappingTest, ARequestThatWasUnderWayIsTakenBack) {
    auto const begin = clock.now();
    clock.call_at(begin + 15ms, [this] { first.silent = true; });  // open() is answered, the map of TCP will not be
    start();
    first.mapped = both(kPort);  // the router did it all the same
    first.silent = false;

    stop();

    EXPECT_FALSE(first.mapped.contains({TransportProtocol::tcp, kPort}));
}

TEST_F(PortMappingTest, AnotherRouterIsNoticed) {
    start();
    first.mapped.clear();
    place = Router{at("10.0.0.1"), at("10.0.0.9")};

    run(PortMapping::kLook + 1s);

    EXPECT_EQ(first.mapped, both(kPort));
    EXPECT_EQ(mapping->status().state, "mapped");
}

TEST_F(PortMappingTest, ARouterThatComesLaterIsNoticedSoon) {
    auto const later = std::exchange(place, std::nullopt);
    start();
    EXPECT_EQ(mapping->status().message, "this machine has no IPv4 router");
    run(10h);
    place = later;

    run(PortMapping::kLook + 1s);

    EXPECT_EQ(mapping->status().state, "mapped");
}

TEST_F(PortMappingTest, ARouterBehindAnotherIsTold) {
    first.external = at("100.64.3.4");

    start();

    EXPECT_EQ(mapping->status().state, "mapped");
    EXPECT_NE(mapping->status().message.find("100.64.3.4 is a private one"), std::string::npos);
}

TEST_F(PortMappingTest, AMachineWithAnAddressOfTheInternetAsksNobody) {
    place = Router{at("41.0.0.1"), at("41.0.0.7")};

    start();

    EXPECT_EQ(first.calls + second.calls, 0);
    EXPECT_EQ(mapping->status().state, "failed");
    EXPECT_NE(mapping->status().message.find("41.0.0.7 is one of the internet"), std::string::npos);
}

}  // namespace
}  // namespace rqfs::torrent
