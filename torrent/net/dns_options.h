#pragma once

#include "torrent/endpoint.h"
#include "torrent/error.h"
#include "torrent/net/interface_binding.h"

#include <string>
#include <string_view>
#include <vector>

namespace rqfs::torrent {

// Whom DnsResolver asks, and how it gets there.
struct DnsOptions {
    InterfaceBinding binding{};
    std::vector<Endpoint> servers{};  // empty: those of resolv_conf, which is read at each lookup
    std::string resolv_conf = "/etc/resolv.conf";
    std::string hosts = "/etc/hosts";
};

// ADDR or ADDR:PORT; port 53 where none is named.
Result<Endpoint> parse_name_server(std::string_view text);

}  // namespace rqfs::torrent
