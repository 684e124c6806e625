#include "torrent/dht/responder.h"

#include "tests/torrent/dht/bytes.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

using tests::endpoint;
using tests::nth_endpoint;
using tests::random_id;

struct Answers : testing::Test {
    std::mt19937 random{5};
    TimePoint now{std::chrono::hours(1000)};
    RoutingTable v4{random_id(random), true};
    RoutingTable v6{random_id(random), true};
    Responder responder{false, false, {}, now};
    Endpoint from = nth_endpoint(77);

    Answers() {
        for (std::uint32_t i = 0; i < 60; ++i)
            v4.replied({id_at_distance(v4.own(), i % 10, random_id(random)), nth_endpoint(i)}, now);
        for (std::uint8_t i = 1; i < 10; ++i) {
            std::array<std::uint8_t, 16> const at{0x26, 0, i, i};
            v6.replied({random_id(random), {Address::v6(at), 6881}}, now);
        }
    }
    KrpcQuery query(KrpcMethod method) {
        KrpcQuery each;
        each.method = method;
        each.transaction = "abcd";
        each.id = random_id(random);
        each.target = random_id(random);
        return each;
    }
    std::optional<KrpcMessage> ask(KrpcQuery const& each, std::size_t room = limit::kDhtReplyBytes) {
        auto const answer = responder.answer(each, from, {&v4, &v6}, room, 3, now);
        if (!answer) return std::nullopt;
        EXPECT_LE(answer->bytes.size(), room);
        return parse_krpc(answer->bytes).value();
    }
    KrpcReply reply(KrpcQuery const& each, std::size_t room = limit::kDhtReplyBytes) {
        auto const answer = ask(each, room);
        if (answer && std::holds_alternative<KrpcReply>(*answer)) return std::get<KrpcReply>(*answer);
        ADD_FAILURE() << "no reply";
        return {};
    }
    std::int64_t code(KrpcQuery const& each) {
        auto const answer = ask(each);
        return answer && std::holds_alternative<KrpcError>(*answer) ? std::get<KrpcError>(*answer).code : 0;
    }
    KrpcQuery announcement(InfoHash const& torrent) {
        auto asking = query(KrpcMethod::get_peers);
        asking.target = NodeId(torrent);
        auto each = query(KrpcMethod::announce_peer);
        each.target = asking.target;
        each.token = reply(asking).token.value();
        each.port = 5000;
        return each;
    }
};

TEST_F(Answers, PingTellsIdAndWhereTheOtherIs) {
    auto const answer = reply(query(KrpcMethod::ping));

    EXPECT_EQ(answer.id, v4.own());
    EXPECT_EQ(answer.transaction, "abcd");
    EXPECT_EQ(answer.requester, from);
    EXPECT_FALSE(answer.nodes);
}

TEST_F(Answers, FindNodeGivesTheEightNearest) {
    auto const asked = query(KrpcMethod::find_node);

    EXPECT_EQ(reply(asked).nodes, v4.closest(asked.target, 8, false, now));
    EXPECT_FALSE(reply(asked).nodes6);
}

TEST_F(Answers, NodesOfTheOtherFamilyOnlyWhenWanted) {
    auto asked = query(KrpcMethod::find_node);
    asked.want_v6 = true;
    EXPECT_TRUE(reply(asked).nodes6 && !reply(asked).nodes);
    asked.want_v4 = true;
    EXPECT_TRUE(reply(asked).nodes6 && reply(asked).nodes);
}

TEST_F(Answers, GetPeersGivesNodesATokenAndWhatIsStored) {
    auto const torrent = random_id(random).info_hash();
    auto asked = query(KrpcMethod::get_peers);
    asked.target = NodeId(torrent);
    EXPECT_TRUE(reply(asked).token && reply(asked).nodes && reply(asked).values.empty());

    EXPECT_EQ(reply(announcement(torrent)).id, v4.own());

    EXPECT_EQ(reply(asked).values, std::vector{(Endpoint{from.address, 5000})});
}

