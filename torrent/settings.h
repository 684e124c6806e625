#pragma once

#include "torrent/limits.h"
#include "torrent/reader_policy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rqfs::torrent {

// What a user may set (rqfs.yaml.5); sizes in bytes, rates in bytes a second, 0 meaning unlimited where it says so.
struct Settings {
    // limits.*
    std::uint64_t up_limit = 0;           // 0: unlimited
    std::uint64_t down_limit = 0;         // 0: unlimited
    bool limit_lan = false;               // do up and down hold for peers on our own network
    std::uint32_t connections = 400;      // in all; between libtorrent's 200 and its users' 500
    std::uint32_t connections_per_torrent = 80;  // rain dials 80; Transmission allows 50
    std::uint32_t upload_slots = 8;       // libtorrent

    // network.*
    std::vector<std::string> listen;      // ADDR:PORT; empty: 6881 on IPv4 and IPv6, the next free one if taken
    std::string interface;                // a name or an address of this machine that all traffic takes; empty: none
    std::vector<std::string> dns;         // ADDR or ADDR:PORT of name servers; empty: those of resolv.conf
    bool test_network = false;            // lifts the vetting of addresses learnt from strangers (loopback, private, low ports)
    bool lsd = true;                      // local discovery (BEP 14)
    std::optional<bool> port_mapping;     // ask the router for the port; nothing said: yes, but not in a test network
    bool dht = true;
    std::vector<std::string> dht_routers; // HOST:PORT; empty: the well-known ones, in a test network none
    bool dht_read_only = false;           // BEP 43: asks and does not answer
    std::string proxy;                    // as ProxyAddress parses it; empty: none. Holds a password: never shown

    std::vector<std::string> ip_filter;   // absolute paths of lists of addresses to keep away from
    bool anonymous = false;               // tells nobody which program this is, nor neighbours and routers that it is here: no LSD, no port mapping

    StreamSettings stream;                // stream.*
};

}  // namespace rqfs::torrent
