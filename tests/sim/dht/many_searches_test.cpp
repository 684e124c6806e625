// A member of a DHT that looks for many torrents at once.
#include "tests/sim/dht/dht_network.h"
#include "torrent/dht/dht.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/units.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace rqfs::tests {
namespace {

using namespace std::chrono_literals;

struct ManySearches : testing::Test {
    struct Watched {
        torrent::TimePoint began;
        std::optional<torrent::Duration> first_peer;
        std::unique_ptr<torrent::Dht::Search> search;
    };
    DhtNetwork network{6};
    std::vector<std::unique_ptr<Watched>> searches;

    ManySearches() {
        network.join(200, 30s);
        network.run_for(60s);
    }
    ~ManySearches() override { searches.clear(); }

    Watched& search(DhtNetwork::Member& member, torrent::InfoHash const& info_hash) {
        auto& added = *searches.emplace_back(std::make_unique<Watched>());
        added.began = network.clock.now();
        added.search = member.dht->find_peers(info_hash, [&](std::vector<torrent::Endpoint> const&) {
            if (!added.first_peer) added.first_peer = network.clock.now() - added.began;
        });
        added.search->announce({6881, 6881}, false);
        return added;
    }
    // That three members of the DHT have announced.
    std::vector<torrent::InfoHash> known_torrents(std::size_t count) {
        std::vector<torrent::InfoHash> torrents;
        while (torrents.size() < count) torrents.push_back(network.random_hash());
        network.announce(torrents);
        return torrents;
    }
};

TEST_F(ManySearches, OfAHundredTheLastFindsItsPeerToo) {
    auto const torrents = known_torrents(100);
    auto& member = network.join();
    network.run_for(60s);

    for (auto const& info_hash : torrents) search(member, info_hash);
    network.run_for(60s);

    std::size_t found = 0;
    for (auto const& each : searches)
        if (each->first_peer) ++found;
    EXPECT_TRUE(searches.back()->first_peer);
    EXPECT_GE(found, 99u);
}

TEST_F(ManySearches, AMagnetIsNotKeptWaitingByThem) {
    auto const torrents = known_torrents(1);
    auto& member = network.join();
    network.run_for(60s);
    for (int i = 0; i < 500; ++i) search(member, network.random_hash());
    network.run_for(10s);

    auto const& magnet = search(member, torrents.front());
    for (int i = 0; i < 100 && !magnet.first_peer; ++i) {
        magnet.search->hurry();
        network.run_for(100ms);
    }

    ASSERT_TRUE(magnet.first_peer);
    EXPECT_LE(*magnet.first_peer, 3s);
}

}  // namespace
}  // namespace rqfs::tests
