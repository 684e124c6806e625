#include "tests/support/fake_udp.h"
#include "tests/support/virtual_clock.h"
#include "tests/torrent/dht/bytes.h"
#include "torrent/address_network.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/net/dns_resolver.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace rqfs::torrent {
namespace {

using namespace std::chrono_literals;
using tests::bytes_of;
using tests::endpoint;
using tests::nth_endpoint;
using tests::random_id;
using tests::text_of;

// Four full answers, which an honest search needs, and the same again after five minutes.
constexpr double kCredit = 3'000;
constexpr double kCreditPerSecond = 10;
constexpr double kPing = 100;  // back at who asks, once a minute
constexpr double kFactor = 1.5;

std::vector<std::string> const kKinds{"ping",         "find_node", "get_peers",    "announce_peer", "sample_infohashes",
                                      "later method", "nonsense",  "broken query", "reply",         "error"};

// A node that has a full table and peers of a torrent that everybody asks for: its answers are as long as they get. Who
// asks never answers: names that somebody else put under the query.
class Amplification : public testing::TestWithParam<std::tuple<std::string, bool>> {
protected:
    Amplification() {
        udp.listening = {endpoint(v6 ? "[::]:6881" : "0.0.0.0:6881")};
        dht = std::make_unique<Dht>(Dht::Network{engine.get_executor(), clock, udp, resolver}, Dht::Options(),
                                    std::span<std::byte const>());
        dht->start();
        fill();
    }
    ~Amplification() override {
        boost::asio::co_spawn(engine, dht->stop(), [](std::exception_ptr const&) {});
        clock.run_for(engine, 1s);
        dht.reset();
    }

