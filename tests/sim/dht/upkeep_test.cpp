// The table of a node is kept up beside whatever else the node sends.
#include "tests/support/fake_udp.h"
#include "tests/support/virtual_clock.h"
#include "tests/torrent/dht/bytes.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/dht_node.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/limits.h"
#include "torrent/net/dns_resolver.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::nth_endpoint;
using tests::random_id;

constexpr std::uint32_t kNodes = 800;
constexpr std::uint32_t kNear = 128;  // of them nearer to us than any search is likely to come
constexpr std::size_t kSearches = 2'000;
constexpr int kMinutes = 20;
constexpr Duration kRefreshed = 15min;  // promised
constexpr Duration kKnown = 3min;  // since when a node may be questionable: three queries unanswered, and their turns

struct Load {
    char const* name;
    bool somebody_waits;  // for each of the searches
    unsigned dead_of_ten;
};

// A node that looks for thousands of torrents that nobody has, which is as much as it may send and more.
class Upkeep : public testing::TestWithParam<Load> {
protected:
    Upkeep() {
        udp.listening = {tests::endpoint("0.0.0.0:6881")};
        options.random = DhtRandom([this](std::span<std::byte> bytes) {
            for (auto& each : bytes) each = static_cast<std::byte>(random() & 0xff);
        });
        udp.network = [this](tests::FakeUdp::Sent const& sent) { return answers(sent); };
        dht = std::make_unique<Dht>(Dht::Network{engine.get_executor(), clock, udp, resolver}, options,
                                    std::span<std::byte const>());
        auto const own = dht->nodes().front()->table().own();
        for (std::uint32_t i = 0; i < kNodes; ++i) {
            auto const id = secure_node_id(nth_endpoint(i).address, random_id(random));
            nodes.push_back({i < kNear ? id_at_distance(own, 8 + i % 16, id) : id, nth_endpoint(i)});
        }
        dht->start();
        dht->add_node(nodes.front().endpoint);
        clock.run_for(engine, 10min);
    }
    ~Upkeep() override {
        searches.clear();
        boost::asio::co_spawn(engine, dht->stop(), [](std::exception_ptr const&) {});
        clock.run_for(engine, 1s);
        dht.reset();
    }

    std::vector<std::string> answers(tests::FakeUdp::Sent const& sent) {
        bytes_sent += sent.bytes.size();
        std::vector<std::string> answers;
        auto const message = parse_krpc(tests::bytes_of(sent.bytes));
        auto const* const query = message ? std::get_if<KrpcQuery>(&*message) : nullptr;
        auto const number = sent.to.address.bytes()[1] * 256u + sent.to.address.bytes()[2];
        if (query == nullptr || number >= kNodes || number % 10 < dead_of_ten) return answers;
        KrpcReply reply;
        reply.transaction = query->transaction;
        reply.id = nodes[number].id;
        reply.token = "token";
        reply.nodes.emplace();
        for (int i = 0; i < 8; ++i) reply.nodes->push_back(nodes[random() % kNodes]);
        answers.push_back(tests::text_of(encode_krpc(reply)));
        return answers;
    }
    void search_for_thousands(bool somebody_waits) {
        for (std::size_t i = 0; i < kSearches; ++i)
            searches.push_back(dht->find_peers(random_id(random).info_hash(), [](auto const&) {}));
        if (!somebody_waits) return;
        for (auto const& each : searches) each->hurry();
    }
    RoutingTable const& table() const { return dht->nodes().front()->table(); }

    // Since when each bucket is there, with no answer yet, or was refreshed; the longest by now.
    Duration oldest_bucket() {
        buckets_since.resize(std::max(buckets_since.size(), table().buckets()), clock.now());
        Duration oldest{};
        for (std::size_t i = 0; i < table().buckets(); ++i)
            oldest = std::max(oldest, clock.now() - std::max(buckets_since[i], table().bucket(i).refreshed));
        return oldest;
    }
    Duration longest_questionable() {
        Duration longest{};
        std::map<Endpoint, TimePoint> still;
        for (auto const& each : nodes) {
            if (table().state(each.endpoint, clock.now()) != RoutingTable::State::questionable) continue;
            auto const known = questionable_since.find(each.endpoint);
            auto const since = known == questionable_since.end() ? clock.now() : known->second;
            still.emplace(each.endpoint, since);
            longest = std::max(longest, clock.now() - since);
        }
        questionable_since = std::move(still);
        return longest;
    }

    boost::asio::io_context engine;
    tests::VirtualClock clock;
    tests::FakeUdp udp{engine.get_executor()};
    DnsResolver resolver{clock};
    std::mt19937 random{11};
    Dht::Options options;
    std::vector<NodeContact> nodes;
    unsigned dead_of_ten = 0;
    std::unique_ptr<Dht> dht;
    std::vector<std::unique_ptr<Dht::Search>> searches;
    std::vector<TimePoint> buckets_since;
    std::map<Endpoint, TimePoint> questionable_since;
    std::size_t bytes_sent = 0;
};

TEST_P(Upkeep, RefreshesEveryBucketAndLeavesNoNodeUnknownBesideThousandsOfSearches) {
    auto const load = GetParam();
    dead_of_ten = load.dead_of_ten;
    bytes_sent = 0;
    Duration oldest{}, questionable{};
    std::size_t in_flight = 0;

    search_for_thousands(load.somebody_waits);
    for (int step = 0; step < 4 * kMinutes; ++step) {
        if (load.somebody_waits)
            for (auto const& each : searches) each->hurry();
        clock.run_for(engine, 15s);
        udp.sent.clear();
        oldest = std::max(oldest, oldest_bucket());
        questionable = std::max(questionable, longest_questionable());
        in_flight = std::max<std::size_t>(in_flight, dht->status().front().queries_in_flight);
    }

    auto const seconds = [](Duration time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); };
    auto const counts = table().counts(clock.now());
    auto const bytes_a_second = bytes_sent / (60 * kMinutes);
    std::cout << table().buckets() << " buckets, " << counts.good << " good nodes, " << counts.questionable
              << " questionable, " << counts.bad << " bad; oldest bucket " << seconds(oldest) << " s, unknown for "
              << seconds(questionable) << " s; " << bytes_a_second << " B/s, " << in_flight << " in flight\n";
    EXPECT_GE(table().buckets(), 16u);
    EXPECT_GE(bytes_a_second, limit::kDhtQueryBytesPerSecond * 9 / 10) << "searches use what may be sent";
    EXPECT_GE(counts.good, 100u);
    EXPECT_LE(oldest, kRefreshed);
    EXPECT_LE(questionable, kKnown);
}

INSTANTIATE_TEST_SUITE_P(OfLoads, Upkeep,
                         testing::Values(Load{"InTheBackground", false, 0}, Load{"ThatSomebodyWaitsFor", true, 0},
                                         Load{"AmongDeadNodes", false, 4}),
                         [](auto const& load) { return load.param.name; });

}  // namespace
}  // namespace rqfs::torrent
