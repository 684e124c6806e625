#pragma once

#include "torrent/endpoint.h"

#include <cstdint>
#include <string>

namespace rqfs::torrent {

// Whom a proxy is asked to reach: a name, which it looks up, or an address.
struct ProxyTarget {
    std::string name;  // at most 255 bytes; empty: the address
    Address address;
    std::uint16_t port = 0;

    std::string text() const {
        return name.empty() ? Endpoint{address, port}.text() : name + ":" + std::to_string(port);
    }
    friend bool operator==(ProxyTarget const&, ProxyTarget const&) = default;
};

}  // namespace rqfs::torrent
