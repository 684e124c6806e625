#pragma once

#include "torrent/endpoint.h"
#include "torrent/net/interface_binding.h"
#include "torrent/net/port_mapper.h"
#include "torrent/workers.h"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace rqfs::torrent {

struct Gateway6 {
    Address address;
    std::string device;
    friend bool operator==(Gateway6 const&, Gateway6 const&) = default;
};

// The IPv6 gateway of the default route with the lowest metric in the text of /proc/net/ipv6_route; of this interface
// alone, where one is named. Nothing where there is none. Pure.
std::optional<Gateway6> default_gateway_v6(std::string_view routes, std::string_view interface = {});

// The IPv6 router as the kernel's table has it, and the address of ours that the internet sees: the one listened at, or
// that from which the kernel speaks at the moment. Where that is none of the internet there is nothing to find.
class DefaultRouterFinderV6 final : public RouterFinder {
public:
    // `listening`: the address that is listened at; unspecified: all of them. `workers` outlive it.
    DefaultRouterFinderV6(Workers& workers, InterfaceBinding binding, Address listening);

    boost::asio::awaitable<Router> find() override;

private:
    Workers& workers_;
    InterfaceBinding binding_;
    Address listening_;
};

}  // namespace rqfs::torrent
