#include "tests/sim/dht/dht_network.h"
#include "tests/sim/dht/impostors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHonest = 100;
constexpr std::size_t kLiars = 400;
constexpr std::size_t kPeers = 10;
constexpr std::size_t kSearches = 100;

struct Lies {
    char const* name;
    bool invents;       // nodes that do not exist
    std::size_t found;  // searches of a hundred that still find all peers
};

// Four of five nodes lie, each at an address of its own with an id that is right for it: no rule for addresses or ids
// tells them from the honest ones.
class Poisoning : public testing::TestWithParam<Lies> {};

TEST_P(Poisoning, LeavesAllTenPeersToBeFound) {
    std::vector<torrent::NodeContact> accomplices;
    DhtNetwork network(8);
    network.join(kHonest, 30s);
    join_liars(network, kLiars, accomplices, GetParam().invents);
    network.run_for(60s);
    std::size_t found_all = 0, found_some = 0, most_queries = 0;
    std::vector<torrent::Duration> first_peers;

    for (std::size_t i = 0; i < kSearches; ++i) {
        std::vector const torrents{network.random_hash()};
        auto const announced = network.announce(torrents, kPeers);
        auto const found = network.look_up(network.random_member(), torrents.front());
        auto const heard = std::count_if(announced.begin(), announced.end(),
                                         [&](auto const& peer) { return found.peers.contains(peer); });
        found_all += heard == static_cast<std::ptrdiff_t>(kPeers) ? 1u : 0u;
        found_some += heard > 0 ? 1u : 0u;
        first_peers.push_back(found.first_peer.value_or(torrent::Duration::max()));
        most_queries = std::max(most_queries, found.queries);
    }

    std::sort(first_peers.begin(), first_peers.end());
    auto const median = first_peers[first_peers.size() / 2];
    std::cout << "all " << found_all << ", some " << found_some << " of " << kSearches << ", at most " << most_queries
              << " queries, the first peer after " << std::chrono::duration<double>(median).count() << " s\n";
    EXPECT_GE(found_all, GetParam().found);
    EXPECT_GE(found_some, 99u);
    EXPECT_LT(median, 2s);
    EXPECT_LE(most_queries, 60u);
}

INSTANTIATE_TEST_SUITE_P(ByLiars, Poisoning,
                         testing::Values(Lies{"WhoInventNodes", true, 95}, Lies{"WhoNameEachOther", false, 95}),
                         [](auto const& lies) { return lies.param.name; });

}  // namespace
}  // namespace rqfs::tests
