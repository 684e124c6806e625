#pragma once

#include "tests/fuzz/dht/dht_model.h"
#include "tests/fuzz/dht/world.h"
#include "tests/fuzz/udp/shared_udp.h"
#include "tests/fuzz/udp/tracker_model.h"
#include "tests/support/virtual_clock.h"
#include "torrent/dht/dht.h"
#include "torrent/endpoint.h"
#include "torrent/net/resolver.h"
#include "torrent/task_group.h"
#include "torrent/tracker/announce.h"
#include "torrent/tracker/udp_tracker.h"
#include "torrent/units.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace rqfs::tests {

// All that a session has at its one UDP socket, the UDP trackers' client and the DHT, in the session's order and in
// made-up time, and whatever a fuzzer's bytes make come to it from wherever. The first byte says how it is set up; then
// comes one event after the other: a letter 'a' to 'p' (any byte counts, by its lowest four bits) and a byte for each
// of the event's details. Every datagram and every event is followed by a look at all that must hold.
class DispatchSession {
public:
    explicit DispatchSession(FuzzInput input);
    ~DispatchSession();

    void run();

private:
    struct Call {
        TrackerModel::Trackers trackers;
        torrent::InfoHash info_hash;
        std::unique_ptr<torrent::TaskGroup> task;
    };
    class NoNames final : public torrent::Resolver {
        boost::asio::awaitable<std::vector<torrent::Address>> resolve(std::string host) override;
    };

    void event(std::uint8_t kind);
    void pass(torrent::Duration time);

    // dispatch_session.cpp: what happens on our side
    void call();
    void call(TrackerModel::Trackers trackers, std::uint8_t kind);
    void cancel();
    void search();
    void end_search();
    void add_node();
    boost::asio::awaitable<void> announce(Call& call, torrent::AnnounceRequest request, bool urgent);
    boost::asio::awaitable<void> scrape(Call& call);
    void leaves(SharedUdp::Sent const& sent);

    // dispatch_strangers.cpp: what comes
    void deliver(torrent::Endpoint const& from, std::string const& bytes);
    void judge(torrent::Endpoint const& from, std::string const& bytes, SharedUdp::Delivery const& delivery,
               bool node_answers);
    bool node_answers(torrent::Endpoint const& from, std::string const& bytes) const;
    void raw();
    void flood();
    void query();
    void node_reply();
    void tracker_reply();
    void crossed();
    void echo();
    torrent::Endpoint source();
    std::string tracker_answer(TrackerModel::Asked const& asked, std::uint8_t how);
    std::optional<TrackerModel::Asked> pick_request();
    std::optional<DhtModel::Asked> pick_query();

    FuzzInput input_;
    boost::asio::io_context engine_;
    VirtualClock clock_;
    SharedUdp udp_;
    NoNames names_;
    std::minstd_rand random_{1};  // the network's
    std::minstd_rand chance_{2};  // the Dht's
    TrackerModel trackers_;
    DhtModel nodes_;
    std::unique_ptr<torrent::UdpTracker> tracker_;
    std::unique_ptr<torrent::Dht> dht_;
    std::vector<std::unique_ptr<Call>> calls_;
    std::vector<std::pair<torrent::InfoHash, std::unique_ptr<torrent::Dht::Search>>> searches_;
    std::array<std::optional<SharedUdp::Sent>, 2> last_sent_;  // of each user
    bool trackers_answer_ = false;                             // by themselves
    bool nodes_answer_ = false;
    torrent::Duration time_left_;  // for all events together
    std::size_t sent_ = 0;         // datagrams
};

// One of eight: of an address of its own, IPv6, known by name alone behind a proxy, or where a node of the DHT is too.
torrent::Endpoint tracker_place(std::uint8_t number);

}  // namespace rqfs::tests
