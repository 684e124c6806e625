#pragma once

#include "tests/support/make_torrent.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_engine.h"
#include "torrent/clock.h"
#include "torrent/net/dns_resolver.h"
#include "torrent/session.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>

#include <functional>

namespace rqfs::torrent {

// One session of a test, listening on loopback.
struct Host {
    Host(boost::asio::io_context& engine, Workers& workers, std::function<void(Settings&)> const& change = {}) {
        Settings settings;
        settings.listen = {"127.0.0.1:0"};
        settings.test_network = true;
        if (change) change(settings);
        session = std::make_unique<Session>(Session::Parts{engine.get_executor(), clock, workers, store, resolver}, settings);
    }

    std::uint16_t port() const { return session->status().listening.front().port; }

    SteadyClock clock;
    DnsResolver resolver{clock};
    tests::MemoryStore store;
    std::unique_ptr<Session> session;
};

// A seed and a leech in one engine; stopped at the end.
class TwoSessions : public testing::Test {
protected:
    void start(tests::MadeTorrent const& made) {
        seed.store.fill(made.metainfo->info_hash(), made.data, made.metainfo->pieces().piece_bytes());
        run(seed.session->start());
        run(leech.session->start());
        run(seed.session->add(made.file, AddOptions{}));
    }
    template <class T>
    T run(boost::asio::awaitable<T> task) {
        return tests::run_engine(engine, std::move(task));
    }
    // Turns the engine until the condition holds; false after ten seconds.
    bool until(std::function<bool()> const& condition) {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition() && std::chrono::steady_clock::now() < end) {
            engine.restart();
            engine.run_one_for(std::chrono::milliseconds(20));
        }
        return condition();
    }
    void connect(InfoHash const& info_hash) { run(leech.session->connect(info_hash, "127.0.0.1", seed.port())); }
    std::vector<std::byte> read(Stream& stream, ByteRange range) {
        std::vector<std::byte> all;
        for (auto const& slice : run(stream.read(range))) all.insert(all.end(), slice.bytes().begin(), slice.bytes().end());
        return all;
    }
    void TearDown() override {
        run(leech.session->stop());
        run(seed.session->stop());
    }

    boost::asio::io_context engine{1};
    Workers workers;
    Host seed{engine, workers};
    Host leech{engine, workers};
};

}  // namespace rqfs::torrent
