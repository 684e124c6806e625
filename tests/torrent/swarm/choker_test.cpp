#include "torrent/swarm/choker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

TimePoint const kStart(1000h);
Choker::Rules const kLeech{4, false, 1u << 20};
Choker::Rules const kSeed{4, true, 1u << 20};

ChokerPeer peer(std::uint32_t number, double download = 0, double upload = 0) {
    ChokerPeer peer;
    peer.peer = PeerHandle(number);
    peer.interested = true;
    peer.download_rate = download;
    peer.upload_rate = upload;
    peer.connected_since = kStart - 1h;
    return peer;
}

std::set<PeerHandle> handles(std::initializer_list<std::uint32_t> numbers) {
    std::set<PeerHandle> handles;
    for (auto const number : numbers) handles.insert(PeerHandle(number));
    return handles;
}

std::size_t overlap(std::set<PeerHandle> const& a, std::set<PeerHandle> const& b) {
    return static_cast<std::size_t>(std::count_if(a.begin(), a.end(), [&](auto peer) { return b.contains(peer); }));
}

TEST(Choker, WithFewerThanSlotsEveryInterestedPeerIsUnchoked) {
    Choker choker(1);
    std::vector peers{peer(1), peer(2), peer(3), peer(4)};
    peers[2].interested = false;

    EXPECT_EQ(choker.decide(peers, kLeech, kStart), handles({1, 2, 4}));
}

TEST(Choker, ADecisionIsDueAsSoonAsInterestHasChanged) {
    Choker choker(1);
    choker.decide({}, kLeech, kStart);
    EXPECT_FALSE(choker.is_due(kStart + 1s));

    choker.interest_changed();

    EXPECT_TRUE(choker.is_due(kStart + 1s));
    choker.decide({}, kLeech, kStart + 1s);
    EXPECT_FALSE(choker.is_due(kStart + 1s));
    EXPECT_TRUE(choker.is_due(kStart + Choker::kRound));
}

TEST(Choker, WhoChangesItsMindAllTheTimeBringsTenDecisionsASecond) {
    Choker choker(1);
    choker.decide({}, kLeech, kStart);
    std::size_t decisions = 0;
    for (auto now = kStart; now < kStart + 5s; now += 100us) {
        choker.interest_changed();
        if (!choker.is_due(now)) continue;
        choker.decide({}, kLeech, now);
        ++decisions;
    }

    EXPECT_LE(decisions, 100u);
    EXPECT_TRUE(choker.is_due(kStart + 6s)) << "what changed last is not forgotten";
}

TEST(Choker, WithAsManyAsSlotsSnubbingPeersToo) {
    Choker choker(1);
    std::vector peers{peer(1), peer(2), peer(3), peer(4)};
    peers[0].snubs_us = true;

    EXPECT_EQ(choker.decide(peers, kLeech, kStart), handles({1, 2, 3, 4}));
}

TEST(Choker, WithoutSlotsNobodyIs) {
    Choker choker(1);
    std::vector const peers{peer(1), peer(2)};

    EXPECT_TRUE(choker.decide(peers, {0, false, 1}, kStart).empty());
    EXPECT_TRUE(choker.decide(peers, {0, true, 1}, kStart + 10s).empty());
}

TEST(Choker, OneSlotGoesToTheBest) {
    Choker choker(1);
    std::vector const peers{peer(1, 5), peer(2, 9), peer(3, 7)};

    EXPECT_EQ(choker.decide(peers, {1, false, 1}, kStart), handles({2}));
}

TEST(Choker, DownloadingServesWhoGivesMost) {
    Choker choker(1);
    std::vector peers{peer(1, 10), peer(2, 20), peer(3, 30), peer(4, 40), peer(5, 50), peer(6, 60)};

    auto const unchoked = choker.decide(peers, kLeech, kStart);

    EXPECT_EQ(unchoked.size(), 4u);
    EXPECT_EQ(overlap(unchoked, handles({4, 5, 6})), 3u);
}

