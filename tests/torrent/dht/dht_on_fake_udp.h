#pragma once

#include "tests/support/fake_udp.h"
#include "tests/support/virtual_clock.h"
#include "tests/torrent/dht/bytes.h"
#include "torrent/dht/dht.h"
#include "torrent/dht/krpc_message.h"
#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/net/resolver.h"

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace rqfs::tests {

// A resolver that knows what the test says.
class KnownNames final : public torrent::Resolver {
public:
    std::map<std::string, std::vector<torrent::Address>> known;
    std::vector<std::string> asked;

    boost::asio::awaitable<std::vector<torrent::Address>> resolve(std::string host) override {
        asked.push_back(host);
        auto const found = known.find(host);
        if (found == known.end()) torrent::throw_error(torrent::Errc::not_found, "no host " + host);
        co_return found->second;
    }
};

// A Dht whose network is the test, in virtual time; answers take none.
struct DhtOnFakeUdp : testing::Test {
    boost::asio::io_context engine;
    VirtualClock clock;
    FakeUdp udp{engine.get_executor()};
    KnownNames names;
    std::mt19937 random{3};
    torrent::Dht::Options options;
    std::unique_ptr<torrent::Dht> dht;
    // Of everybody_answers():
    bool line_is_up = true;
    bool peers_exist = true;
    std::uint32_t living_nodes = 500;

    DhtOnFakeUdp() { udp.listening = {endpoint("0.0.0.0:6881")}; }
    ~DhtOnFakeUdp() override { stop(); }

    void start(std::vector<std::byte> const& state = {}) {
        dht = std::make_unique<torrent::Dht>(torrent::Dht::Network{engine.get_executor(), clock, udp, names}, options,
                                             state);
        dht->start();
        run(std::chrono::seconds(0));
    }
    void stop() {
        if (!dht) return;
        bool stopped = false;
        boost::asio::co_spawn(engine, dht->stop(), [&](std::exception_ptr) { stopped = true; });
        clock.run_for(engine, std::chrono::seconds(1));
        EXPECT_TRUE(stopped);
        dht.reset();
    }
    void run(torrent::Duration time) { clock.run_for(engine, time); }
    static torrent::KrpcQuery query_of(std::string const& bytes) {
        auto message = torrent::parse_krpc(bytes_of(bytes));
        return message && std::holds_alternative<torrent::KrpcQuery>(*message) ? std::get<torrent::KrpcQuery>(*message)
                                                                               : torrent::KrpcQuery{};
    }
    std::string ask(torrent::KrpcMethod method) {
        torrent::KrpcQuery query;
        query.transaction = "xy";
        query.method = method;
        query.id = random_id(random);
        query.target = random_id(random);
        return text_of(torrent::encode_krpc(query));
    }
    // Everybody answers, with nodes that live.
    void everybody_answers() {
        udp.network = [this](FakeUdp::Sent const& sent) {
            std::vector<std::string> answers;
            auto const query = query_of(sent.bytes);
            if (query.transaction.empty() || !line_is_up) return answers;
            torrent::KrpcReply reply;
            reply.transaction = query.transaction;
            reply.id = torrent::secure_node_id(sent.to.address, torrent::NodeId());
            reply.token = "token";
            reply.requester = endpoint("99.1.2.3:6881");
            reply.nodes.emplace();
            for (int i = 0; i < 8; ++i) {
                auto const at = nth_endpoint(static_cast<std::uint32_t>(random() % living_nodes));
                reply.nodes->push_back({torrent::secure_node_id(at.address, torrent::NodeId()), at});
            }
            if (query.method == torrent::KrpcMethod::get_peers && peers_exist)
                reply.values = {endpoint("55.5.5.5:5555")};
            answers.push_back(text_of(torrent::encode_krpc(reply)));
            return answers;
        };
    }
    std::size_t sent_of(torrent::KrpcMethod method) const {
        std::size_t count = 0;
        for (auto const& each : udp.sent) {
            auto const query = query_of(each.bytes);
            count += !query.transaction.empty() && query.method == method ? 1u : 0u;
        }
        return count;
    }
};

}  // namespace rqfs::tests
