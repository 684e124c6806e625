#include "torrent/net/port_mapping_schedule.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using Kind = PortMappingSchedule::Step::Kind;
using Answer = PortAnswer::Kind;

constexpr TimePoint kStart{1h};
constexpr std::uint16_t kPort = 6881;
constexpr std::uint16_t kAnother = 50'000;

PortAnswer mapped(std::uint16_t port, std::chrono::seconds lifetime = 3'600s) {
    return {Answer::mapped, port, lifetime};
}
constexpr PortAnswer kConflict{Answer::conflict, 0, 0s};
constexpr PortAnswer kPermanentOnly{Answer::permanent_only, 0, 0s};

// Everything goes well until the port is mapped.
void map(PortMappingSchedule& schedule, TimePoint now, std::chrono::seconds lifetime = 3'600s) {
    schedule.opened();
    for (int i = 0; i < 2; ++i)
        schedule.answered(mapped(schedule.due(now)->request.external_port, lifetime), kAnother, now);
}

// The checks until then find all well.
void keep(PortMappingSchedule& schedule, TimePoint until) {
    while (schedule.next() < until) {
        auto const now = schedule.next();
        ASSERT_EQ(schedule.due(now)->kind, Kind::check);
        schedule.checked(true, now);
    }
}

TEST(PortMappingSchedule, MapsTheSamePortByTcpAndUdpOnceTheRouterIsFound) {
    PortMappingSchedule schedule(kPort, 2, kStart);
    EXPECT_EQ(schedule.due(kStart)->kind, Kind::open);
    EXPECT_EQ(schedule.due(kStart)->mapper, 0u);

    schedule.opened();
    auto const tcp = schedule.due(kStart)->request;
    schedule.answered(mapped(kPort), kAnother, kStart);
    auto const udp = schedule.due(kStart)->request;
    EXPECT_FALSE(schedule.mapping(kStart)) << "one of the two is not enough";
    schedule.answered(mapped(kPort), kAnother, kStart);

    EXPECT_EQ(tcp, (PortRequest{TransportProtocol::tcp, kPort, kPort, 3'600s}));
    EXPECT_EQ(udp, (PortRequest{TransportProtocol::udp, kPort, kPort, 3'600s}));
    ASSERT_TRUE(schedule.mapping(kStart));
    EXPECT_EQ(schedule.mapping(kStart)->external_port, kPort);
}

TEST(PortMappingSchedule, RenewsAtHalfOfTheLifeThatTheRouterGives) {
    PortMappingSchedule schedule(kPort, 2, kStart);

    map(schedule, kStart, 1'000s);
    keep(schedule, kStart + 500s);

    EXPECT_EQ(schedule.next(), kStart + 500s);
    EXPECT_FALSE(schedule.due(kStart + 499s));
    EXPECT_EQ(schedule.due(kStart + 500s)->kind, Kind::open);
    map(schedule, kStart + 500s, 1'000s);
    EXPECT_EQ(schedule.mapping(kStart + 1'400s)->renewed, kStart + 500s);
}

TEST(PortMappingSchedule, AShortLifeIsNoReasonToAskAllTheTime) {
    PortMappingSchedule schedule(kPort, 1, kStart);

    map(schedule, kStart, 1s);

    EXPECT_EQ(schedule.next(), kStart + 60s);
}

TEST(PortMappingSchedule, AMappingThatCannotBeRenewedIsOverAtItsEnd) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    map(schedule, kStart, 1'000s);

    for (auto now = kStart; now < kStart + 1'000s; now += 1s)
        if (schedule.due(now)) schedule.failed("silence", now);

    EXPECT_TRUE(schedule.mapping(kStart + 999s));
    EXPECT_FALSE(schedule.mapping(kStart + 1'000s));
    EXPECT_EQ(schedule.failure(), "silence");
    EXPECT_TRUE(schedule.removals().size() == 2) << "until it is known to be over";
    static_cast<void>(schedule.due(kStart + 1'000s));
    EXPECT_TRUE(schedule.removals().empty());
    EXPECT_GT(schedule.next(), kStart + 1'000s) << "what is over is nothing to wake up for";
}

TEST(PortMappingSchedule, TheNextProtocolIsTriedWhenOneFails) {
    PortMappingSchedule schedule(kPort, 2, kStart);

    schedule.failed("no NAT-PMP", kStart);

    EXPECT_EQ(schedule.due(kStart)->mapper, 1u);
    map(schedule, kStart);
    EXPECT_EQ(schedule.mapping(kStart)->mapper, 1u);
    keep(schedule, kStart + 1'800s);
    EXPECT_EQ(schedule.due(kStart + 1'800s)->mapper, 1u) << "what worked is renewed by the same";
}

TEST(PortMappingSchedule, PausesGrowWhenNothingWorks) {
    PortMappingSchedule schedule(kPort, 2, kStart);
    std::vector<std::chrono::seconds> pauses;
    auto now = kStart;

    for (int i = 0; i < 10; ++i) {
        schedule.failed("no NAT-PMP", now);
        schedule.failed("no UPnP", now);
        pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(schedule.next() - now));
        now = schedule.next();
    }

    EXPECT_EQ(schedule.failure(), "no NAT-PMP; no UPnP");
    EXPECT_EQ(pauses, (std::vector{30s, 60s, 120s, 240s, 480s, 960s, 1'920s, 3'600s, 3'600s, 3'600s}));
}

TEST(PortMappingSchedule, PausesAreShortAgainAfterASuccess) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    for (auto now = kStart; now < kStart + 1h; now = schedule.next()) schedule.failed("busy", now);
    auto const now = schedule.next();
    map(schedule, now);
    keep(schedule, now + 1'800s);
    ASSERT_EQ(schedule.due(now + 1'800s)->kind, Kind::open);

    schedule.failed("busy", now + 1'800s);

    EXPECT_EQ(schedule.next(), now + 1'830s);
}

TEST(PortMappingSchedule, AnotherPortIsAskedForWhenSomebodyHasOurs) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();

    schedule.answered(kConflict, kAnother, kStart);

    EXPECT_EQ(schedule.due(kStart)->request, (PortRequest{TransportProtocol::tcp, kPort, kAnother, 3'600s}));
    schedule.answered(mapped(kAnother), 1, kStart);
    schedule.answered(mapped(kAnother), 1, kStart);
    EXPECT_EQ(schedule.mapping(kStart)->external_port, kAnother);
    keep(schedule, kStart + 1'800s);
    EXPECT_EQ(schedule.due(kStart + 1'800s)->kind, Kind::open);
    schedule.opened();
    EXPECT_EQ(schedule.due(kStart + 1'800s)->request.external_port, kAnother) << "what is announced is kept";
}

TEST(PortMappingSchedule, APortThatIsFreeByTcpAloneIsGivenBack) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();
    schedule.answered(mapped(kPort), kAnother, kStart);

    schedule.answered(kConflict, kAnother, kStart);

    EXPECT_EQ(schedule.due(kStart)->kind, Kind::unmap);
    EXPECT_EQ(schedule.due(kStart)->request.external_port, kPort);
    EXPECT_EQ(schedule.due(kStart)->request.protocol, TransportProtocol::tcp);
    schedule.unmapped();
    EXPECT_EQ(schedule.due(kStart)->request, (PortRequest{TransportProtocol::tcp, kPort, kAnother, 3'600s}));
}

TEST(PortMappingSchedule, APortThatTheRouterChoosesIsAskedForByBoth) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();

    schedule.answered(mapped(7'000), kAnother, kStart);
    EXPECT_EQ(schedule.due(kStart)->request, (PortRequest{TransportProtocol::udp, kPort, 7'000, 3'600s}));
    schedule.answered(mapped(7'001), kAnother, kStart);

    std::set<std::tuple<TransportProtocol, std::uint16_t>> given_back;
    for (int i = 0; i < 2; ++i) {
        ASSERT_EQ(schedule.due(kStart)->kind, Kind::unmap);
        given_back.emplace(schedule.due(kStart)->request.protocol, schedule.due(kStart)->request.external_port);
        schedule.unmapped();
    }
    EXPECT_EQ(given_back, (std::set<std::tuple<TransportProtocol, std::uint16_t>>{{TransportProtocol::tcp, 7'000},
                                                                                  {TransportProtocol::udp, 7'001}}));
    EXPECT_EQ(schedule.due(kStart)->request, (PortRequest{TransportProtocol::tcp, kPort, 7'001, 3'600s}));
}

TEST(PortMappingSchedule, ARouterWithoutAFreePortIsGivenUp) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();

    for (std::size_t i = 0; i < PortMappingSchedule::kPorts; ++i) {
        ASSERT_TRUE(schedule.due(kStart));
        schedule.answered(kConflict, kAnother, kStart);
    }

    EXPECT_FALSE(schedule.due(kStart));
    EXPECT_FALSE(schedule.failure().empty());
    EXPECT_EQ(schedule.next(), kStart + 30s);
}

TEST(PortMappingSchedule, ARouterThatKnowsOnlyPermanentMappingsIsAskedForOne) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();

    schedule.answered(kPermanentOnly, kAnother, kStart);

    EXPECT_EQ(schedule.due(kStart)->request.lifetime, 0s);
    schedule.answered(mapped(kPort, 0s), kAnother, kStart);
    schedule.answered(mapped(kPort, 0s), kAnother, kStart);
    ASSERT_TRUE(schedule.mapping(kStart + 100h));
    EXPECT_FALSE(schedule.mapping(kStart)->expires);
    keep(schedule, kStart + PortMappingSchedule::kPermanentLook);
    EXPECT_EQ(schedule.next(), kStart + PortMappingSchedule::kPermanentLook);
}

TEST(PortMappingSchedule, ARouterThatRefusesEveryLifetimeFails) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();

    schedule.answered(kPermanentOnly, kAnother, kStart);
    schedule.answered(kPermanentOnly, kAnother, kStart);

    EXPECT_FALSE(schedule.due(kStart));
    EXPECT_FALSE(schedule.failure().empty());
}

TEST(PortMappingSchedule, InAnotherNetworkItBeginsAnewAndAtOnce) {
    PortMappingSchedule schedule(kPort, 2, kStart);
    map(schedule, kStart);

    schedule.start_anew(kStart + 10s);

    EXPECT_FALSE(schedule.mapping(kStart + 10s));
    EXPECT_TRUE(schedule.removals().empty()) << "the router that knows them is not here";
    EXPECT_EQ(schedule.due(kStart + 10s)->kind, Kind::open);
}

TEST(PortMappingSchedule, WhatIsMappedIsRemovedAndNothingElse) {
    PortMappingSchedule schedule(kPort, 2, kStart);
    EXPECT_TRUE(schedule.removals().empty());
    schedule.failed("no NAT-PMP", kStart);
    schedule.opened();
    schedule.answered(mapped(kPort), kAnother, kStart);
    EXPECT_EQ(schedule.removals().size(), 1u);

    schedule.answered(mapped(kPort), kAnother, kStart);

    ASSERT_EQ(schedule.removals().size(), 2u);
    for (auto const& step : schedule.removals()) {
        EXPECT_EQ(step.kind, Kind::unmap);
        EXPECT_EQ(step.mapper, 1u);
        EXPECT_EQ(step.request.external_port, kPort);
    }
    EXPECT_NE(schedule.removals()[0].request.protocol, schedule.removals()[1].request.protocol);
}

TEST(PortMappingSchedule, AFailedRemovalIsNotTriedForEver) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();
    schedule.answered(mapped(kPort), kAnother, kStart);
    schedule.answered(kConflict, kAnother, kStart);
    ASSERT_EQ(schedule.due(kStart)->kind, Kind::unmap);

    schedule.failed("silence", kStart);

    EXPECT_EQ(schedule.due(kStart)->kind, Kind::map);
}

TEST(PortMappingSchedule, WhatIsMappedIsLookedAfterBetweenTheRenewals) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    map(schedule, kStart);

    std::vector<std::chrono::seconds> checks;
    while (schedule.due(schedule.next())->kind == Kind::check) {
        auto const now = schedule.next();
        EXPECT_FALSE(schedule.due(now - 1s));
        EXPECT_EQ(schedule.due(now)->request.external_port, kPort);
        EXPECT_EQ(schedule.due(now)->request.internal_port, kPort);
        checks.push_back(std::chrono::duration_cast<std::chrono::seconds>(now - kStart));
        schedule.checked(true, now);
    }

    EXPECT_EQ(checks, (std::vector{300s, 600s, 900s, 1'200s, 1'500s}));
    EXPECT_EQ(schedule.next(), kStart + 1'800s) << "a renewal needs no check beside it";
    EXPECT_EQ(schedule.mapping(kStart + 1'800s)->renewed, kStart) << "a check renews nothing";
}

TEST(PortMappingSchedule, AShortLifeNeedsNoCheck) {
    PortMappingSchedule schedule(kPort, 1, kStart);

    map(schedule, kStart, 600s);

    EXPECT_EQ(schedule.due(schedule.next())->kind, Kind::open);
}

TEST(PortMappingSchedule, WhatTheRouterHasLostIsMappedAgainAtOnceAndByTheSamePort) {
    PortMappingSchedule schedule(kPort, 2, kStart);
    schedule.failed("no NAT-PMP", kStart);
    schedule.opened();
    schedule.answered(kConflict, kAnother, kStart);
    for (int i = 0; i < 2; ++i) schedule.answered(mapped(kAnother), 1, kStart);
    auto const now = kStart + 300s;
    ASSERT_EQ(schedule.due(now)->kind, Kind::check);

    schedule.checked(false, now);

    EXPECT_EQ(schedule.due(now)->kind, Kind::open);
    EXPECT_EQ(schedule.due(now)->mapper, 1u);
    schedule.opened();
    EXPECT_EQ(schedule.due(now)->request, (PortRequest{TransportProtocol::tcp, kPort, kAnother, 3'600s}));
    for (int i = 0; i < 2; ++i) schedule.answered(mapped(kAnother), 1, now);
    EXPECT_EQ(schedule.mapping(now)->renewed, now);
    EXPECT_EQ(schedule.mapping(now)->expires, now + 3'600s);
}

TEST(PortMappingSchedule, WhatIsLostIsOverUnlessItIsSoonMappedAgain) {
    for (auto const lifetime : {3'600s, 0s}) {
        PortMappingSchedule schedule(kPort, 1, kStart);
        map(schedule, kStart, lifetime);
        auto const now = kStart + 300s;
        ASSERT_EQ(schedule.due(now)->kind, Kind::check);

        schedule.checked(false, now);
        schedule.failed("no address yet", now);

        EXPECT_TRUE(schedule.mapping(now + 29s));
        EXPECT_FALSE(schedule.mapping(now + 30s));
        EXPECT_EQ(schedule.due(now + 30s)->kind, Kind::open) << "tried again as after every failure";
    }
}

TEST(PortMappingSchedule, SilenceAtACheckIsReasonToLookForTheRouterAndNotYetToCallThePortLost) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    map(schedule, kStart);
    auto const now = kStart + 300s;
    ASSERT_EQ(schedule.due(now)->kind, Kind::check);

    schedule.failed("silence", now);

    EXPECT_EQ(schedule.due(now)->kind, Kind::open);
    EXPECT_EQ(schedule.failure(), "");
    schedule.failed("silence", now);
    EXPECT_EQ(schedule.failure(), "silence");
    EXPECT_EQ(schedule.next(), now + 30s);
    EXPECT_TRUE(schedule.mapping(kStart + 3'599s));
}

TEST(PortMappingSchedule, ChecksThatNeverFindAllWellBecomeSeldom) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    std::vector<std::chrono::seconds> waits;
    for (auto now = kStart; now < kStart + 3h; now = schedule.next()) {
        if (schedule.due(now)->kind == Kind::check) schedule.checked(false, now);
        map(schedule, now);
        waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(schedule.next() - now));
    }

    ASSERT_GT(waits.size(), 5u);
    waits.resize(5);
    EXPECT_EQ(waits, (std::vector{300s, 600s, 1'200s, 1'800s, 1'800s})) << "renewals alone";
}

TEST(PortMappingSchedule, AfterACheckThatFindsAllWellTheNextIsAsSoonAsEver) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    map(schedule, kStart);
    auto now = schedule.next();
    ASSERT_EQ(schedule.due(now)->kind, Kind::check);
    schedule.checked(false, now);
    map(schedule, now);
    now = schedule.next();
    ASSERT_EQ(schedule.due(now)->kind, Kind::check);

    schedule.checked(true, now);

    EXPECT_EQ(schedule.next(), now + 300s);
}

TEST(PortMappingSchedule, ACheckThatComesTooLateIsARenewal) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    map(schedule, kStart);

    EXPECT_EQ(schedule.due(kStart + 1'800s)->kind, Kind::open);

    PortMappingSchedule slept(kPort, 1, kStart);
    map(slept, kStart);
    EXPECT_EQ(slept.due(kStart + 2h)->kind, Kind::open) << "nothing is held that could be checked";
}

TEST(PortMappingSchedule, ARouterThatStartsAgainBetweenTcpAndUdpIsSoonAskedForBoth) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();
    schedule.answered(mapped(kPort), kAnother, kStart);
    auto udp = mapped(kPort);
    udp.table_lost = true;

    schedule.answered(udp, kAnother, kStart);

    EXPECT_EQ(schedule.next(), kStart + 30s);
    EXPECT_EQ(schedule.due(kStart + 30s)->kind, Kind::open);
}

TEST(PortMappingSchedule, ALossBeforeTheFirstAnswerOfARoundIsOneThatTheRoundRepairs) {
    PortMappingSchedule schedule(kPort, 1, kStart);
    schedule.opened();
    auto tcp = mapped(kPort);
    tcp.table_lost = true;

    schedule.answered(tcp, kAnother, kStart);
    schedule.answered(mapped(kPort), kAnother, kStart);

    EXPECT_EQ(schedule.next(), kStart + 300s);
}

// A router that answers anything: there is always an end to what is due at one moment, and what was mapped is known.
TEST(PortMappingSchedule, WhateverARouterAnswersItIsNotAskedWithoutEnd) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        PortMappingSchedule schedule(kPort, 2, kStart);
        auto now = kStart;
        for (int wake = 0; wake < 200; ++wake) {
            int steps = 0;
            while (auto const step = schedule.due(now)) {
                ASSERT_LT(++steps, 100) << "seed " << seed;
                auto const& request = step->request;
                if (random() % 5 == 0) {
                    schedule.failed("no", now);
                } else if (step->kind == Kind::open) {
                    schedule.opened();
                } else if (step->kind == Kind::unmap) {
                    schedule.unmapped();
                } else if (step->kind == Kind::check) {
                    schedule.checked(random() % 2 == 0, now);
                } else {
                    auto const port =
                        random() % 3 == 0 ? static_cast<std::uint16_t>(1 + random() % 60'000) : request.external_port;
                    auto const kind = static_cast<Answer>(random() % 4 < 2 ? 0 : random() % 3);
                    schedule.answered({kind, port, std::chrono::seconds(random() % 9'000), random() % 3 == 0},
                                      static_cast<std::uint16_t>(1 + random() % 60'000), now);
                }
            }
            ASSERT_GT(schedule.next(), now) << "seed " << seed;
            if (auto const held = schedule.mapping(now)) {
                ASSERT_GE(schedule.removals().size(), 2u) << "seed " << seed;
                ASSERT_NE(held->external_port, 0) << "seed " << seed;
            }
            now = schedule.next();
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