TEST(Choker, AFifthOfTheSlotsIsOptimistic) {
    for (auto const& [slots, optimistic] :
         std::map<std::size_t, std::size_t>{{2, 1}, {4, 1}, {8, 1}, {10, 2}, {20, 4}}) {
        Choker choker(1);
        std::vector<ChokerPeer> peers;
        for (std::uint32_t i = 0; i < 50; ++i) peers.push_back(peer(i, 1000.0 - i));

        auto const unchoked = choker.decide(peers, {slots, false, 1}, kStart);

        EXPECT_EQ(unchoked.size(), slots);
        auto const count =
            std::count_if(unchoked.begin(), unchoked.end(), [&](auto p) { return choker.optimistic(p); });
        EXPECT_EQ(static_cast<std::size_t>(count), optimistic);
        for (std::uint32_t i = 0; i < slots - optimistic; ++i) EXPECT_TRUE(unchoked.contains(PeerHandle(i)));
    }
}

TEST(Choker, TheOptimisticOneStaysThirtySeconds) {
    Choker choker(1);
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 50; ++i) peers.push_back(peer(i, 1000.0 - i));
    auto const lucky = [&](TimePoint now) {
        for (auto const handle : choker.decide(peers, kLeech, now))
            if (choker.optimistic(handle)) return handle;
        return PeerHandle(999);
    };

    auto const first = lucky(kStart);

    EXPECT_EQ(lucky(kStart + 10s), first);
    EXPECT_EQ(lucky(kStart + 20s), first);
    EXPECT_NE(lucky(kStart + 30s), first);
}

TEST(Choker, TheNextOptimisticOneIsAnother) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Choker choker(seed);
        std::vector const peers{peer(1, 90), peer(2, 80), peer(3, 70), peer(4), peer(5)};
        choker.decide(peers, kLeech, kStart);
        auto const first = choker.optimistic(PeerHandle(4)) ? PeerHandle(4) : PeerHandle(5);

        choker.decide(peers, kLeech, kStart + 30s);

        EXPECT_FALSE(choker.optimistic(first)) << "seed " << seed;
    }
}

TEST(Choker, NewPeersAreThriceAsLikelyToBeOptimistic) {
    std::vector<ChokerPeer> peers{peer(0, 9), peer(1, 8), peer(2, 7)};
    for (std::uint32_t i = 3; i < 13; ++i) {
        peers.push_back(peer(i));
        if (i >= 8) peers.back().connected_since = kStart - 5s;
    }
    int of_new = 0;

    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
        Choker choker(seed);
        choker.decide(peers, kLeech, kStart);
        for (std::uint32_t i = 8; i < 13; ++i) of_new += choker.optimistic(PeerHandle(i));
    }

    EXPECT_NEAR(of_new, 3000, 120);
}

TEST(Choker, AnOptimisticPeerThatGivesMuchKeepsASlotAndMakesRoom) {
    Choker choker(1);
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 10; ++i) peers.push_back(peer(i, 100 - i));
    PeerHandle lucky;
    for (auto const handle : choker.decide(peers, kLeech, kStart))
        if (choker.optimistic(handle)) lucky = handle;

    peers[lucky.value()].download_rate = 500;
    auto const unchoked = choker.decide(peers, kLeech, kStart + 10s);

    EXPECT_TRUE(unchoked.contains(lucky));
    EXPECT_FALSE(choker.optimistic(lucky));
    EXPECT_EQ(unchoked.size(), 4u);
}

TEST(Choker, WhoSnubsUsGetsNoRegularSlot) {
    Choker choker(1);
    std::vector peers{peer(1, 90), peer(2, 20), peer(3, 30), peer(4, 40), peer(5, 50), peer(6, 60)};
    peers[0].snubs_us = true;

    auto const unchoked = choker.decide(peers, kLeech, kStart);

    EXPECT_EQ(overlap(unchoked, handles({4, 5, 6})), 3u);
}

TEST(Choker, SlotsOfSnubbingPeersAreNotLeftEmpty) {
    Choker choker(1);
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 10; ++i) {
        peers.push_back(peer(i, 10));
        peers.back().snubs_us = i != 0;
    }

    for (auto now = kStart; now < kStart + 5min; now += 10s) {
        auto const unchoked = choker.decide(peers, kLeech, now);
        EXPECT_EQ(unchoked.size(), 4u);
        EXPECT_TRUE(unchoked.contains(PeerHandle(0)));
    }
}

