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
        added.search->announce({6881, 6881}, false);
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
    std::size_t bytes_sent() const {
        std::size_t bytes = 0;
        for (auto const& each : udp.sent) bytes += each.bytes.size();
        return bytes;
    }
    // Somebody waits for it all the while.
    bool finds_while_hurried(Watched const& each, Duration limit) {
        for (auto const end = clock.now() + limit; clock.now() < end && each.peers == 0; run(100ms))
            each.search->hurry();
        return each.peers > 0;
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

TEST_F(SearchPrecedence, WhoIsWaitedForIsAskedForAtOnceAmongHundreds) {
    for (int i = 0; i < 500; ++i) search();
    run(5s);
    auto const& waited_for = search();

    waited_for.search->hurry();
    run(100ms);
    auto const asked_at_once = sent_for_each(KrpcMethod::get_peers).contains(waited_for.info_hash);

    EXPECT_TRUE(asked_at_once);
    EXPECT_TRUE(finds_while_hurried(waited_for, 3s));
}

TEST_F(SearchPrecedence, OfManyThatAreWaitedForTheLatestComesFirst) {
    for (int i = 0; i < 500; ++i) search().search->hurry();
    run(5s);
    auto const& latest = search();

    EXPECT_TRUE(finds_while_hurried(latest, 3s));
}

TEST_F(SearchPrecedence, EvenForThoseWhoWaitThereIsALimit) {
    for (int i = 0; i < 300; ++i) search();
    for (int second = 0; second < 100; ++second) {
        for (auto const& each : searches) each->search->hurry();
        run(100ms);
    }

    EXPECT_GT(bytes_sent(), 300'000u) << "what is allowed is used";
    EXPECT_LE(bytes_sent(), 40'000u * 12);
}

}  // namespace
}  // namespace rqfs::torrent
