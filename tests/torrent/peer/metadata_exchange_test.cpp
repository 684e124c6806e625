#include "torrent/peer/metadata_exchange.h"

#include "torrent/hash.h"
#include "torrent/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Type = MetadataMessage::Type;

TimePoint const kStart{1000h};

std::vector<std::byte> made_up(std::size_t bytes) {
    std::vector<std::byte> data(bytes);
    for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::byte>((i * 2654435761u) >> 11);
    return data;
}

enum class Kind { honest, silent, garbage, rejects, other_total, first_part_only };

// A swarm of peers that answer after their latency, in made-up time.
class Swarm {
public:
    explicit Swarm(std::size_t metadata_bytes, std::size_t budget_bytes = limit::kMetadataBytesInFlight)
        : metadata(made_up(metadata_bytes)), budget(budget_bytes), exchange(InfoHash(sha1(metadata)), budget) {}

    PeerHandle add(Kind kind, std::uint32_t claimed, Duration latency = 100ms) {
        PeerHandle const handle(next_handle_++);
        peers_[handle] = {kind, claimed, latency};
        exchange.peer_joined(handle, claimed, now);
        return handle;
    }
    PeerHandle honest(Duration latency = 100ms) { return add(Kind::honest, size(), latency); }
    std::uint32_t size() const { return static_cast<std::uint32_t>(metadata.size()); }

    // Until it is done or `limit` has passed; gives the time it took.
    std::optional<Duration> run(Duration limit) {
        auto const begin = now;
        for (;;) {
            for (auto const& request : exchange.next_requests(now)) ask(request);
            if (!finished.empty()) return now - begin;
            std::optional<TimePoint> next = exchange.next_time(now);
            if (!answers_.empty() && (!next || answers_.begin()->first < *next)) next = answers_.begin()->first;
            if (!next || *next > begin + limit) break;
            now = std::max(now, *next);
            while (!answers_.empty() && answers_.begin()->first <= now) {
                auto const request = answers_.begin()->second;
                answers_.erase(answers_.begin());
                answer(request);
            }
        }
        now = begin + limit;
        return std::nullopt;
    }

    std::vector<std::byte> metadata;
    MetadataBudget budget;
    MetadataExchange exchange;
    TimePoint now = kStart;
    std::vector<std::byte> finished;
    std::set<PeerHandle> penalised;
    std::set<PeerHandle> asked;
    std::size_t requests = 0;
    std::size_t most_held = 0;

private:
    struct Member {
        Kind kind = Kind::honest;
        std::uint32_t claimed = 0;
        Duration latency{0};
    };

    void ask(MetadataExchange::Request const& request) {
        ++requests;
        asked.insert(request.peer);
        auto const& member = peers_.at(request.peer);
        if (member.kind == Kind::silent || (member.kind == Kind::first_part_only && request.piece > 0)) return;
        answers_.emplace(now + member.latency, request);
    }

    void answer(MetadataExchange::Request const& request) {
        auto const& member = peers_.at(request.peer);
        MetadataMessage message{Type::data, request.piece, member.claimed, {}};
        std::size_t const begin = std::size_t{request.piece} * kBlockBytes;
        std::vector<std::byte> part(std::min<std::size_t>(kBlockBytes, member.claimed - begin), std::byte{0x55});
        if (member.kind == Kind::honest)
            std::copy_n(metadata.begin() + static_cast<std::ptrdiff_t>(begin), part.size(), part.begin());
        if (member.kind == Kind::rejects) message.type = Type::reject;
        if (member.kind == Kind::other_total) message.total_bytes += 1;
        message.bytes = part;
        auto outcome = exchange.received(request.peer, message, now);
        penalised.insert(outcome.penalised.begin(), outcome.penalised.end());
        if (!outcome.metadata.empty()) finished = std::move(outcome.metadata);
        most_held = std::max(most_held, budget.used_bytes());
    }

    std::map<PeerHandle, Member> peers_;
    std::multimap<TimePoint, MetadataExchange::Request> answers_;
    std::uint32_t next_handle_ = 1;
};

