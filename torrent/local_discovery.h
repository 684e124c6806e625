#pragma once

#include "torrent/clock.h"
#include "torrent/endpoint.h"
#include "torrent/event.h"
#include "torrent/info_hash.h"
#include "torrent/net/lsd_schedule.h"
#include "torrent/net/multicast.h"
#include "torrent/per_family.h"
#include "torrent/task_group.h"
#include "torrent/token_bucket.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Local service discovery (BEP 14): tells the networks that we are part of which torrents we have, and hears who else
// has them.
//
// Owned by Session. Engine thread only; stop() before destruction.
class LocalDiscovery final : private Multicast::Receiver {
public:
    using OnPeer = std::function<void(Endpoint const&)>;

    // A torrent that is announced and listened for while this lives. Must not outlive the LocalDiscovery.
    class Search {
    public:
        ~Search();
        void hurry();  // somebody waits for this torrent now

    private:
        friend class LocalDiscovery;
        Search(LocalDiscovery& discovery, InfoHash const& info_hash, OnPeer on_peer);

        LocalDiscovery& discovery_;
        InfoHash info_hash_;
        OnPeer on_peer_;
    };

    // `ports` are where we accept peers; in a family where it is 0 nothing is announced.
    LocalDiscovery(boost::asio::any_io_executor const& executor, Clock& clock, Multicast& multicast,
                   PerFamily<std::uint16_t> const& ports);
    ~LocalDiscovery() override;

    void start();
    boost::asio::awaitable<void> stop();

    // One at a time for an info-hash. `on_peer` gets addresses that strangers on our network claim to be peers at.
    std::unique_ptr<Search> find_peers(InfoHash const& info_hash, OnPeer on_peer);
    // Reached without a router, so that what it sends and gets costs nothing.
    bool is_neighbour(Address const& address) const { return multicast_.is_neighbour(address); }

private:
    void multicast(Endpoint const& from, std::span<std::byte const> bytes) override;
    void networks_changed() override;
    void heard(std::string const& cookie);
    void found(std::vector<InfoHash> const& info_hashes, Endpoint const& peer);
    boost::asio::awaitable<void> found_by_link(std::string cookie, std::vector<InfoHash> info_hashes, Endpoint peer);
    boost::asio::awaitable<void> keep_announcing();
    void announce();

    Clock& clock_;
    Multicast& multicast_;
    PerFamily<std::uint16_t> const& ports_;
    std::string cookie_;
    LsdSchedule schedule_;
    TokenBucket incoming_;
    std::deque<std::string> heard_;  // the cookies of neighbours that have an address besides a link-local one
    std::map<InfoHash, Search*> searches_;
    Event schedule_changed_;
    TaskGroup tasks_;
};

}  // namespace rqfs::torrent