TEST(Choker, TheTopThreeSuppliersOfTheWindowAreNeverChoked) {
    Choker choker(1);
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 20; ++i) peers.push_back(peer(i, 1000 + i));
    for (std::uint32_t i = 0; i < 5; ++i) {
        peers[i].download_rate = 1;
        peers[i].window_bytes = 100 + i;
    }

    for (auto now = kStart; now < kStart + 5min; now += 10s)
        EXPECT_EQ(overlap(choker.decide(peers, kLeech, now), handles({2, 3, 4})), 3u);
}

TEST(Choker, BetweenRoundsNobodyLosesItsSlot) {
    Choker choker(1);
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 10; ++i) peers.push_back(peer(i, 100 - i));
    auto const before = choker.decide(peers, kLeech, kStart);
    for (auto& p : peers) p.download_rate = p.peer.value();

    EXPECT_EQ(choker.decide(peers, kLeech, kStart + 9s), before);
    EXPECT_NE(choker.decide(peers, kLeech, kStart + 10s), before);
    EXPECT_EQ(choker.next_round(), kStart + 20s);
}

TEST(Choker, AFreeSlotIsGivenAwayAtOnce) {
    Choker choker(1);
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 10; ++i) peers.push_back(peer(i, 100 - i));
    auto const before = choker.decide(peers, kLeech, kStart);

    peers[0].interested = false;
    peers.erase(peers.begin() + 1);
    auto const after = choker.decide(peers, kLeech, kStart + 3s);

    EXPECT_EQ(after.size(), 4u);
    EXPECT_FALSE(after.contains(PeerHandle(0)));
    EXPECT_FALSE(after.contains(PeerHandle(1)));
    EXPECT_EQ(overlap(after, before), 2u);
}

TEST(Choker, APeerThatBecomesInterestedGetsAFreeSlotAtOnce) {
    Choker choker(1);
    std::vector peers{peer(1), peer(2)};
    peers[1].interested = false;
    EXPECT_EQ(choker.decide(peers, kLeech, kStart), handles({1}));

    peers[1].interested = true;

    EXPECT_EQ(choker.decide(peers, kLeech, kStart + 1s), handles({1, 2}));
}

TEST(Choker, FewerSlotsTakeEffectAtOnce) {
    Choker choker(1);
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 10; ++i) peers.push_back(peer(i, 100 - i));
    choker.decide(peers, {8, false, 1}, kStart);

    EXPECT_EQ(choker.decide(peers, {2, false, 1}, kStart + 1s).size(), 2u);
    EXPECT_TRUE(choker.decide(peers, {0, false, 1}, kStart + 2s).empty());
}

TEST(Choker, TheOrderOfItsInputDoesNotMatter) {
    std::vector<ChokerPeer> peers;
    for (std::uint32_t i = 0; i < 30; ++i) peers.push_back(peer(i, i % 3, i % 4));
    std::mt19937 random(5);
    Choker one(9);
    Choker other(9);

    for (auto now = kStart; now < kStart + 5min; now += 7s) {
        auto shuffled = peers;
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        auto const& rules = now < kStart + 2min ? kLeech : kSeed;
        ASSERT_EQ(one.decide(peers, rules, now), other.decide(shuffled, rules, now));
    }
}

// Peers that take what they can get, for seeding over a long time.
class Audience {
public:
    explicit Audience(std::vector<double> const& speeds) {
        for (std::uint32_t i = 0; i < speeds.size(); ++i) peers_.push_back(peer(i));
        speeds_ = speeds;
        served_.resize(speeds.size());
        turns_.resize(speeds.size());
    }

    void run(Choker& choker, Choker::Rules const& rules, Duration duration) {
        for (auto const end = now_ + duration; now_ < end; now_ += 10s) {
            auto const unchoked = choker.decide(peers_, rules, now_);
            ASSERT_EQ(unchoked.size(), std::min(rules.slots, peers_.size()));
            for (auto& p : peers_) step(p, unchoked.contains(p.peer), choker);
        }
    }

    std::vector<double> const& served() const { return served_; }
    std::vector<std::vector<Duration>> const& turns() const { return turns_; }

private:
    void step(ChokerPeer& p, bool unchoke, Choker const& choker) {
        auto const i = p.peer.value();
        if (p.unchoked_since && !unchoke) {
            if (!was_optimistic_.contains(p.peer)) turns_[i].push_back(now_ - *p.unchoked_since);
            p.last_unchoked = now_;
            p.unchoked_since.reset();
        }
        if (unchoke && !p.unchoked_since) {
            p.unchoked_since = now_;
            p.uploaded_since_unchoke = 0;
        }
        p.upload_rate = unchoke ? speeds_[i] : 0;
        p.uploaded_since_unchoke += static_cast<std::uint64_t>(p.upload_rate * 10);
        served_[i] += p.upload_rate * 10;
        if (choker.optimistic(p.peer)) was_optimistic_.insert(p.peer);
        if (unchoke && !choker.optimistic(p.peer)) was_optimistic_.erase(p.peer);
    }

