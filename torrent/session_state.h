#pragma once

#include "torrent/address_filter.h"
#include "torrent/connection_budget.h"
#include "torrent/dht/dht.h"
#include "torrent/event.h"
#include "torrent/local_discovery.h"
#include "torrent/neighbours.h"
#include "torrent/net/http_client.h"
#include "torrent/net/listener.h"
#include "torrent/net/network.h"
#include "torrent/net/port_mapping.h"
#include "torrent/net/proxied_network.h"
#include "torrent/net/resolver.h"
#include "torrent/net/system_network.h"
#include "torrent/per_family.h"
#include "torrent/session.h"
#include "torrent/session_context.h"
#include "torrent/statistics.h"
#include "torrent/swarm/rate_limiter.h"
#include "torrent/task_group.h"
#include "torrent/torrent.h"
#include "torrent/tracker/tracker_clients.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rqfs::torrent {

// What a Session is made of; shared by the sources that implement its parts.
struct Session::State final : Torrent::Owner, Listener::Owner, PortMapping::Owner {
    State(Parts parts, Settings settings);

    // Torrent::Owner
    void metadata_arrived(Torrent& torrent) override;
    void peer_says_we_are(Address address, Endpoint const& peer) override;
    void tracker_says_we_are(Address address, Address const& tracker, bool users) override;
    // Listener::Owner
    void incoming(std::unique_ptr<StreamSocket> socket, Listener::Pending pending) override;
    // PortMapping::Owner
    void announced_port_is(std::uint16_t port) override;
    void router_says_we_are(Address address) override;

    Torrent& find(InfoHash const& info_hash) const;  // throws Errc::not_found
    std::string obstacle() const;  // why nothing goes out, as a sentence; empty: it does, as far as known
    boost::asio::awaitable<void> shake_hands(std::unique_ptr<StreamSocket> socket, Listener::Pending pending);
    boost::asio::awaitable<TorrentRecord> fetch(std::string url);
    boost::asio::awaitable<Added> add(TorrentRecord record, AddOptions options);
    boost::asio::awaitable<void> drop(InfoHash info_hash, bool keep_data);
    boost::asio::awaitable<void> stop_part(boost::asio::awaitable<void> part, std::size_t& running);
    bool is_our_own(Endpoint const& endpoint) const;
    bool is_neighbour(Address const& address);
    void external_address_changed(Address const& address);
    void open_lan();
    void filter_changed();
    // session_dht.cpp
    boost::asio::awaitable<void> open_dht();
    void start_dht();
    boost::asio::awaitable<void> keep_dht();
    boost::asio::awaitable<void> save_dht();
    boost::asio::awaitable<void> close_dht();
    void nodes_say_we_are(Address const& address);
    // session_port_mapping.cpp
    std::string why_no_port_is_mapped(bool v6) const;  // empty: one is
    void open_port_mapping(bool v6);
    PortMappingStatus port_mapping_status(bool v6) const;

    Parts parts;
    Settings settings;
    std::unique_ptr<SystemNetwork> system_network;  // null when parts bring another
    std::unique_ptr<ProxiedNetwork> proxied;        // over it; null without a proxy
    Network& network;
    Resolver& resolver;
    HttpClient http;
    TrackerClients tracker_clients;
    Listener listener;
    RateLimiter up_limit;
    RateLimiter down_limit;
    ConnectionBudget connections;
    MetadataBudget metadata_budget;
    PerFamily<std::uint16_t> listening_ports;
    PerFamily<std::uint16_t> announced_ports;
    ExternalAddressVote external;
    Statistics statistics;
    Neighbours neighbours;  // asked while `lan` is off
    AddressFilter filter;
    SessionContext context;
    PerFamily<std::unique_ptr<PortMapping>> port_mappings;  // null while it is off
    std::unique_ptr<LocalDiscovery> lan;  // null while it is off; outlives the torrents
    std::unique_ptr<Dht> dht;  // null while it is off; outlives the torrents, which search in it
    std::map<InfoHash, std::unique_ptr<Torrent>> torrents;
    std::vector<InfoHash> order;           // as added
    std::set<InfoHash> leaving;            // being removed: an add of one of these waits
    Event left;
    Library::Observer* observer = nullptr;
    bool incoming_seen = false;
    bool stopping = false;
    TaskGroup tasks;
};

}  // namespace rqfs::torrent
