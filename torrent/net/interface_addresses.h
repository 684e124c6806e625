#pragma once

#include "torrent/endpoint.h"

#include <string>
#include <vector>

namespace rqfs::torrent {

// One address of one interface of this machine.
struct InterfaceAddress {
    unsigned index = 0;  // the kernel's, of the interface
    std::string device;
    unsigned flags = 0;  // IFF_*
    Address address;     // with its scope where it is link-local
    unsigned prefix_bits = 0;
};

// All of them, IPv4 and IPv6; asks the kernel, does not wait. Empty where it does not say.
std::vector<InterfaceAddress> interface_addresses();

// 0.0.0.0 and ::, which stand for all.
bool is_unspecified(Address const& address);

}  // namespace rqfs::torrent
