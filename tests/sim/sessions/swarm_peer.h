#pragma once

#include "tests/support/fake_peer.h"
#include "tests/support/make_torrent.h"
#include "tests/support/simulated_host.h"
#include "torrent/clock.h"
#include "torrent/task_group.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace rqfs::tests {

// How a peer of a simulated swarm behaves. All say that they have everything.
enum class Manner {
    honest,         // sends what it is asked for at its rate; what is cancelled in time is not sent
    silent,         // lets us download, and answers nothing
    trickling,      // sends a byte a second
    choking,        // chokes after every block, for a second
    rejecting,      // says no to every request
    spoiling,       // sends at its rate, but other bytes
    spoiling_some,  // one block in eight is another
    leaving,        // hangs up right after the handshake
};

// One peer as a script on a host of its own that others dial, and what it heard. stop() must be awaited before
// destruction; the torrent outlives it.
class SwarmPeer {
public:
    struct Options {
        Manner manner = Manner::honest;
        double bytes_per_second = 1e6;
        bool fast = true;       // BEP 6
        bool unchokes = false;  // whoever connects, at once
    };
    struct Heard {
        std::uint64_t requests = 0;
        std::uint64_t cancels = 0;
        std::uint64_t messages = 0;  // all of them
        std::uint64_t losses_of_interest = 0;
        std::size_t queue = 0;  // the longest of requests that waited
    };

    SwarmPeer(boost::asio::any_io_executor const& executor, torrent::Clock& clock, SimulatedHost& host,
              MadeTorrent const& made, Options const& options);
    ~SwarmPeer();
    boost::asio::awaitable<void> stop();

    torrent::Endpoint endpoint() const { return host_.endpoint(); }
    Heard const& heard() const { return heard_; }
    std::uint64_t sent_bytes() const { return sent_bytes_; }         // of blocks
    std::size_t connections() const { return connections_.size(); }  // ever

private:
    struct Connection;

    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> serve(Connection& connection);
    boost::asio::awaitable<void> leave(Connection& connection);
    boost::asio::awaitable<void> answer(Connection& connection, torrent::Message request);
    boost::asio::awaitable<void> trickle(Connection& connection, torrent::Message request);
    void greet(FakePeer& peer) const;
    void hear(Connection& connection, FakePeer::Heard const& heard);
    void drop_requests(Connection& connection);
    void send_block(Connection& connection, torrent::Message const& request);

    boost::asio::any_io_executor executor_;
    torrent::Clock& clock_;
    SimulatedHost& host_;
    MadeTorrent const& made_;
    Options options_;
    Heard heard_;
    std::uint64_t sent_bytes_ = 0;
    std::vector<std::unique_ptr<Connection>> connections_;
    torrent::TaskGroup tasks_;
};

}  // namespace rqfs::tests
