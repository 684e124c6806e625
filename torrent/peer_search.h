#pragma once

#include "torrent/connections.h"
#include "torrent/dht/dht.h"
#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/local_discovery.h"
#include "torrent/net/address_policy.h"
#include "torrent/session_context.h"
#include "torrent/status.h"
#include "torrent/task_group.h"

#include <spdlog/logger.h>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// Where a torrent's peers come from besides its trackers: the user, the last run, the local network and the DHT. What
// it finds goes to Connections.
//
// Owned by Torrent, outlived by Connections. Engine thread only; stop() before destruction. May be stopped and started
// again (pause).
class PeerSearch {
public:
    struct Need {
        bool hurried = false;     // somebody waits this moment
        bool complete = false;    // we look for those who want what we have
        bool is_private = false;  // only the user and trackers name peers (BEP 27)
    };

    PeerSearch(SessionContext& session, InfoHash const& info_hash, std::shared_ptr<spdlog::logger> const& logger,
               Connections& connections);

    void start(std::vector<std::string> const& user_peers, std::vector<std::string> const& magnet_peers, Need need);
    boost::asio::awaitable<void> stop();
    // Called with every tick of the torrent, and when the metadata arrives.
    void update(Need need);

    // HOST:PORT of the user or of a magnet link.
    void dial_named_peer(std::string host_port, AddressSource source);
    // Remembers whom to dial after a restart.
    boost::asio::awaitable<void> save();
    void save_in_background();

    // The user wants peers looked for now; false where the DHT is not asked.
    bool search_now();

    // What the DHT is doing about it, as the end of a sentence; empty when it is not asked.
    std::string dht_state() const;
    // The same as a tracker among the others; nothing when it is not asked.
    std::optional<TrackerStatus> dht_status() const;

private:
    boost::asio::awaitable<void> resolve_named_peer(std::string host_port, AddressSource source);
    boost::asio::awaitable<void> load();
    boost::asio::awaitable<void> store(std::vector<Endpoint> peers);
    void search_dht();
    void search_lan();

    SessionContext& session_;
    InfoHash info_hash_;
    std::shared_ptr<spdlog::logger> const& logger_;  // the torrent's, which the user may change
    Connections& connections_;
    bool is_private_ = false;
    bool hurried_ = false;
    std::unique_ptr<LocalDiscovery::Search> lan_search_;
    std::unique_ptr<Dht::Search> dht_search_;  // while running, public and the DHT is on
    std::unique_ptr<TaskGroup> tasks_;         // while running
};

}  // namespace rqfs::torrent