TEST(MetadataExchange, FetchesFromOnePeer) {
    Swarm swarm(100'000);
    swarm.honest();

    auto const took = swarm.run(30s);

    ASSERT_TRUE(took);
    EXPECT_EQ(swarm.finished, swarm.metadata);
    EXPECT_TRUE(swarm.exchange.finished());
    EXPECT_EQ(swarm.budget.used_bytes(), 0u);
}

TEST(MetadataExchange, AsksSeveralPeersForDifferentParts) {
    Swarm swarm(200'000);
    swarm.honest();
    swarm.honest();
    swarm.honest();

    auto const requests = swarm.exchange.next_requests(kStart);

    std::set<PeerHandle> peers;
    std::set<std::uint32_t> parts;
    for (auto const& request : requests) {
        peers.insert(request.peer);
        parts.insert(request.piece);
    }
    EXPECT_EQ(peers.size(), 3u);
    EXPECT_EQ(parts.size(), requests.size());
    EXPECT_EQ(swarm.exchange.peers_asked(), 3u);
}

TEST(MetadataExchange, AsksForEachPartOnceWhenPeersAnswer) {
    Swarm swarm(1'000'000);
    for (int i = 0; i < 5; ++i) swarm.honest();

    ASSERT_TRUE(swarm.run(30s));

    EXPECT_EQ(swarm.requests, (1'000'000 + kBlockBytes - 1) / kBlockBytes);
}

TEST(MetadataExchange, CompletesWhenNineLiarsAboutTheSizeCameFirst) {
    for (auto const kind : {Kind::garbage, Kind::silent, Kind::rejects, Kind::other_total, Kind::first_part_only}) {
        Swarm swarm(50'000);
        for (std::uint32_t i = 0; i < 9; ++i) swarm.add(kind, 20'000 + i * 40'000);
        swarm.run(2s);
        auto const honest = swarm.honest();

        auto const took = swarm.run(30s);

        ASSERT_TRUE(took) << static_cast<int>(kind);
        EXPECT_EQ(swarm.finished, swarm.metadata);
        EXPECT_FALSE(swarm.penalised.contains(honest));
    }
}

TEST(MetadataExchange, CompletesWhenNineLiarsClaimTheMostAndAnswerSlowly) {
    Swarm swarm(500'000);
    for (std::uint32_t i = 0; i < 9; ++i) swarm.add(Kind::garbage, limit::kMetadataBytes - i, 1s);
    swarm.run(10s);
    swarm.honest(300ms);

    auto const took = swarm.run(30s);

    ASSERT_TRUE(took);
    EXPECT_LE(swarm.most_held, limit::kMetadataBytesInFlight);
}

TEST(MetadataExchange, CompletesAmongAHundredLiarsWithOneWrongSize) {
    for (auto const kind : {Kind::garbage, Kind::silent, Kind::rejects, Kind::first_part_only}) {
        Swarm swarm(70'000);
        for (int i = 0; i < 100; ++i) swarm.add(kind, 90'000);
        swarm.run(1s);
        swarm.honest();

        EXPECT_TRUE(swarm.run(30s)) << static_cast<int>(kind);
    }
}

TEST(MetadataExchange, CompletesAmongLiarsWhoClaimTheRightSize) {
    for (auto const kind : {Kind::garbage, Kind::silent, Kind::rejects, Kind::first_part_only}) {
        Swarm swarm(70'000);
        for (int i = 0; i < 20; ++i) swarm.add(kind, swarm.size());
        swarm.honest();

        EXPECT_TRUE(swarm.run(30s)) << static_cast<int>(kind);
    }
}

TEST(MetadataExchange, CompletesAmongLiarsOfManySizesWhoGiveOnePartEach) {
    Swarm swarm(300'000);
    for (std::uint32_t i = 0; i < 40; ++i) swarm.add(Kind::first_part_only, 20'000 + i);
    swarm.run(1s);
    swarm.honest();

    EXPECT_TRUE(swarm.run(30s));
}

TEST(MetadataExchange, GivesASingleSourceOfWrongDataFiveMinutesRest) {
    Swarm swarm(10'000);
    auto const liar = swarm.add(Kind::garbage, swarm.size());

    swarm.run(299s);
    EXPECT_EQ(swarm.requests, 1u);
    EXPECT_TRUE(swarm.penalised.contains(liar));
    swarm.run(10s);

    EXPECT_EQ(swarm.requests, 2u);
}

TEST(MetadataExchange, FindsOutTheLiarsWhenAMixtureOfSourcesFails) {
    Swarm swarm(200'000);
    auto const liar = swarm.add(Kind::garbage, swarm.size());
    auto const first = swarm.honest();
    auto const second = swarm.honest();

    auto const took = swarm.run(10s);

    ASSERT_TRUE(took);
    EXPECT_THAT(swarm.penalised, UnorderedElementsAre(liar, first, second));
    EXPECT_EQ(swarm.finished, swarm.metadata);
}

TEST(MetadataExchange, AsksOthersWhenAPeerDoesNotAnswer) {
    Swarm swarm(10'000);
    swarm.add(Kind::silent, swarm.size());
    swarm.honest(50ms);

    auto const took = swarm.run(10s);

    ASSERT_TRUE(took);
    EXPECT_LE(*took, 2s);
}

TEST(MetadataExchange, IsContentWithASlowPeerWhenThereIsNoOther) {
    Swarm swarm(100'000);
    swarm.honest(7s);

    EXPECT_TRUE(swarm.run(120s));
}

TEST(MetadataExchange, AsksAPeerAgainSomeTimeAfterAReject) {
    Swarm swarm(10'000);
    swarm.add(Kind::rejects, swarm.size());

    swarm.run(25s);

    EXPECT_EQ(swarm.requests, 3u);
}

TEST(MetadataExchange, IgnoresWhatItDidNotAskFor) {
    Swarm swarm(10'000);
    auto const peer = swarm.honest();
    auto const before = swarm.budget.used_bytes();

    auto const outcome = swarm.exchange.received(peer, {Type::data, 0, swarm.size(), swarm.metadata}, kStart);

    EXPECT_TRUE(outcome.metadata.empty());
    EXPECT_EQ(swarm.budget.used_bytes(), before);
}

TEST(MetadataExchange, IgnoresPeersItDoesNotKnow) {
    Swarm swarm(10'000);

    auto const outcome = swarm.exchange.received(PeerHandle(77), {Type::data, 0, swarm.size(), swarm.metadata}, kStart);

    EXPECT_TRUE(outcome.metadata.empty());
}

TEST(MetadataExchange, AsksNobodyWhoClaimsASizeThatCannotBe) {
    Swarm swarm(10'000);
    swarm.add(Kind::honest, 0);
    swarm.add(Kind::honest, limit::kMetadataBytes + 1);

    EXPECT_THAT(swarm.exchange.next_requests(kStart), IsEmpty());
    EXPECT_EQ(swarm.exchange.peers_offering(), 0u);
}

TEST(MetadataExchange, TakesMemoryOnlyForPartsThatArrived) {
    Swarm swarm(10'000);
    auto const peer = swarm.add(Kind::silent, limit::kMetadataBytes);
    auto const requests = swarm.exchange.next_requests(kStart);
    ASSERT_FALSE(requests.empty());
    EXPECT_EQ(swarm.budget.used_bytes(), 0u);
    std::vector<std::byte> const part(kBlockBytes);

    swarm.exchange.received(peer, {Type::data, requests[0].piece, limit::kMetadataBytes, part}, kStart);

    EXPECT_EQ(swarm.budget.used_bytes(), kBlockBytes);
}

TEST(MetadataExchange, AsksTheRestOfOthersWhenAPeerLeaves) {
    Swarm swarm(40'000);
    auto const first = swarm.honest();
    auto const before = swarm.exchange.next_requests(kStart);
    ASSERT_EQ(before.size(), 2u);
    auto const second = swarm.honest();

    swarm.exchange.peer_left(first, kStart);
    auto const after = swarm.exchange.next_requests(kStart);

    EXPECT_THAT(after, ElementsAre(MetadataExchange::Request{second, 0}, MetadataExchange::Request{second, 1}));
}

TEST(MetadataExchange, KeepsThePartsOfAPeerThatLeftForTheNextOfThatSize) {
    Swarm swarm(2 * kBlockBytes);
    auto const first = swarm.honest();
    swarm.exchange.next_requests(kStart);
    swarm.exchange.received(first, {Type::data, 0, swarm.size(), std::span(swarm.metadata).first(kBlockBytes)}, kStart);
    swarm.exchange.peer_left(first, kStart);

    auto const second = swarm.honest();
    auto const requests = swarm.exchange.next_requests(kStart);

    EXPECT_THAT(requests, ElementsAre(MetadataExchange::Request{second, 1}));
}

TEST(MetadataExchange, GivesItsMemoryBackWhenDestroyed) {
    MetadataBudget budget;
    {
        MetadataExchange exchange(InfoHash{}, budget);
        exchange.peer_joined(PeerHandle(1), 100'000, kStart);
        exchange.next_requests(kStart);
        std::vector<std::byte> const part(kBlockBytes);
        exchange.received(PeerHandle(1), {Type::data, 0, 100'000, part}, kStart);
        ASSERT_EQ(budget.used_bytes(), kBlockBytes);
    }

    EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST(MetadataExchange, WaitsForMemoryWhenOtherMagnetsHoldItAll) {
    Swarm swarm(50'000, 60'000);
    ASSERT_TRUE(swarm.budget.take(30'000));
    swarm.honest();
    EXPECT_FALSE(swarm.run(10s));

    swarm.budget.give_back(30'000);

    EXPECT_TRUE(swarm.run(10s));
}

TEST(MetadataExchange, DropsDataThatMakesNoProgressForAMinute) {
    Swarm swarm(50'000);
    swarm.add(Kind::first_part_only, 60'000);
    swarm.run(10s);
    ASSERT_EQ(swarm.budget.used_bytes(), kBlockBytes);

    swarm.run(120s);

    EXPECT_LE(swarm.budget.used_bytes(), kBlockBytes);
}

TEST(MetadataExchange, APeerCannotEscapeItsRestByAnotherClaim) {
    Swarm swarm(10'000);
    auto const liar = swarm.add(Kind::garbage, swarm.size());
    swarm.run(10s);
    ASSERT_TRUE(swarm.penalised.contains(liar));

    swarm.exchange.peer_joined(liar, 20'000, swarm.now);

    EXPECT_THAT(swarm.exchange.next_requests(swarm.now), IsEmpty());
}

}  // namespace
}  // namespace rqfs::torrent
