#include "torrent/swarm/peer_list.h"

#include "tests/torrent/swarm/peer_list_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kEntries = 40;

using Peers = std::map<Endpoint, KnownPeer>;

// All addresses that a test names: eight networks of each family, and one host at many ports.
std::vector<Endpoint> universe() {
    std::vector<Endpoint> all;
    for (std::uint8_t network = 0; network < 8; ++network)
        for (std::uint8_t host = 0; host < 12; ++host) {
            all.push_back({Address::v4({1, 2, network, host}), static_cast<std::uint16_t>(80 + host % 2)});
            std::array<std::uint8_t, 16> v6{0x20, 1, 0xd, 0xb8, 0, 0, 0, network};
            v6[15] = host;
            all.push_back({Address::v6(v6), 80});
        }
    for (std::uint16_t port = 81; port < 160; ++port) all.push_back({Address::v4({1, 2, 0, 0}), port});
    return all;
}

Peers known_of(PeerList const& list, std::vector<Endpoint> const& all) {
    Peers peers;
    for (auto const& endpoint : all)
        if (auto const* const peer = list.find(endpoint)) peers[endpoint] = *peer;
    return peers;
}

bool same_network(Endpoint const& one, Endpoint const& other) {
    auto const a = one.address.bytes();
    auto const b = other.address.bytes();
    return a.size() == b.size() && std::equal(a.begin(), a.begin() + (a.size() == 4 ? 3 : 8), b.begin());
}

std::size_t most_of_network(PeerSource source) {
    return source == PeerSource::lsd ? limit::kNeighbours : limit::kPeersPerNetworkAndSource;
}

bool share_used_up(Peers const& peers, Endpoint const& endpoint, PeerSource source) {
    auto const told = [&](auto const& of) {
        return static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), [&](auto const& entry) {
            return entry.second.sources.contains(source) && of(entry.first);
        }));
    };
    if (source == PeerSource::user) return false;
    if (told([&](Endpoint const& other) { return same_network(other, endpoint); }) >= most_of_network(source))
        return true;
    auto const ports = told([&](Endpoint const& other) { return other.address == endpoint.address; });
    return source == PeerSource::lsd && ports >= limit::kPortsPerNeighbour;
}

// What PeerList::add does to the addresses, by going through all of them.
class NaiveAdd {
public:
    void operator()(Peers& peers, Endpoint const& endpoint, PeerSource source, TimePoint now) {
        if (now >= next_forgetting_) {
            next_forgetting_ = now + 1min;
            std::erase_if(peers, [&](auto const& entry) { return is_old_mark(entry.second, now); });
        }
        if (peers.contains(endpoint) && is_old_mark(peers.at(endpoint), now)) peers.erase(endpoint);
        if (peers.contains(endpoint)) return;
        if (share_used_up(peers, endpoint, source)) return;
        if (peers.size() >= kEntries && !evict(peers)) return;
        peers[endpoint].sources.add(source);
    }

private:
    static bool is_old_mark(KnownPeer const& peer, TimePoint now) {
        return peer.given_up() && peer.state == KnownPeer::State::idle && now >= peer.next_dial + PeerList::kGivenUpFor;
    }

    static bool evict(Peers& peers) {
        KnownPeer const* worst = nullptr;
        auto const before = [](KnownPeer const& a, KnownPeer const& b) {
            if (a.failures != b.failures) return a.failures > b.failures;
            auto const use = [](KnownPeer const& peer) { return peer.last_useful.value_or(peer.added); };
            return std::pair(use(a), a.endpoint) < std::pair(use(b), b.endpoint);
        };
        for (auto const& [endpoint, peer] : peers)
            if (!peer.user() && peer.state == KnownPeer::State::idle && (worst == nullptr || before(peer, *worst)))
                worst = &peer;
        if (worst == nullptr) return false;
        peers.erase(Endpoint(worst->endpoint));
        return true;
    }

    TimePoint next_forgetting_{};
};

std::set<Endpoint> names(Peers const& peers) {
    std::set<Endpoint> names;
    for (auto const& [endpoint, peer] : peers) names.insert(endpoint);
    return names;
}