    TimePoint now_ = kStart;
    std::vector<ChokerPeer> peers_;
    std::vector<double> speeds_;
    std::vector<double> served_;
    std::vector<std::vector<Duration>> turns_;
    std::set<PeerHandle> was_optimistic_;
};

TEST(ChokerOfASeed, ServesEqualPeersInTurns) {
    Audience audience(std::vector<double>(40, 1e6));
    Choker choker(1);

    audience.run(choker, {8, true, 1u << 20}, 4h);

    auto const [least, most] = std::minmax_element(audience.served().begin(), audience.served().end());
    EXPECT_GT(*least, 0.7 * *most);
}

TEST(ChokerOfASeed, ATurnLastsAtLeastAMinute) {
    Audience audience(std::vector<double>(40, 1e8));
    Choker choker(1);

    audience.run(choker, {8, true, 1u << 20}, 1h);

    for (auto const& turns : audience.turns())
        for (auto const turn : turns) EXPECT_GE(turn, 60s);
}

TEST(ChokerOfASeed, ATurnLastsForTwentyPieces) {
    Audience audience(std::vector<double>(40, 100e3));
    Choker choker(1);

    audience.run(choker, {8, true, 1u << 20}, 2h);

    for (auto const& turns : audience.turns())
        for (auto const turn : turns) EXPECT_GE(turn, 200s);
}

TEST(ChokerOfASeed, FasterPeersDisplaceSlowOnes) {
    std::vector<double> speeds(8, 100);
    speeds.resize(20, 1e6);
    Audience audience(speeds);
    Choker choker(1);

    audience.run(choker, {8, true, 1u << 20}, 30min);

    auto const total = 8 * 1800 * 1e6;
    double served = 0;
    for (auto const bytes : audience.served()) served += bytes;
    EXPECT_GT(served, 0.55 * total);  // 12 of 20 are fast, and all have their turns
}

TEST(ChokerOfASeed, EverybodyIsServedSomeDay) {
    std::vector<double> speeds;
    for (int i = 0; i < 60; ++i) speeds.push_back(1000.0 * (1 + i * i));
    Audience audience(speeds);
    Choker choker(1);

    audience.run(choker, {8, true, 256u << 10}, 3h);

    for (auto const bytes : audience.served()) EXPECT_GT(bytes, 0);
}

TEST(Choker, KeepsItsPromisesWhateverHappens) {
    for (unsigned seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random(seed);
        Choker choker(seed);
        std::vector<ChokerPeer> peers;
        std::set<PeerHandle> before;
        auto now = kStart;
        for (int step = 0; step < 300; ++step) {
            now += std::chrono::milliseconds(random() % 6000);
            if (random() % 3 == 0) peers.push_back(peer(static_cast<std::uint32_t>(step)));
            if (!peers.empty() && random() % 5 == 0)
                peers.erase(peers.begin() + static_cast<long>(random() % peers.size()));
            for (auto& p : peers) {
                p.interested = random() % 8 != 0;
                p.snubs_us = random() % 4 == 0;
                p.download_rate = static_cast<double>(random() % 1000);
                p.window_bytes = random() % 3 == 0 ? random() % 1000 : 0;
            }
            Choker::Rules const rules{5, random() % 2 == 0, 1u << 18};
            auto const round = now >= choker.next_round();

            auto const unchoked = choker.decide(peers, rules, now);

            std::set<PeerHandle> interested;
            for (auto const& p : peers)
                if (p.interested) interested.insert(p.peer);
            ASSERT_EQ(unchoked.size(), std::min<std::size_t>(5, interested.size()));
            ASSERT_EQ(overlap(unchoked, interested), unchoked.size());
            for (auto const handle : before)
                ASSERT_TRUE(round || !interested.contains(handle) || unchoked.contains(handle));
            before = unchoked;
        }
    }
}

}  // namespace
}  // namespace rqfs::torrent