    // Each in a network of its own; of IPv6 the network has an address for each `host`.
    Endpoint nth(std::uint32_t n, std::uint32_t host = 7) const {
        if (!v6) return nth_endpoint(n);
        auto const byte = [](std::uint32_t number, int at) { return static_cast<std::uint8_t>(number >> (8 * at)); };
        return {Address::v6({0x26, 0, byte(n, 2), byte(n, 1), byte(n, 0), 0, 0, 1, 0, 0, 0, 0, 0, byte(host, 2),
                             byte(host, 1), byte(host, 0)}),
                6881};
    }
    void fill() {
        std::string token;
        udp.network = [&](tests::FakeUdp::Sent const& sent) {
            auto message = parse_krpc(bytes_of(sent.bytes));
            std::vector<std::string> answers;
            if (!message) return answers;
            if (auto* const reply = std::get_if<KrpcReply>(&*message)) token = reply->token.value_or("");
            auto* const query = std::get_if<KrpcQuery>(&*message);
            if (query == nullptr) return answers;
            KrpcReply reply;
            reply.transaction = query->transaction;
            reply.id = secure_node_id(sent.to.address, NodeId());
            answers.push_back(text_of(encode_krpc(reply)));
            return answers;
        };
        for (std::uint32_t i = 0; i < 60; ++i) {
            dht->add_node(nth(10'000 + i));
            clock.run_for(engine, 1s);
        }
        for (std::uint32_t i = 0; i < 60; ++i) {
            auto query = query_of(KrpcMethod::get_peers);
            udp.inject(nth(20'000 + i), text_of(encode_krpc(query)));
            clock.run_for(engine, 100ms);
            query.method = KrpcMethod::announce_peer;
            query.token = token;
            query.port = 6881;
            udp.inject(nth(20'000 + i), text_of(encode_krpc(query)));
            clock.run_for(engine, 100ms);
        }
        udp.network = [](tests::FakeUdp::Sent const&) { return std::vector<std::string>(); };
        clock.run_for(engine, 5min);
        udp.sent.clear();
    }
    // What went to the network of this address since the last time.
    double sent_to(Endpoint const& victim) {
        double bytes = 0;
        for (auto const& sent : udp.sent) {
            auto const& to = sent.to.address;
            if (v6 ? network_of(to) == network_of(victim.address) : to == victim.address)
                bytes += static_cast<double>(sent.bytes.size());
        }
        udp.sent.clear();
        return bytes;
    }
    KrpcQuery query_of(KrpcMethod method) {
        KrpcQuery query;
        query.transaction = "xy";
        query.method = method;
        query.id = random_id(random);
        query.target = NodeId(torrent);
        (v6 ? query.want_v6 : query.want_v4) = true;
        query.scrape = true;
        return query;
    }
    std::string with(std::string text, std::string const& what, std::string const& instead) {
        return text.replace(text.find(what), what.size(), instead);
    }
    std::string datagram() {
        auto const find = text_of(encode_krpc(query_of(KrpcMethod::find_node)));
        if (kind == "ping") return text_of(encode_krpc(query_of(KrpcMethod::ping)));
        if (kind == "get_peers") return text_of(encode_krpc(query_of(KrpcMethod::get_peers)));
        if (kind == "announce_peer") return text_of(encode_krpc(query_of(KrpcMethod::announce_peer)));
        if (kind == "sample_infohashes") return text_of(encode_krpc(query_of(KrpcMethod::sample_infohashes)));
        if (kind == "later method") return with(find, "9:find_node", "9:find_what");
        if (kind == "nonsense") return "d1:q1:xe";
        if (kind == "broken query") return with(find, "6:target20:", "6:tarnot20:");
        KrpcReply reply;
        reply.transaction = "abcd";
        reply.id = random_id(random);
        if (kind == "reply") return text_of(encode_krpc(reply));
        if (kind == "error") return text_of(encode_krpc(KrpcError{"abcd", 201, "no"}));
        return find;
    }

    std::string const kind = std::get<0>(GetParam());
    bool const v6 = std::get<1>(GetParam());
    boost::asio::io_context engine;
    tests::VirtualClock clock;
    tests::FakeUdp udp{engine.get_executor()};
    DnsResolver resolver{clock};
    std::mt19937 random{7};
    InfoHash torrent = InfoHash::parse("0123456789012345678901234567890123456789").value();
    std::unique_ptr<Dht> dht;
};

// Of IPv6 a household, whose every address is asked in the name of.
TEST_P(Amplification, OfAnAddressThatNeverAnsweredIsUnderOneAndAHalf) {
    for (double const per_second : {0.2, 5.0, 50.0}) {
        auto const number = static_cast<std::uint32_t>(per_second * 10);
        double in = 0, out = 0, in_half = 0, out_half = 0;
        auto const begin = clock.now();
        for (std::uint32_t i = 0; i < 600; ++i) {
            auto const bytes = datagram();
            auto const victim = nth(number, i);
            in += static_cast<double>(bytes.size());
            udp.inject(victim, bytes);
            clock.run_for(engine, std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / per_second)));
            out += sent_to(victim);
            if (i == 299) in_half = in, out_half = out;
            auto const seconds = std::chrono::duration<double>(clock.now() - begin).count();
            ASSERT_LE(out, kFactor * in + kCredit + kCreditPerSecond * seconds + kPing * (2 + seconds / 60))
                << kind << " " << per_second << " a second";
        }
        // What is seldom asked is answered fully: see the credit.
        if (per_second < 5) continue;
        EXPECT_LE(out - out_half, kFactor * (in - in_half)) << kind << " " << per_second << " a second";
    }
}

TEST_P(Amplification, OfManyAddressesEndsAtWhatWeSendASecond) {
    double out = 0;
    constexpr int kSeconds = 4;
    for (int second = 0; second < kSeconds; ++second)
        for (int part = 0; part < 10; ++part) {
            for (int i = 0; i < 100; ++i) udp.inject(nth(static_cast<std::uint32_t>(random() % 500'000)), datagram());
            clock.run_for(engine, 100ms);
            for (auto const& sent : udp.sent) out += static_cast<double>(sent.bytes.size());
            udp.sent.clear();
        }

    // Answers, their burst; our own queries are limited apart.
    EXPECT_LE(out, 16'000.0 * kSeconds + 32'000 + 8 * kPing * kSeconds) << kind;
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, Amplification, testing::Combine(testing::ValuesIn(kKinds), testing::Bool()),
                         [](auto const& kind) { return "Kind" + std::to_string(kind.index); });

}  // namespace
}  // namespace rqfs::torrent