// Mostly one that the list knows.
Endpoint any_of(PeerList const& list, std::vector<Endpoint> const& all, std::mt19937& random) {
    auto const start = random();
    for (std::size_t i = 0; i < all.size() && start % 8 != 0; ++i)
        if (list.find(all[(start + i) % all.size()]) != nullptr) return all[(start + i) % all.size()];
    return all[start % all.size()];
}

// Whatever may happen to an address, except that it is added.
void something_else(PeerList& list, Endpoint const& endpoint, Endpoint const& other, std::uint32_t choice,
                    TimePoint now) {
    bool const yes = choice / 64 % 2 == 0;
    switch (choice % 22) {
        case 0:
        case 1:
        case 2: list.next(yes, now); break;
        case 3:
        case 4: list.failed(endpoint, now); break;
        case 5: list.hung_up(endpoint, now); break;
        case 6: list.abandoned(endpoint); break;
        case 7: list.postponed(endpoint, now); break;
        case 8:
        case 9: list.connected(endpoint, now); break;
        case 10:
        case 11:
        case 12: list.disconnected(endpoint, yes, now); break;
        case 13: list.set_giver(endpoint, yes); break;
        case 14: list.give_up(endpoint, now); break;
        case 15: list.forget(endpoint); break;
        case 16: list.set_seed(endpoint, yes); break;
        case 17: list.retry_all(now, yes); break;
        case 18:
        case 19:
        case 20: list.same_peer(endpoint, other); break;
        default: list.retry(endpoint, now); list.set_aside(other, now);
    }
}

// The rare ones that take many addresses away at once.
void something_great(PeerList& list, Endpoint const& endpoint, std::uint32_t choice) {
    constexpr std::array kSome{PeerSource::user, PeerSource::tracker, PeerSource::pex, PeerSource::dht};
    if (choice % 40 == 0)
        list.ban(endpoint.address);
    else if (choice % 40 == 1)
        list.keep_only(kSome);
}

void expect_recount(PeerList const& list, std::vector<Endpoint> const& all) {
    PeerList::Counts naive;
    std::map<std::tuple<bool, std::vector<std::uint8_t>, PeerSource>, std::size_t> shares;
    for (auto const& [endpoint, peer] : known_of(list, all)) {
        auto const bytes = endpoint.address.bytes();
        std::vector<std::uint8_t> const network(bytes.begin(), bytes.begin() + (bytes.size() == 4 ? 3 : 8));
        for (auto const source : kPeerSources)
            if (source != PeerSource::user && peer.sources.contains(source)) {
                auto const share = ++shares[{endpoint.address.is_v6(), network, source}];
                ASSERT_LE(share, most_of_network(source));
            }
        if (peer.twin) {
            ASSERT_EQ(list.find(*peer.twin)->twin, endpoint);
        }
        if (peer.given_up()) continue;
        ++naive.known;
        naive.idle += peer.state == KnownPeer::State::idle ? 1u : 0u;
        naive.dialling += peer.state == KnownPeer::State::dialling ? 1u : 0u;
        naive.connected += peer.state == KnownPeer::State::connected ? 1u : 0u;
        naive.seeds += peer.seed ? 1u : 0u;
    }
    auto const counts = list.counts();
    ASSERT_EQ(std::tie(counts.known, counts.idle, counts.dialling, counts.connected, counts.seeds),
              std::tie(naive.known, naive.idle, naive.dialling, naive.connected, naive.seeds));
    ASSERT_EQ(list.shares().size(), shares.size()) << "networks and sources";
    for (auto const& [endpoint, peer] : known_of(list, all))
        for (auto const source : kPeerSources) {
            auto const bytes = endpoint.address.bytes();
            std::vector<std::uint8_t> const network(bytes.begin(), bytes.begin() + (bytes.size() == 4 ? 3 : 8));
            auto const share = shares.find({endpoint.address.is_v6(), network, source});
            ASSERT_EQ(list.shares().of(endpoint, source), share == shares.end() ? 0u : share->second)
                << endpoint.text();
        }
}

