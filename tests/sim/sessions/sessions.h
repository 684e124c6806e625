#pragma once

#include "tests/support/make_torrent.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_virtual.h"
#include "tests/support/simulated_network.h"
#include "tests/support/virtual_clock.h"
#include "torrent/session.h"
#include "torrent/workers.h"

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::tests {

// Whole sessions on an internet in memory, for tests. Everything is as the daemon has it, but the machine's network,
// clock and threads.
class Sessions : public testing::Test {
protected:
    struct Member {
        SimulatedHost& host;
        MemoryStore store;
        std::unique_ptr<torrent::Session> session;
    };

    Member& add(std::string const& at, SimulatedAccess const& access = {},
                std::function<void(torrent::Settings&)> const& change = {},
                std::optional<torrent::TorrentRecord> const& remembered = {}) {
        auto& host = network.add({torrent::Endpoint::parse(at).value()}, access);
        auto& member = *members.emplace_back(new Member{host, {}, nullptr});
        if (remembered) run(member.store.save(*remembered));
        torrent::Settings settings;
        if (change) change(settings);
        torrent::Session::Parts const parts{engine.get_executor(), clock, workers, member.store,
                                            network.resolver(),    &host};
        member.session = std::make_unique<torrent::Session>(parts, settings);
        run(member.session->start());
        return member;
    }
    Member& add_seed(MadeTorrent const& made, std::string const& at, SimulatedAccess const& access = {},
                     std::function<void(torrent::Settings&)> const& change = {}) {
        auto& member = add(at, access, change);
        member.store.fill(made.metainfo->info_hash(), made.data, made.metainfo->pieces().piece_bytes());
        run(member.session->add(made.file, torrent::AddOptions{}));
        return member;
    }
    template <class T>
    T run(boost::asio::awaitable<T> task) {
        return run_virtual(engine, clock, std::move(task));
    }
    bool until(torrent::Duration limit, std::function<bool()> const& done) {
        return clock.run_until(engine, limit, done);
    }
    std::vector<std::byte> read(torrent::Stream& stream, torrent::ByteRange range) {
        std::vector<std::byte> all;
        for (auto const& slice : run(stream.read(range)))
            all.insert(all.end(), slice.bytes().begin(), slice.bytes().end());
        return all;
    }
    void leave(Member& member) {
        run(member.session->stop());
        auto& host = member.host;
        std::erase_if(members, [&](auto const& each) { return each.get() == &member; });
        network.remove(host);
    }
    void TearDown() override {
        for (auto const& member : members) run(member->session->stop());
    }

    boost::asio::io_context engine{1};
    VirtualClock clock;
    torrent::Workers workers{engine.get_executor()};
    SimulatedNetwork network{engine.get_executor(), clock};
    std::vector<std::unique_ptr<Member>> members;
};

inline std::string magnet_of(torrent::InfoHash const& info_hash, SimulatedHost const& host) {
    return "magnet:?xt=urn:btih:" + info_hash.hex() + "&x.pe=" + host.endpoint().text();
}

inline double seconds_of(torrent::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace rqfs::tests
