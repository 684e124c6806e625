#pragma once

#include "torrent/event.h"
#include "torrent/info_hash.h"
#include "torrent/net/url.h"
#include "torrent/task_group.h"
#include "torrent/tracker/announce_call.h"
#include "torrent/tracker/announce_schedule.h"
#include "torrent/tracker/announcer.h"
#include "torrent/tracker/tracker_clients.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {

// The insides of Announcer.
struct Announcer::State {
    // What a tracker is told of our leaving; it outlives the tracker's place in the schedule.
    struct Farewell {
        Url url;
        AnnounceRequest request;
        AnnounceCall call;
    };

    State(Network shared, InfoHash const& hash, Owner& whose);

    TrackerClients& clients() { return own_clients ? *own_clients : *network.clients; }
    // Something changed that the loop must look at.
    void wake() {
        ++news;
        news_came.notify();
    }

    std::vector<AnnounceSchedule::Id> add(std::vector<std::vector<std::string>> const& tiers);
    AnnounceRequest make_request(AnnounceSchedule::Id id) const;
    AnnounceCall make_call(AnnounceSchedule::Job const& job);
    Farewell make_farewell(AnnounceSchedule::Job const& job);

    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> announce(AnnounceSchedule::Job job);
    boost::asio::awaitable<void> scrape(AnnounceSchedule::Id id);  // after begin_scrape()
    boost::asio::awaitable<void> ask_and_say_stopped(Farewell const& farewell);
    boost::asio::awaitable<void> say_stopped(Farewell farewell, Duration limit);
    boost::asio::awaitable<void> say_last_stopped(Farewell farewell, Duration limit);  // counted in `farewells`
    void ended(AnnounceSchedule::Job const& job, Url const& url, AnnounceOutcome const& outcome);

    Network network;
    InfoHash info_hash;
    Owner& owner;
    AnnounceSchedule schedule;
    std::map<AnnounceSchedule::Id, Url> urls;  // of usable trackers
    std::set<std::string> trusted;             // URLs that are the user's word
    std::unique_ptr<TrackerClients> own_clients;
    std::uint32_t key;  // the same for all trackers and both families, new each run (BEP 7)
    bool urgent = false;
    std::uint64_t news = 0;
    Event news_came;
    std::unique_ptr<TaskGroup> tasks;  // while started
    bool stopping = false;
    bool start_again = false;
    std::size_t farewells = 0;
    Event farewells_ended;
};

}  // namespace rqfs::torrent