class PeerListModel : public testing::TestWithParam<unsigned> {};

TEST_P(PeerListModel, AFullListEvictsWhomAListThatLooksAtEverybodyWould) {
    SCOPED_TRACE(testing::Message() << "seed " << GetParam());
    std::mt19937 random(GetParam());
    auto const all = universe();
    auto list = rqfs::torrent::list(kEntries);
    NaiveAdd naive;
    auto now = kStart;
    std::size_t evictions = 0;

    for (int step = 0; step < 3000; ++step) {
        now += std::chrono::milliseconds(random() % (random() % 50 == 0 ? 3'600'000 : 5'000));
        auto const& endpoint = all[random() % all.size()];
        if (random() % 2 == 0) {
            auto const one = any_of(list, all, random);
            something_else(list, one, any_of(list, all, random), static_cast<std::uint32_t>(random()), now);
            continue;
        }
        auto const source = kPeerSources[random() % 20 == 0 ? 0 : 1 + random() % 6];
        auto expected = known_of(list, all);
        auto const before = names(expected);
        naive(expected, endpoint, source, now);
        list.add(endpoint, source, now);
        auto const after = names(known_of(list, all));

        evictions += before.size() == kEntries && after.size() == kEntries && after != before ? 1u : 0u;
        ASSERT_EQ(after, names(expected)) << "step " << step;
    }

    EXPECT_GT(evictions, 300u) << "otherwise this proves little";
}

TEST_P(PeerListModel, EveryCountIsWhatARecountSays) {
    SCOPED_TRACE(testing::Message() << "seed " << GetParam());
    std::mt19937 random(GetParam());
    auto const all = universe();
    auto list = rqfs::torrent::list(kEntries);
    auto now = kStart;

    for (int step = 0; step < 400; ++step) {
        now += std::chrono::milliseconds(random() % (random() % 50 == 0 ? 3'600'000 : 5'000));
        auto const one = any_of(list, all, random);
        auto const source = kPeerSources[random() % kPeerSources.size()];
        something_else(list, one, any_of(list, all, random), static_cast<std::uint32_t>(random()), now);
        something_great(list, one, static_cast<std::uint32_t>(random()));
        for (int named = 0; named < 2; ++named) list.add(all[random() % all.size()], source, now);
        expect_recount(list, all);
        if (HasFatalFailure()) FAIL() << "step " << step;
    }
    for (auto const& endpoint : all) list.forget(endpoint);

    EXPECT_EQ(list.shares().size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PeerListModel, testing::Range(1u, 9u));

TEST(PeerListGivenUp, OneOfTheUsersLeavesNothingBehindWhenItIsForgotten) {
    auto peers = list();
    peers.add(far(1), PeerSource::user, kStart);
    peers.add(far(1), PeerSource::tracker, kStart);

    peers.give_up(far(1), kStart);
    EXPECT_TRUE(peers.find(far(1))->given_up());
    peers.forget(far(1));

    EXPECT_EQ(peers.shares().size(), 0u);
}

TEST(PeerListGivenUp, TheMarkHoldsForAnHourHoweverLongAgoItWasLearnt) {
    auto peers = list();
    peers.add(far(1), PeerSource::tracker, kStart);
    auto const later = kStart + 5h;
    peers.connected(far(1), later);

    peers.give_up(far(1), later);

    EXPECT_FALSE(peers.add(far(1), PeerSource::tracker, later + PeerList::kGivenUpFor - 1s));
    EXPECT_TRUE(peers.add(far(1), PeerSource::tracker, later + PeerList::kGivenUpFor));
}

TEST(PeerListGivenUp, WhoComesToUsAndIsOfUseIsDialledAgain) {
    auto peers = list();
    peers.add(far(1), PeerSource::tracker, kStart);
    for (std::uint32_t i = 0; i < limit::kMaxDialFailures; ++i) peers.failed(far(1), kStart);

    peers.connected(far(1), kStart + 1min);
    peers.disconnected(far(1), true, kStart + 2min);

    EXPECT_EQ(peers.next(false, kStart + 10min), far(1));
}

}  // namespace
}  // namespace rqfs::torrent
