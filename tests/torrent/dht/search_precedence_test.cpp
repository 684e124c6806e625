// What searches get of what a node may send: those that somebody waits for first, and each one in the end.
#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/node_id.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::nth_endpoint;
using tests::random_id;

struct SearchPrecedence : tests::DhtOnFakeUdp {
    struct Watched {
        InfoHash info_hash;
        std::size_t peers = 0;
        std::unique_ptr<Dht::Search> search;
    };
    std::vector<std::unique_ptr<Watched>> searches;

    SearchPrecedence() {
        everybody_answers();
        start();
        dht->add_node(nth_endpoint(5));
        run(1min);
        udp.sent.clear();
    }
    ~SearchPrecedence() override { searches.clear(); }

    Watched& search() {
        auto& added = *searches.emplace_back(std::make_unique<Watched>());
        added.info_hash = random_id(random).info_hash();
        added.search = dht->find_peers(added.info_hash, [&added](auto const& found) { added.peers += found.size(); });
        added.search->announce(6881, false);
        return added;
    }
    std::map<InfoHash, std::size_t> sent_for_each(KrpcMethod method) const {
        std::map<InfoHash, std::size_t> counts;
        for (auto const& each : udp.sent) {
            auto const query = query_of(each.bytes);
            if (!query.transaction.empty() && query.method == method) ++counts[query.target.info_hash()];
        }
        return counts;
    }
};

TEST_F(SearchPrecedence, OfAHundredAtOnceEachAsksEnoughAndAnnounces) {
    for (int i = 0; i < 100; ++i) search();

    run(1min);

    auto const asked = sent_for_each(KrpcMethod::get_peers);
    auto const announced = sent_for_each(KrpcMethod::announce_peer);
    for (auto const& each : searches) {
        EXPECT_GT(each->peers, 0u);
        EXPECT_GE(asked.contains(each->info_hash) ? asked.at(each->info_hash) : 0u, 8u);
        EXPECT_GE(announced.contains(each->info_hash) ? announced.at(each->info_hash) : 0u, 8u);
    }
    EXPECT_EQ(dht->status().front().lookups, 0u);
}

}  // namespace
}  // namespace rqfs::torrent
