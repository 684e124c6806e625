#pragma once

#include "torrent/endpoint.h"
#include "torrent/info_hash.h"
#include "torrent/tracker_status.h"
#include "torrent/units.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// Plain snapshots for people and programs; nothing here refers to live objects. Rates are payload bytes a second.

enum class TorrentState { metadata, checking, idle, downloading, seeding, paused, error };
std::string_view name(TorrentState state);  // "metadata", "checking", ...

struct TorrentStatus {
    InfoHash info_hash;
    std::string name;            // the torrent's own, or dn, or the hash
    TorrentState state = TorrentState::metadata;
    std::string reason;          // a plain sentence: why it is not further (no peers yet, asking 3 peers, disk full, ...)
    std::uint64_t size_bytes = 0;          // 0 until the metadata is there
    std::uint64_t have_bytes = 0;          // verified
    std::uint32_t pieces = 0;
    std::uint32_t have_pieces = 0;
    std::uint32_t piece_bytes = 0;
    double progress = 0;         // of the whole torrent, 0 to 1
    double check_progress = 0;   // while checking
    std::uint64_t wanted_bytes = 0;        // of `download`; 0 when nothing is wanted
    std::uint64_t wanted_have_bytes = 0;
    double down_rate = 0;
    double up_rate = 0;
    std::uint64_t downloaded_bytes = 0;    // payload over all runs
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t wasted_bytes = 0;        // this run: ReceivedBytes::wasted()
    std::uint32_t peers_connected = 0;
    std::uint32_t peers_known = 0;
    std::uint32_t seeds_connected = 0;
    std::uint32_t readers = 0;             // open files
    std::uint32_t blocked_reads = 0;
    bool is_private = false;
    bool download = false;
    std::chrono::sys_seconds added{};
    std::string directory;                 // in the mount; empty when not mounted
};

struct FileStatus {
    FileIndex index;
    std::string path;            // as the torrent says it, '/' between elements
    std::uint64_t size_bytes = 0;
    std::uint64_t have_bytes = 0;
    bool wanted = false;
    bool pad = false;
};

struct PeerStatus {
    Endpoint endpoint;
    std::string client;          // "Transmission 3.00", or the raw id made printable
    std::string source;          // user, tracker, lsd, dht, pex, incoming, resume
    bool incoming = false;
    bool choking_us = true;
    bool interested_in_us = false;
    bool choked_by_us = true;
    bool interesting = false;
    bool snubbed = false;
    bool suspected = false;      // it may have sent bad data: until that is shown it gets whole pieces alone, or helps with a second try
    double progress = 0;
    double down_rate = 0;
    double up_rate = 0;
    std::uint64_t downloaded_bytes = 0;
    std::uint64_t uploaded_bytes = 0;
    std::uint32_t requests_in_flight = 0;
    std::uint32_t requests_queued = 0;     // theirs, waiting for us
    std::chrono::milliseconds round_trip{0};  // request to first byte, smoothed; 0 when unknown
};

// The DHT node of one address family.
struct DhtStatus {
    bool v6 = false;
    std::string id;                        // 40 hexadecimal digits
    std::optional<Address> external;       // as other nodes see us
    bool read_only = false;
    bool connected = false;                // found its way in: nodes have answered lately
    std::uint32_t good = 0, questionable = 0, bad = 0;  // nodes in the table (BEP 5)
    std::uint32_t replacements = 0;        // nodes that wait for a place
    std::uint32_t buckets = 0;
    std::uint32_t lookups = 0;             // under way
    std::uint32_t searches = 0;            // torrents that are looked for again and again
    std::uint32_t queries_in_flight = 0;
    std::uint32_t stored_torrents = 0;     // of others, announced to us
    std::uint32_t stored_peers = 0;
    std::uint64_t received_bytes = 0;      // this run
    std::uint64_t sent_bytes = 0;
};

// The port that a router forwards to us, or lets others reach through its firewall.
struct PortMappingStatus {
    std::string state = "off";             // "off", "searching", "mapped", "failed"
    std::string method;                    // "NAT-PMP" or "UPnP"; empty unless mapped
    std::optional<Address> external;       // the router's own address, as it says; in IPv6 ours
    std::uint16_t external_port = 0;       // 0 unless mapped
    std::optional<std::chrono::seconds> renewed;  // ago
    std::optional<std::chrono::seconds> expires;  // from now; nothing for what is for ever
    std::string message;                   // why it is off, has failed, or does not help
};

// The user's lists of addresses to keep away from (network.ip_filter).
struct IpFilterStatus {
    std::uint32_t files = 0;               // in force
    std::uint64_t ranges = 0;              // of which none touches another
    std::uint64_t bad_lines = 0;           // that were skipped
    std::uint64_t refused_connections = 0; // this run: not accepted, or closed when a list came that names the peer
    std::string trouble;                   // why newer lists were not taken and the old ones hold; empty: nothing
};

// The one interface that everything goes through (network.interface).
struct InterfaceStatus {
    std::string setting;                   // as it was given; empty: none, and nothing else here says anything
    std::string device;                    // its name; empty while it cannot be used
    std::vector<Address> addresses;        // that we speak from
    std::uint32_t losses = 0;              // how often it has gone since the start
    std::optional<std::chrono::seconds> changed;  // how long ago it came or went; nothing: not since the start
    std::string trouble;                   // why nothing is sent and what to do; empty while it can be used
};

struct SessionStatus {
    std::uint32_t torrents = 0;
    std::uint32_t peers = 0;
    double down_rate = 0;
    double up_rate = 0;
    std::uint64_t down_limit = 0;  // bytes a second; 0 is unlimited
    std::uint64_t up_limit = 0;
    std::vector<Endpoint> listening;
    bool incoming_seen = false;  // from beyond our own network
    InterfaceStatus interface;
    PortMappingStatus port_mapping;        // of the IPv4 router
    PortMappingStatus pinhole;             // of the IPv6 router
    std::string proxy;             // that everything goes through, without user and password; empty: none
    std::uint64_t disk_free_bytes = 0;
    IpFilterStatus ip_filter;
};

}  // namespace rqfs::torrent