TEST_F(Answers, AnImpliedPortIsTheOneTheDatagramCameFrom) {
    auto const torrent = random_id(random).info_hash();
    auto each = announcement(torrent);
    each.implied_port = true;
    ask(each);
    auto asked = query(KrpcMethod::get_peers);
    asked.target = each.target;

    EXPECT_EQ(reply(asked).values, std::vector{from});
}

TEST_F(Answers, WithoutAValidTokenNothingIsStored) {
    auto each = announcement(random_id(random).info_hash());
    each.token = "12345678";
    EXPECT_EQ(code(each), 203);
    each = announcement(random_id(random).info_hash());
    each.target = random_id(random);
    EXPECT_EQ(code(each), 203);
    each = announcement(random_id(random).info_hash());
    from = nth_endpoint(78);
    EXPECT_EQ(code(each), 203);
    EXPECT_EQ(responder.store().peers(), 0u);
}

TEST_F(Answers, PeersThatNobodyWouldDialAreNotStored) {
    auto each = announcement(random_id(random).info_hash());
    each.port = 25;
    EXPECT_EQ(code(each), 203);
    each.port = 6379;
    EXPECT_EQ(code(each), 203);
    from = endpoint("192.168.1.1:6881");
    EXPECT_EQ(code(announcement(random_id(random).info_hash())), 203);
    EXPECT_EQ(responder.store().torrents(), 0u);
}

TEST_F(Answers, AskingStoresNothing) {
    for (int i = 0; i < 1000; ++i) reply(query(KrpcMethod::get_peers));
    EXPECT_EQ(responder.store().torrents(), 0u);
}

TEST_F(Answers, ScrapeGivesFiltersOfWhatIsStored) {
    auto const torrent = random_id(random).info_hash();
    ask(announcement(torrent));
    auto asked = query(KrpcMethod::get_peers);
    asked.target = NodeId(torrent);
    asked.scrape = true;

    auto const answer = reply(asked, 1000);

    ASSERT_TRUE(answer.downloaders && answer.seeds);
    EXPECT_NEAR(answer.downloaders->estimate(), 1, 0.1);
}

TEST_F(Answers, SamplesComeWithTheNumberOfAll) {
    for (int i = 0; i < 50; ++i) ask(announcement(random_id(random).info_hash()));

    auto const answer = reply(query(KrpcMethod::sample_infohashes));

    ASSERT_TRUE(answer.samples);
    EXPECT_EQ(answer.samples->stored, 50);
    EXPECT_EQ(answer.samples->samples.size(), limit::kDhtSamplesSent);
    EXPECT_EQ(answer.samples->interval.count(), 21'600);
    EXPECT_TRUE(answer.nodes);
}

TEST_F(Answers, FaultsAreAnsweredByErrors) {
    auto each = query(KrpcMethod::ping);
    each.fault = KrpcFault::protocol;
    EXPECT_EQ(code(each), 203);
    each.fault = KrpcFault::method_unknown;
    EXPECT_EQ(code(each), 204);
}

TEST_F(Answers, FitIntoWhateverRoomThereIs) {
    auto const torrent = random_id(random).info_hash();
    auto asked = query(KrpcMethod::get_peers);
    asked.target = NodeId(torrent);
    for (std::uint32_t i = 0; i < 500; ++i) responder.store().announce(v4.own(), torrent, nth_endpoint(i), false, now);
    for (std::size_t room = 0; room <= 1400; ++room) {
        auto const answer = ask(asked, room);
        if (room >= 150) {
            EXPECT_TRUE(answer) << room;
        }
    }
    EXPECT_EQ(reply(asked).values.size(), limit::kDhtValuesSent);
    EXPECT_EQ(reply(asked).nodes->size(), 8u);
}

}  // namespace
}  // namespace rqfs::torrent
