#include "torrent/dht/krpc_message.h"

#include "tests/torrent/dht/bytes.h"
#include "torrent/settings.h"

#include <gtest/gtest.h>

namespace rqfs::torrent {
namespace {

using namespace std::string_literals;
using tests::bytes_of;
using tests::endpoint;
using tests::id_of;
using tests::text_of;

KrpcQuery query_of(std::string_view text) {
    auto const message = parse_krpc(bytes_of(text));
    if (!message || !std::holds_alternative<KrpcQuery>(*message)) {
        ADD_FAILURE() << "no query: " << text;
        return {};
    }
    return std::get<KrpcQuery>(*message);
}

KrpcReply reply_of(std::string_view text) {
    auto const message = parse_krpc(bytes_of(text));
    if (!message || !std::holds_alternative<KrpcReply>(*message)) {
        ADD_FAILURE() << "no reply: " << text;
        return {};
    }
    return std::get<KrpcReply>(*message);
}

// The examples of BEP 5.
TEST(KrpcMessage, ReadsPing) {
    auto const query = query_of("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");

    EXPECT_EQ(query.method, KrpcMethod::ping);
    EXPECT_EQ(query.transaction, "aa");
    EXPECT_EQ(query.id, id_of("abcdefghij0123456789"));
    EXPECT_FALSE(query.fault);
}

TEST(KrpcMessage, ReadsFindNode) {
    auto const query =
        query_of("d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe");

    EXPECT_EQ(query.method, KrpcMethod::find_node);
    EXPECT_EQ(query.target, id_of("mnopqrstuvwxyz123456"));
}

TEST(KrpcMessage, ReadsGetPeersWithWishes) {
    auto const query = query_of(
        "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234566:noseedi1e6:scrapei1e4:wantl2:n42:n6ee"
        "1:q9:get_peers2:roi1e1:t2:aa1:y1:qe");

    EXPECT_EQ(query.method, KrpcMethod::get_peers);
    EXPECT_TRUE(query.no_seeds && query.scrape && query.want_v4 && query.want_v6 && query.read_only);
}

TEST(KrpcMessage, ReadsAnnouncePeer) {
    auto const query = query_of(
        "d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e4:seedi1e"
        "5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe");

    EXPECT_EQ(query.method, KrpcMethod::announce_peer);
    EXPECT_EQ(query.token, "aoeusnth");
    EXPECT_EQ(query.port, 6881);
    EXPECT_TRUE(query.implied_port && query.seed);
}

TEST(KrpcMessage, ReadsPeersAndNodes) {
    auto const reply =
        reply_of("d2:ip6:\1\2\3\4\x1a\xe1"s + "1:rd2:id20:abcdefghij01234567895:nodes26:mnopqrstuvwxyz123456" +
                 "\5\6\7\10\x1a\xe1"s + "5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re");

    EXPECT_EQ(reply.requester, endpoint("1.2.3.4:6881"));
    ASSERT_TRUE(reply.nodes && reply.nodes->size() == 1);
    EXPECT_EQ(reply.nodes->front().endpoint, endpoint("5.6.7.8:6881"));
    EXPECT_EQ(reply.token, "aoeusnth");
    ASSERT_EQ(reply.values.size(), 2u);
    EXPECT_EQ(reply.values.front(), endpoint("97.120.106.101:11893"));
}

TEST(KrpcMessage, ReadsErrors) {
    auto const message = parse_krpc(bytes_of("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"));

    ASSERT_TRUE(message && std::holds_alternative<KrpcError>(*message));
    EXPECT_EQ(std::get<KrpcError>(*message).code, 201);
}

TEST(KrpcMessage, OfALaterMethodIsFindNodeWhereItNamesATarget) {
    auto const later =
        query_of("d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q3:get1:t2:aa1:y1:qe");
    auto const unknown = query_of("d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe");

    EXPECT_EQ(later.method, KrpcMethod::find_node);
    EXPECT_FALSE(later.fault);
    EXPECT_EQ(unknown.fault, KrpcFault::method_unknown);
}

TEST(KrpcMessage, ThatIsWrongInsideCarriesItsFault) {
    for (auto const* const arguments : {
             "d2:id19:abcdefghij012345678e1:q4:ping",
             "de1:q4:ping",
             "d2:id20:abcdefghij0123456789e1:q9:find_node",
             "d2:id20:abcdefghij01234567896:target3:xyze1:q9:find_node",
             "d2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti0e5:token1:xe1:q13:announce_peer",
             "d2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti65536e5:token1:xe1:q13:announce_"
             "peer",
             "d2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti6881ee1:q13:announce_peer",
             "i5e1:q4:ping",
         })
        EXPECT_EQ(query_of("d1:a"s + arguments + "1:t2:aa1:y1:qe").fault, KrpcFault::protocol) << arguments;
    EXPECT_EQ(query_of("d1:t2:aa1:y1:qe").fault, KrpcFault::protocol);
}

TEST(KrpcMessage, ThatNobodyCouldAnswerIsRefused) {
    std::string const long_transaction =
        "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t33:" + std::string(33, 'x') + "1:y1:qe";
    for (auto const& each : {""s, "d"s, "de"s, "le"s, "d1:y1:qe"s, "d1:t2:aae"s, "d1:ti5e1:y1:qe"s, "d1:t2:aa1:y1:xe"s,
                             "d1:t2:aa1:y1:re"s, "d1:rd2:id3:abce1:t2:aa1:y1:re"s, long_transaction})
        EXPECT_FALSE(parse_krpc(bytes_of(each))) << each;
}

TEST(KrpcMessage, LongerThanAnyPathAllowsIsRefused) {
    auto const text = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:q1:z1400:" + std::string(1400, 'z') + "e";
    auto longer = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:q1:z1450:" + std::string(1450, 'z') + "e";

    EXPECT_TRUE(parse_krpc(bytes_of(text)));
    EXPECT_FALSE(parse_krpc(bytes_of(longer)));
}

TEST(KrpcMessage, ListsAreCutToTheLimits) {
    std::string values;
    for (int i = 0; i < 150; ++i) values += "6:abcdef";
    auto const reply = reply_of("d1:rd2:id20:abcdefghij01234567896:valuesl" + values + "ee1:t2:aa1:y1:re");

    EXPECT_EQ(reply.values.size(), limit::kDhtValuesPerReply);
}

TEST(KrpcMessage, PeersWithoutPortAndOfOddSizesAreNoPeers) {
    auto const reply =
        reply_of("d1:rd2:id20:abcdefghij01234567896:valuesl6:abcd\0\0"s + "5:abcdei7e0:6:abcdefee1:t2:aa1:y1:re");

    EXPECT_EQ(reply.values.size(), 1u);
}

TEST(KrpcMessage, OursAreReadAsTheyWereMeant) {
    for (auto const method : {KrpcMethod::ping, KrpcMethod::find_node, KrpcMethod::get_peers, KrpcMethod::announce_peer,
                              KrpcMethod::sample_infohashes}) {
        KrpcQuery query;
        query.method = method;
        query.transaction = "\1\2\3\4";
        query.id = id_of("abcdefghij0123456789");
        if (method != KrpcMethod::ping) query.target = id_of("mnopqrstuvwxyz123456");
        query.want_v4 = query.read_only = true;
        if (method == KrpcMethod::announce_peer) query.token = "tok", query.port = 6881, query.seed = true;

        auto const read = query_of(text_of(encode_krpc(query)));

        EXPECT_EQ(read.method, method);
        EXPECT_EQ(read.id, query.id);
        EXPECT_EQ(read.target, query.target);
        EXPECT_EQ(read.token, query.token);
        EXPECT_EQ(read.port, query.port);
        EXPECT_TRUE(read.want_v4 && !read.want_v6 && read.read_only && !read.fault);
    }
}

TEST(KrpcMessage, OurRepliesAreReadAsTheyWereMeant) {
    KrpcReply reply;
    reply.transaction = "t";
    reply.id = id_of("abcdefghij0123456789");
    reply.requester = endpoint("[2001:470::1]:6881");
    reply.nodes = {{id_of("mnopqrstuvwxyz123456"), endpoint("1.2.3.4:5")}};
    reply.nodes6 = {{id_of("mnopqrstuvwxyz123456"), endpoint("[2001:470::2]:5")}};
    reply.token = "secret";
    reply.values = {endpoint("1.2.3.4:80"), endpoint("[2001:470::3]:90")};
    reply.seeds.emplace().insert(Address::parse("1.2.3.4").value());
    reply.downloaders.emplace();
    reply.samples = KrpcSamples{std::chrono::seconds(60), 7, {InfoHash()}};

    auto const read = reply_of(text_of(encode_krpc(reply)));

    EXPECT_EQ(read.requester, reply.requester);
    EXPECT_EQ(read.nodes, reply.nodes);
    EXPECT_EQ(read.nodes6, reply.nodes6);
    EXPECT_EQ(read.token, reply.token);
    EXPECT_EQ(read.values, reply.values);
    ASSERT_TRUE(read.seeds && read.downloaders && read.samples);
    EXPECT_NEAR(read.seeds->estimate(), 1, 0.1);
    EXPECT_EQ(read.samples->stored, 7);
    EXPECT_EQ(read.samples->samples.size(), 1u);
}

// BEP 33: 256 addresses of IPv4 and 1,000 of IPv6.
TEST(ScrapeFilter, CountsAsBep33Shows) {
    ScrapeFilter filter;
    for (unsigned i = 0; i < 256; ++i) filter.insert(Address::v4({192, 0, 2, static_cast<std::uint8_t>(i)}));
    for (unsigned i = 0; i < 0x3e8; ++i) {
        std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
        bytes[14] = static_cast<std::uint8_t>(i >> 8);
        bytes[15] = static_cast<std::uint8_t>(i);
        filter.insert(Address::v6(bytes));
    }

    EXPECT_NEAR(filter.estimate(), 1224.9308, 0.0001);
}

TEST(ScrapeFilter, OfTwoNodesCountsNobodyTwice) {
    ScrapeFilter one, other;
    for (unsigned i = 0; i < 100; ++i) one.insert(Address::v4({20, 0, 0, static_cast<std::uint8_t>(i)}));
    for (unsigned i = 50; i < 150; ++i) other.insert(Address::v4({20, 0, 0, static_cast<std::uint8_t>(i)}));

    one.unite(other);

    EXPECT_NEAR(one.estimate(), 150, 15);
    EXPECT_EQ(ScrapeFilter().estimate(), 0);
}

}  // namespace
}  // namespace rqfs::torrent
