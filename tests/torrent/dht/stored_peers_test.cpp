#include "tests/torrent/dht/bytes.h"
#include "tests/torrent/dht/dht_on_fake_udp.h"
#include "torrent/dht/krpc_message.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::bytes_of;
using tests::nth_endpoint;
using tests::random_id;

// What others announce to a running node.
struct Announced : tests::DhtOnFakeUdp {
    Endpoint const peer = nth_endpoint(700);
    NodeId const target = random_id(random);

    KrpcReply answer_of(KrpcQuery const& query) {
        udp.sent.clear();
        dht->datagram(peer, encode_krpc(query));
        run(0s);
        for (auto const& each : udp.sent) {
            auto const message = parse_krpc(bytes_of(each.bytes));
            if (each.to == peer && message && std::holds_alternative<KrpcReply>(*message))
                return std::get<KrpcReply>(*message);
        }
        return {};
    }
    KrpcQuery query(KrpcMethod method) {
        KrpcQuery made;
        made.transaction = "xy";
        made.method = method;
        made.id = random_id(random);
        made.target = target;
        made.port = 6881;
        return made;
    }
    void announce(std::string const& token) {
        auto made = query(KrpcMethod::announce_peer);
        made.token = token;
        answer_of(made);
    }
};

TEST_F(Announced, ATokenIsTakenForMinutesButNotAfterEleven) {
    start();
    auto const token = answer_of(query(KrpcMethod::get_peers)).token.value();
    run(11min);
    announce(token);
    EXPECT_EQ(dht->status().front().stored_peers, 0u);

    auto const fresh = answer_of(query(KrpcMethod::get_peers)).token.value();
    run(4min);
    announce(fresh);

    EXPECT_EQ(dht->status().front().stored_peers, 1u);
}

TEST_F(Announced, APeerThatDoesNotAnnounceAgainIsForgotten) {
    start();
    announce(answer_of(query(KrpcMethod::get_peers)).token.value());
    ASSERT_EQ(dht->status().front().stored_peers, 1u);

    run(1h);

    EXPECT_EQ(dht->status().front().stored_peers, 0u);
}

}  // namespace
}  // namespace rqfs::torrent
