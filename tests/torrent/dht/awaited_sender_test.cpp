#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/dht/node_id.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::bytes_of;
using tests::nth_endpoint;
using tests::random_id;
using tests::text_of;

// Somebody whose answer we wait for: it has asked us and been pinged.
struct AwaitedSender : tests::DhtOnFakeUdp {
    static constexpr std::size_t kFlood = 1'000;
    static constexpr std::size_t kBurst = 50;  // of an address

    void begin() {
        start();
        udp.inject(sender, ask(KrpcMethod::ping));
        run(100ms);
        ASSERT_EQ(dht->status().front().queries_in_flight, 1u);
    }
    bool taken(std::string const& bytes) { return dht->datagram(sender, bytes_of(bytes)); }
    std::size_t taken_of_a_flood(std::string const& bytes) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < kFlood; ++i) count += taken(bytes) ? 1u : 0u;
        return count;
    }
    std::string reply_to(std::string const& transaction) {
        KrpcReply reply;
        reply.transaction = transaction;
        reply.id = random_id(random);
        return text_of(encode_krpc(reply));
    }

    Endpoint sender = nth_endpoint(1);
};

TEST_F(AwaitedSender, MayFloodUsWithNonsenseNoMoreThanOthers) {
    begin();
    EXPECT_LE(taken_of_a_flood("d1:q1:xe"), kBurst);
}

TEST_F(AwaitedSender, MayFloodUsWithQueriesNoMoreThanOthers) {
    begin();
    EXPECT_LE(taken_of_a_flood(ask(KrpcMethod::find_node)), kBurst);
}

TEST_F(AwaitedSender, MayFloodUsWithAnswersToNothingNoMoreThanOthers) {
    begin();
    EXPECT_LE(taken_of_a_flood(reply_to("abcd")), kBurst);
}

TEST_F(AwaitedSender, MayFloodUsWithErrorsToNothingNoMoreThanOthers) {
    begin();
    EXPECT_LE(taken_of_a_flood(text_of(encode_krpc(KrpcError{"abcd", 201, "no"}))), kBurst);
}

// Somebody else may flood us in its name.
TEST_F(AwaitedSender, IsHeardWhenItAnswersInAFlood) {
    begin();
    auto const ping = query_of(udp.sent.back().bytes);
    ASSERT_FALSE(ping.transaction.empty());
    taken_of_a_flood(reply_to("abcd"));

    EXPECT_TRUE(taken(reply_to(ping.transaction)));

    EXPECT_EQ(dht->status().front().good, 1u);
}

}  // namespace
}  // namespace rqfs::torrent
