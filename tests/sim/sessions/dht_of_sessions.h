#pragma once

#include "tests/support/make_torrent.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_virtual.h"
#include "tests/support/simulated_network.h"
#include "tests/support/virtual_clock.h"
#include "torrent/session.h"
#include "torrent/settings.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rqfs::tests {

inline std::string bare_magnet(torrent::InfoHash const& info_hash) { return "magnet:?xt=urn:btih:" + info_hash.hex(); }

// Sessions as the daemon has them on an internet in memory, where nothing but the DHT and its router knows anybody.
class DhtOfSessions : public testing::Test {
protected:
    struct Member {
        SimulatedHost& host;
        MemoryStore store;
        std::unique_ptr<torrent::Session> session;
    };

    DhtOfSessions() { network.name("router.test", torrent::Address::parse("17.0.0.1").value()); }

    void start(Member& member, std::function<void(torrent::Settings&)> const& change = {}) {
        torrent::Settings settings;
        settings.dht_routers = {"router.test:6881"};
        if (change) change(settings);
        torrent::Session::Parts const parts{engine.get_executor(), clock,       workers, member.store,
                                            network.resolver(),    &member.host};
        member.session = std::make_unique<torrent::Session>(parts, settings);
        run(member.session->start());
    }
    Member& host(std::vector<std::string> const& at) {
        std::vector<torrent::Endpoint> endpoints;
        for (auto const& each : at) endpoints.push_back(torrent::Endpoint::parse(each).value());
        auto& host = network.add(std::move(endpoints));
        return *members.emplace_back(new Member{host, {}, nullptr});
    }
    Member& add(std::string const& at, std::function<void(torrent::Settings&)> const& change = {}) {
        return add_at({at}, change);
    }
    // One endpoint a family.
    Member& add_at(std::vector<std::string> const& at, std::function<void(torrent::Settings&)> const& change = {}) {
        auto& member = host(at);
        start(member, change);
        return member;
    }
    // The router and some others, known to each other.
    void add_dht() {
        for (int i = 1; i <= 8; ++i) add(std::to_string(16 + i) + ".0.0.1:6881");
        clock.run_for(engine, std::chrono::minutes(2));
    }
    void add_torrent(Member& member, MadeTorrent const& made) {
        member.store.fill(made.metainfo->info_hash(), made.data, made.metainfo->pieces().piece_bytes());
        run(member.session->add(made.file, torrent::AddOptions{}));
    }
    void add_magnet(Member& member, std::string const& magnet) {
        run(member.session->add(magnet, torrent::AddOptions{}));
    }
    template <class T>
    T run(boost::asio::awaitable<T> task) {
        return run_virtual(engine, clock, std::move(task));
    }
    bool until(torrent::Duration limit, std::function<bool()> const& done) {
        return clock.run_until(engine, limit, done);
    }
    bool has_metadata(Member const& member, torrent::InfoHash const& hash) const {
        return member.session->entry(hash)->metainfo != nullptr;
    }
    std::vector<std::byte> read(torrent::Stream& stream, torrent::ByteRange range) {
        std::vector<std::byte> all;
        for (auto const& slice : run(stream.read(range)))
            all.insert(all.end(), slice.bytes().begin(), slice.bytes().end());
        return all;
    }
    void TearDown() override {
        for (auto const& member : members)
            if (member->session) run(member->session->stop());
    }

    boost::asio::io_context engine{1};
    VirtualClock clock;
    torrent::Workers workers{engine.get_executor()};
    SimulatedNetwork network{engine.get_executor(), clock};
    std::vector<std::unique_ptr<Member>> members;
};

}  // namespace rqfs::tests
